"""Another answer on the page: in the place of the old one, after an edit, or after a failure."""

from typing import Any

from playwright.async_api import Locator, expect

from chatserver.chat.ports import BotError
from chatserver.testing import ScriptedBot
from tests.browser.conftest import StartBrowserServer, Visit
from tests.browser.visitor import Visitor
from tests.conftest import Connect
from tests.raw import RawClient
from tests.waiting import eventually

LONG = "\n\n".join(f"Paragraph {number} of a long answer." for number in range(25))
TOP = """(message) => new Promise((done) => {
  const measure = () => done(message.getBoundingClientRect().top);
  requestAnimationFrame(() => requestAnimationFrame(measure));
})"""
"""As it was painted: what grows is made up for within the same frame."""


async def asked(visitor: Visitor, bot: ScriptedBot, text: str, answer: str) -> None:
    """A prompt on the page and its whole answer."""
    await visitor.say(text)
    bot.answers([answer])
    await expect(visitor.message(answer)).to_be_visible()


async def answer_again(visitor: Visitor, message: Locator) -> None:
    await message.hover()
    await message.get_by_test_id("retry-reply").click()


async def told_reply(member: RawClient) -> dict[str, Any]:
    """The message that the next reply ends with."""
    finished = await member.told("reply_finished")
    message: dict[str, Any] = await member.told("message_created", seq=finished["seq"])
    return message


async def test_another_answer_takes_the_place_of_the_old_one_which_can_still_be_read(
    server: StartBrowserServer, visit: Visit, bot: ScriptedBot
) -> None:
    chat = await server(bots=[bot])
    ada = await (await visit(chat)).enter()
    session_id = await ada.start_chat(visibility="link")
    await asked(ada, bot, "What is one?", "First.")
    await asked(ada, bot, "And two?", "Another matter.")
    for text in ("Second.", "Third."):
        await answer_again(ada, ada.at("message").nth(1))
        await expect(ada.at("thinking")).to_be_visible()
        bot.answers([text])
        await ada.sees("What is one?", text, "And two?", "Another matter.")

    bob = await (await visit(chat, "Bob")).enter(f"/#/s/{session_id}")
    for visitor in (ada, bob):
        pager = visitor.at("answer-pager")
        await expect(pager).to_have_count(1)
        await expect(pager).to_contain_text("3/3")
        await expect(pager.get_by_label("Later answer")).to_be_disabled()
        await pager.get_by_label("Earlier answer").click()
        await pager.get_by_label("Earlier answer").click()
        await expect(pager).to_contain_text("1/3")
        await visitor.sees("What is one?", "First.", "And two?", "Another matter.")
        await expect(visitor.message("First.").get_by_test_id("retry-reply")).to_have_count(0)
        await expect(pager.get_by_label("Earlier answer")).to_be_focused()


async def test_a_new_answer_turns_the_page_to_itself(
    server: StartBrowserServer, visit: Visit, bot: ScriptedBot
) -> None:
    chat = await server(bots=[bot])
    ada = await (await visit(chat)).enter()
    session_id = await ada.start_chat(visibility="link")
    await asked(ada, bot, "Say a number", "One.")
    await ada.at("retry-reply").click()
    bot.answers(["Two."])
    await ada.sees("Say a number", "Two.")
    await ada.at("earlier-answer").click()
    await ada.sees("Say a number", "One.")
    bob = await (await visit(chat, "Bob")).enter(f"/#/s/{session_id}")
    await bob.at("retry-reply").click()
    bot.answers(["Three."])
    await ada.sees("Say a number", "Three.")
    await expect(ada.at("answer-pager")).to_contain_text("3/3")


async def test_an_answer_replaced_above_does_not_move_what_is_being_read(
    server: StartBrowserServer, visit: Visit, connect: Connect, bot: ScriptedBot
) -> None:
    chat = await server(bots=[bot])
    bob = await connect(chat, "Bob")
    made = await bob.do("create_session", bot="sage", visibility="link")
    session_id = made["session"]["id"]
    await bob.say(session_id, "Tell me")
    bot.answers(["Short."])
    first = await told_reply(bob)
    for number in range(40):
        await bob.say(session_id, f"Talk {number}")
        bot.answers([f"Word {number}"])
    ada = await (await visit(chat)).enter(f"/#/s/{session_id}")
    await expect(ada.message("Word 39")).to_be_in_viewport()

    async def all_loaded() -> bool:
        await ada.scroll("it.scrollTop = 0")
        return await ada.at("beginning").count() > 0

    await eventually(all_loaded, what="the whole log")
    read = ada.message("Talk 12")
    await read.scroll_into_view_if_needed()
    await ada.scroll("it.scrollTop += 40")
    await expect(ada.at("jump-to-latest")).to_have_text("Latest")
    before = await read.evaluate(TOP)

    async def still_there() -> bool:
        return bool(abs(await read.evaluate(TOP) - before) <= 2)

    await bob.do("retry_reply", session_id=session_id, reply_id=first["data"]["reply_id"])
    bot.say(LONG[:600])
    streaming = ada.at("reply-streaming")
    await expect(streaming).to_contain_text("Paragraph 10")
    await eventually(still_there, what="what is being read, where it was")
    bot.say(LONG[600:]).end()
    await expect(streaming).to_have_count(0)
    await expect(ada.message("Paragraph 24")).to_have_count(1)
    await eventually(still_there, what="what is being read, where it was")
    await expect(ada.at("jump-to-latest")).to_have_text("Latest")


