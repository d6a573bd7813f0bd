"""On a phone, on a desk, by day and by night."""

from typing import Any

import pytest
from playwright.async_api import expect

from chatserver.testing import ScriptedBot
from tests.browser.conftest import StartBrowserServer, Visit
from tests.browser.visitor import Visitor
from tests.conftest import Connect

PHONE: dict[str, Any] = {
    "viewport": {"width": 360, "height": 740},
    "has_touch": True,
    "is_mobile": True,
}
OVERFLOW = "document.documentElement.scrollWidth - innerWidth"
BRIGHTNESS = """() => {
  const colours = getComputedStyle(document.querySelector(".main, .entry")).backgroundColor;
  const own = getComputedStyle(document.body).backgroundColor;
  const [red, green, blue, alpha = 1] = colours.match(/[\\d.]+/g).map(Number);
  const seen = alpha ? [red, green, blue] : own.match(/[\\d.]+/g).map(Number);
  return Math.max(...seen.slice(0, 3));
}"""


async def fits(visitor: Visitor) -> None:
    """Nothing can be scrolled sideways."""
    assert await visitor.page.evaluate(OVERFLOW) <= 0
    assert await visitor.page.evaluate("scrollX") == 0


async def test_on_a_phone_nothing_scrolls_sideways_and_all_is_in_reach(
    server: StartBrowserServer, visit: Visit
) -> None:
    chat = await server()
    ada = await visit(chat, **PHONE)
    await ada.page.goto(chat.url)
    await fits(ada)
    await ada.at("name-input").fill("Ada")
    await ada.at("name-submit").tap()
    await expect(ada.at("home")).to_be_visible()
    await fits(ada)
    await ada.at("home-new-session").tap()
    await fits(ada)
    await ada.at("session-title").fill("A title that is much too long for such a narrow page")
    await ada.at("create-session").tap()
    await ada.ready()
    await ada.at("composer").fill("Hello from my phone")
    await ada.at("send").tap()
    await ada.sees("Hello from my phone", "Hello from my phone")
    await fits(ada)
    for control in ("menu", "members-toggle", "invite", "session-settings", "composer", "send"):
        await expect(ada.at(control)).to_be_in_viewport(ratio=1)
    for opened, closed in [("invite", "share-dialog"), ("session-settings", "settings-dialog")]:
        await ada.at(opened).tap()
        await expect(ada.at(closed)).to_be_in_viewport(ratio=0.99)
        await fits(ada)
        await ada.at("dialog-close").tap()
    await ada.at("members-toggle").tap()
    await expect(ada.at("member").first).to_be_in_viewport()
    await fits(ada)


async def test_answers_and_bots_fit_a_very_narrow_phone(
    server: StartBrowserServer, visit: Visit, bot: ScriptedBot
) -> None:
    other = ScriptedBot("a-bot-with-a-rather-long-name")
    chat = await server(bots=[bot, other])
    narrow = {**PHONE, "viewport": {"width": 320, "height": 640}}
    ada = await (await visit(chat, **narrow)).enter()
    await ada.at("home-new-session").tap()
    await ada.at("create-session").tap()
    await ada.ready()
    await ada.at("session-settings").tap()
    await ada.at("add-bot").tap()
    await expect(ada.at("session-bot-item")).to_have_count(2)
    for control in ("remove-bot", "session-bot-turns", "save-settings"):
        await ada.at(control).first.scroll_into_view_if_needed()
        await expect(ada.at(control).first).to_be_in_viewport(ratio=1)
    await fits(ada)
    await ada.at("dialog-close").tap()

    await ada.at("composer").press_sequentially("Half a word, @sa")
    await expect(ada.at("mention-list")).to_be_in_viewport(ratio=1)
    await fits(ada)
    await ada.at("mention-option").tap()
    await expect(ada.at("composer")).to_have_value("Half a word, @sage ")
    await ada.at("send").tap()
    bot.say("Hal").fail()
    await expect(ada.at("reply-failed")).to_be_visible()
    for control in ("keep-message", "retry-reply"):
        await expect(ada.at(control)).to_be_in_viewport(ratio=1)
    await fits(ada)
    await ada.at("retry-reply").tap()
    bot.answers(["Half."])
    await expect(ada.at("answer-pager")).to_be_in_viewport(ratio=1)
    await ada.at("earlier-answer").tap()
    await expect(ada.at("reply-failed")).to_contain_text("The model is away.")
    await fits(ada)
    await ada.message("Half a word").tap()
    await ada.at("edit-message").tap()
    for control in ("edit-ask-again", "edit-save"):
        await expect(ada.at(control)).to_be_in_viewport(ratio=1)
    await fits(ada)


