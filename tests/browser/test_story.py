"""The story of the README: a name, a chat, a bot's answer, a reload, and a friend by link."""

import re

from playwright.async_api import expect

from chatserver.testing import ScriptedBot
from tests.browser.conftest import StartBrowserServer, Visit
from tests.conftest import Connect

WATCH_GROWTH = """() => {
  window.lengths = [];
  new MutationObserver(() => {
    const text = document.querySelector('[data-testid="reply-streaming"] .markdown')?.innerText;
    if (text && text.length !== window.lengths.at(-1)) window.lengths.push(text.length);
  }).observe(document.body, { childList: true, subtree: true, characterData: true });
}"""


async def test_from_a_name_to_two_people_who_see_each_other_and_the_bot(
    server: StartBrowserServer, visit: Visit, bot: ScriptedBot
) -> None:
    chat = await server(bots=[bot])
    ada = await (await visit(chat, reduced_motion="no-preference")).enter()
    await expect(ada.at("home")).to_contain_text("Welcome, Ada")
    await ada.start_chat("Tea at four")

    await ada.say("Is the kettle on?")
    await expect(ada.message("Is the kettle on?")).to_be_visible()
    streaming = ada.at("reply-streaming")
    await expect(streaming).to_have_attribute("data-state", "thinking")
    await expect(ada.at("thinking")).to_be_visible()

    bot.say("It is ")
    await expect(streaming.locator(".bubble")).to_have_text("It is")
    bot.say("**boiling** ")
    await expect(streaming.locator(".bubble")).to_have_text("It is boiling")
    bot.say("over.").end()
    answer = ada.message("It is boiling over.")
    await expect(answer).to_have_attribute("data-sender", "sage")
    await expect(answer.locator("strong", has_text="boiling")).to_be_visible()
    await expect(streaming).to_have_count(0)
    said = await ada.transcript()
    assert said == [("Ada", "Is the kettle on?"), ("sage", "It is boiling over.")]

    await ada.page.reload()
    await expect(ada.message("over.")).to_be_visible()
    assert await ada.transcript() == said
    await expect(ada.at("profile")).to_contain_text("Ada")
    await expect(ada.at("room-title")).to_have_text("Tea at four")

    link = await ada.invite_link()
    bob = await visit(chat, "Bob")
    await bob.page.goto(link)
    await expect(bob.page.get_by_text("You have been invited")).to_be_visible()
    await bob.sign_in()
    await bob.sees("Is the kettle on?", "It is boiling over.")
    assert "invite" not in bob.page.url
    await expect(ada.at("notice").filter(has_text="Bob joined")).to_be_visible()

    await bob.say("May I have a cup?")
    bot.say("Gladly.").end()
    everything = ["Is the kettle on?", "It is boiling over.", "May I have a cup?", "Gladly."]
    await ada.sees(*everything)
    await bob.sees(*everything)
    assert await ada.transcript() == await bob.transcript()


async def test_a_reply_grows_word_by_word_on_the_page(
    server: StartBrowserServer, visit: Visit
) -> None:
    chat = await server(words_per_second=15)
    ada = await (await visit(chat)).enter()
    await ada.start_chat(bot="echo")
    await ada.page.evaluate(WATCH_GROWTH)
    text = "one two three four five six seven eight nine ten eleven twelve"
    await ada.say(text)
    await ada.sees(text, text)
    lengths: list[int] = await ada.page.evaluate("window.lengths")
    assert lengths == sorted(lengths)
    assert len(lengths) >= 6
    assert lengths[0] < len(text) / 2


async def test_who_is_here_and_who_is_typing_shows_to_the_others(
    server: StartBrowserServer, visit: Visit
) -> None:
    chat = await server()
    ada = await (await visit(chat)).enter()
    session_id = await ada.start_chat(visibility="link")
    await expect(ada.at("online-count")).to_have_text("2 members, 2 online")
    bob = await (await visit(chat, "Bob")).enter(f"/#/s/{session_id}")
    await bob.ready()
    member = ada.at("member").filter(has_text="Bob")
    await expect(member).to_have_attribute("data-online", "true")
    await expect(ada.at("online-count")).to_have_text("3 members, 3 online")

    await bob.at("composer").press_sequentially("I was th")
    await expect(ada.at("typing")).to_have_text("Bob is typing…")
    await expect(bob.at("typing")).to_be_empty()
    await bob.at("composer").fill("")
    await expect(ada.at("typing")).to_be_empty()
    await bob.at("composer").press_sequentially("Hello")
    await expect(ada.at("typing")).to_have_text("Bob is typing…")
    await bob.at("composer").press("Enter")
    await ada.sees("Hello", "Hello")
    await expect(ada.at("typing")).to_be_empty()

    await bob.at("composer").press_sequentially("wait")
    await expect(ada.at("typing")).to_have_text("Bob is typing…")
    await bob.page.close()
    await expect(member).to_have_attribute("data-online", "false")
    await expect(ada.at("online-count")).to_have_text("3 members, 2 online")
    await expect(ada.at("typing")).to_be_empty()


async def test_unread_counts_grow_in_the_list_and_go_when_read(
    server: StartBrowserServer, visit: Visit, connect: Connect
) -> None:
    chat = await server()
    ada = await (await visit(chat)).enter()
    quiet = await ada.start_chat("Quiet", bot="", visibility="link")
    await ada.start_chat("Elsewhere", bot="")
    item = ada.page.locator(f'[data-session-id="{quiet}"]')

    bob = await connect(chat, "Bob")
    await bob.do("join_session", session_id=quiet)
    for number in range(1, 4):
        await bob.say(quiet, f"message {number}")
        await expect(item.get_by_test_id("unread")).to_have_text(str(number))
    await expect(item).to_contain_text("Bob: message 3")
    await expect(ada.page).to_have_title(re.compile(r"^\(3\)"))
    await expect(ada.at("session-item").first).to_have_attribute("data-session-id", quiet)

    await ada.page.reload()
    await expect(item.get_by_test_id("unread")).to_have_text("3")
    await item.click()
    await ada.sees("message 1", "message 2", "message 3")
    await expect(ada.at("unread-divider")).to_be_visible()
    await expect(item.get_by_test_id("unread")).to_have_count(0)
    await expect(ada.page).not_to_have_title(re.compile(r"^\("))


async def test_a_name_is_asked_for_before_anything_else(
    server: StartBrowserServer, visit: Visit
) -> None:
    chat = await server()
    ada = await visit(chat)
    await ada.page.goto(chat.url)
    await expect(ada.at("name-input")).to_be_focused()
    await ada.at("name-submit").click()
    await expect(ada.at("name-error")).to_have_text("Please enter a name.")
    await ada.sign_in()
    await ada.at("sign-out").click()
    await expect(ada.at("name-input")).to_have_value("Ada")