async def test_an_edited_prompt_is_asked_again(
    server: StartBrowserServer, visit: Visit, bot: ScriptedBot
) -> None:
    chat = await server(bots=[bot])
    ada = await (await visit(chat)).enter()
    await ada.start_chat()
    await asked(ada, bot, "What is won?", "A past tense.")
    await ada.at("composer").press("ArrowUp")
    await ada.at("edit-input").fill("What is one?")
    await ada.at("edit-ask-again").click()
    await expect(ada.at("edit-input")).to_have_count(0)
    bot.answers(["A number."])
    await ada.sees("What is one?", "A number.")
    assert bot.contexts[-1].prompt.data["text"] == "What is one?"
    await ada.at("composer").press("ArrowUp")
    await ada.at("edit-input").fill("What is 1?")
    await ada.at("edit-save").click()
    await ada.sees("What is 1?", "A number.")
    assert len(bot.contexts) == 2


async def test_only_an_edit_that_asks_a_bot_can_ask_again(
    server: StartBrowserServer, visit: Visit, bot: ScriptedBot
) -> None:
    chat = await server(bots=[bot])
    ada = await (await visit(chat)).enter()
    await ada.start_chat(policy="mention")
    await ada.say("talking to myself")
    await ada.sees("talking to myself")
    await ada.at("composer").press("ArrowUp")
    await expect(ada.at("edit-save")).to_be_visible()
    await expect(ada.at("edit-ask-again")).to_have_count(0)
    await ada.at("edit-input").fill("talking to @sage")
    await ada.at("edit-ask-again").click()
    bot.answers(["At last."])
    await ada.sees("talking to @sage", "At last.")


async def test_what_was_cut_short_is_kept_for_the_bots_to_see(
    server: StartBrowserServer, visit: Visit, bot: ScriptedBot
) -> None:
    chat = await server(bots=[bot])
    ada = await (await visit(chat)).enter()
    session_id = await ada.start_chat(visibility="link")
    bob = await (await visit(chat, "Bob")).enter(f"/#/s/{session_id}")
    await ada.say("recite")
    bot.say("Half a poem").fail()
    for visitor in (ada, bob):
        await expect(visitor.at("reply-failed")).to_contain_text("The model is away.")
    await bob.at("keep-message").click()
    for visitor in (ada, bob):
        await expect(visitor.at("kept")).to_be_visible()
        await expect(visitor.at("keep-message")).to_have_count(0)
    await asked(ada, bot, "and on?", "The other half.")
    assert "Half a poem" in [message.data["text"] for message in bot.contexts[-1].messages]
    await ada.say("more")
    bot.say("Once upon")
    await expect(ada.at("reply-streaming")).to_contain_text("Once upon")
    await ada.at("stop-reply").click()
    await ada.at("keep-message").click()
    await expect(ada.at("kept")).to_have_count(2)
    await ada.page.reload()
    await expect(ada.at("kept")).to_have_count(2)


async def test_a_failure_that_will_come_again_offers_no_retry(
    server: StartBrowserServer, visit: Visit, bot: ScriptedBot
) -> None:
    chat = await server(bots=[bot])
    ada = await (await visit(chat)).enter()
    await ada.start_chat()
    await ada.say("hello")
    bot.fail(BotError("bot_not_configured", "OPENAI_API_KEY is not set", retryable=False))
    failed = ada.at("reply-failed")
    await expect(failed).to_contain_text("sage could not answer. OPENAI_API_KEY is not set.")
    await expect(ada.at("retry-reply")).to_have_count(0)
    await expect(ada.page.get_by_role("log")).to_contain_text("sage could not answer.")


async def test_whoever_used_up_the_day_is_told_until_when(
    server: StartBrowserServer, visit: Visit, bot: ScriptedBot
) -> None:
    chat = await server(bots=[bot], replies_per_participant_day=1)
    ada = await (await visit(chat)).enter()
    await ada.start_chat()
    await asked(ada, bot, "one", "First.")
    await ada.say("two")
    refused = ada.message("two", "failed")
    await expect(refused).to_contain_text("used up your replies of today")
    await expect(refused).to_contain_text("after midnight UTC")
    await refused.get_by_test_id("discard-send").click()
    await ada.at("retry-reply").click()
    await expect(ada.at("toast")).to_contain_text("after midnight UTC")


async def test_a_full_queue_says_how_many_come_first_and_keeps_the_message(
    server: StartBrowserServer, visit: Visit, bot: ScriptedBot
) -> None:
    chat = await server(bots=[bot], queued_replies_per_session=1)
    ada = await (await visit(chat)).enter()
    await ada.start_chat()
    await ada.say("first")
    await expect(ada.at("thinking")).to_be_visible()
    await ada.say("second")
    refused = ada.message("second", "failed")
    await expect(refused).to_contain_text("1 reply waits before yours.")
    bot.answers(["Done."])
    await expect(ada.message("Done.")).to_be_visible()
    await refused.get_by_test_id("retry-send").click()
    bot.answers(["Done too."])
    await ada.sees("first", "Done.", "second", "Done too.")