async def test_the_drawer_opens_leads_on_and_closes(
    server: StartBrowserServer, visit: Visit
) -> None:
    chat = await server()
    ada = await (await visit(chat, reduced_motion="no-preference")).enter()
    tea = await ada.start_chat("Tea")
    await ada.start_chat("Coffee")
    await ada.page.set_viewport_size({"width": 360, "height": 740})
    await expect(ada.at("sidebar")).not_to_be_in_viewport()
    await expect(ada.at("sidebar")).to_have_attribute("inert", "")

    await ada.at("menu").click()
    await expect(ada.at("sidebar")).to_be_in_viewport(ratio=1)
    await fits(ada)
    await ada.page.keyboard.press("Escape")
    await expect(ada.at("sidebar")).not_to_be_in_viewport()

    await ada.at("menu").click()
    await expect(ada.at("sidebar")).to_be_in_viewport(ratio=1)
    await ada.page.mouse.click(350, 400)
    await expect(ada.at("sidebar")).not_to_be_in_viewport()

    await ada.at("menu").click()
    await ada.page.locator(f'[data-session-id="{tea}"]').click()
    await expect(ada.at("room-title")).to_have_text("Tea")
    await expect(ada.at("sidebar")).not_to_be_in_viewport()
    await ada.page.set_viewport_size({"width": 1280, "height": 800})
    await expect(ada.at("sidebar")).to_be_in_viewport(ratio=1)
    await expect(ada.at("menu")).not_to_be_visible()


async def test_the_newest_message_stays_in_view_when_the_page_shrinks(
    server: StartBrowserServer, visit: Visit, connect: Connect
) -> None:
    """As it does when a phone's keyboard comes up."""
    chat = await server()
    bob = await connect(chat, "Bob")
    made = await bob.do("create_session", visibility="link", bot=None)
    for number in range(40):
        await bob.say(made["session"]["id"], f"Message {number}")
    ada = await (await visit(chat, **PHONE)).enter(f"/#/s/{made['session']['id']}")
    await expect(ada.message("Message 39")).to_be_in_viewport(ratio=1)
    await ada.page.set_viewport_size({"width": 360, "height": 400})
    await expect(ada.message("Message 39")).to_be_in_viewport(ratio=1)
    await expect(ada.at("composer")).to_be_in_viewport(ratio=1)
    await ada.at("composer").fill("\n".join(["line"] * 30))
    await expect(ada.at("send")).to_be_in_viewport(ratio=1)
    await expect(ada.at("room-title")).to_be_in_viewport(ratio=1)


@pytest.mark.parametrize("system", ["light", "dark"])
async def test_the_theme_follows_the_system_until_it_is_chosen(
    server: StartBrowserServer, visit: Visit, system: str
) -> None:
    chat = await server()
    ada = await visit(chat, color_scheme=system)
    await ada.page.goto(chat.url)
    was_dark = await is_dark(ada)
    assert was_dark is (system == "dark")
    await ada.sign_in()
    assert await is_dark(ada) is was_dark
    await ada.at("theme-toggle").click()
    assert await is_dark(ada) is not was_dark
    await ada.page.reload()
    await expect(ada.at("home")).to_be_visible()
    assert await is_dark(ada) is not was_dark
    await ada.at("theme-toggle").click()
    assert await is_dark(ada) is was_dark
    await ada.page.emulate_media(color_scheme="dark" if system == "light" else "light")
    assert await is_dark(ada) is not was_dark


async def is_dark(visitor: Visitor) -> bool:
    brightness: float = await visitor.page.evaluate(BRIGHTNESS)
    return brightness < 128
