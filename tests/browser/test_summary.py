"""The summary of a session, and the title it gets by itself, on the page."""

import pytest
from playwright.async_api import expect

from chatserver.testing import ScriptedBot
from tests.browser.conftest import StartBrowserServer, Visit
from tests.browser.test_accessibility import no_grave_violations
from tests.conftest import Connect
from tests.waiting import eventually

HELD = """(seq) => {
  const message = document.querySelector(`[data-testid="message"][data-seq="${seq}"]`);
  if (!message || document.activeElement !== message) return false;
  const { top, bottom } = message.getBoundingClientRect();
  return top >= 0 && bottom <= innerHeight;
}"""


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (360, "dark")])
async def test_a_summary_shows_what_was_said_and_leads_to_it(
    server: StartBrowserServer, visit: Visit, connect: Connect, width: int, theme: str
) -> None:
    chat = await server(bots=[ScriptedBot("sage")])
    bob = await connect(chat, "Bob")
    made = await bob.do("create_session", title="Tea", bot=None, visibility="link")
    session_id = made["session"]["id"]
    kettle = await bob.say(session_id, "I love the copper kettle. The copper kettle sings.")
    for number in range(120):
        await bob.say(session_id, f"{number}")
    size = {"width": width, "height": 740}
    ada = await visit(chat, viewport=size, color_scheme=theme)
    await ada.enter(f"/#/s/{session_id}")
    await ada.ready()
    await ada.at("summarize").click()
    await expect(ada.at("summary-topics")).to_contain_text("copper kettle")
    await expect(ada.at("summary-counts")).to_contain_text("121 messages")
    await expect(ada.at("summary-source")).to_contain_text("words")
    await no_grave_violations(ada, "summary")
    highlight = ada.at("summary-highlight").first
    await expect(highlight).to_contain_text("Bob")
    await highlight.click()
    await expect(ada.at("summary-dialog")).to_have_count(0)
    await eventually(lambda: ada.page.evaluate(HELD, kettle["seq"]), what="it is in view")


async def test_a_session_without_words_has_a_summary_that_says_so(
    server: StartBrowserServer, visit: Visit
) -> None:
    ada = await (await visit(await server())).enter()
    await ada.start_chat(bot="")
    await ada.at("summarize").click()
    await expect(ada.at("summary-empty")).to_be_visible()
    await ada.page.keyboard.press("Escape")
    await expect(ada.at("summarize")).to_be_focused()


async def test_a_chat_without_a_title_gets_one_after_the_first_answer(
    server: StartBrowserServer, visit: Visit, bot: ScriptedBot
) -> None:
    chat = await server(bots=[bot.answers(["With water."])], titles=True)
    ada = await (await visit(chat)).enter()
    await ada.start_chat("")
    await ada.say("How do I **cook** rice?")
    await ada.sees("How do I cook rice?", "With water.")
    await expect(ada.at("room-title")).to_have_text("How do I cook rice?")
    await expect(ada.at("session-item")).to_contain_text("How do I cook rice?")
    await expect(ada.page).to_have_title("How do I cook rice?")
    await expect(ada.at("notice").last).to_have_text("sage called this chat “How do I cook rice?”")
