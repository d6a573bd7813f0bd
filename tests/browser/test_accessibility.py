"""Usable without a mouse, without eyes, and without motion."""

from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import expect

from chatserver.testing import ScriptedBot
from tests.browser.conftest import StartBrowserServer, Visit
from tests.browser.visitor import Visitor
from tests.conftest import Connect
from tests.waiting import eventually

GRAVE = ("serious", "critical")
MOVES = "document.getAnimations().some(({ playState }) => playState === 'running')"
FOCUSED = "document.activeElement?.dataset.testid ?? document.activeElement?.tagName"

FOCUS_RING = """() => {
  const element = document.activeElement;
  if (element === document.body) return null;
  const { outlineStyle, outlineWidth } = getComputedStyle(element);
  const row = element.closest(".composer-row");
  return {
    name: element.dataset.testid ?? element.outerHTML.slice(0, 80),
    ring: (outlineStyle !== "none" && outlineWidth !== "0px")
      || (row !== null && getComputedStyle(row).boxShadow !== "none"),
  };
}"""


async def no_grave_violations(visitor: Visitor, state: str) -> None:
    results = await Axe().run(visitor.page)
    violations: list[dict[str, Any]] = results.response["violations"]
    grave = [
        (each["id"], [(node["target"], node["failureSummary"]) for node in each["nodes"]])
        for each in violations
        if each["impact"] in GRAVE
    ]
    assert grave == [], state


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (1280, "dark"), (360, "light")])
async def test_axe_finds_nothing_grave_in_any_state(
    server: StartBrowserServer,
    visit: Visit,
    connect: Connect,
    bot: ScriptedBot,
    theme: str,
    width: int,
) -> None:
    narrow = width < 760
    chat = await server(bots=[bot])
    bob = await connect(chat, "Bob")
    public = await bob.do("create_session", title="Town square", visibility="public")
    size = {"width": width, "height": 740}
    ada = await visit(chat, viewport=size, color_scheme=theme)
    await ada.page.goto(chat.url)
    await ada.at("name-submit").click()
    await expect(ada.at("name-error")).not_to_be_empty()
    await no_grave_violations(ada, "name entry")

    await ada.sign_in()
    await no_grave_violations(ada, "home")
    await ada.at("home-new-session").click()
    await ada.at("session-title").fill("Tea")
    await ada.at("visibility-link").check()
    await no_grave_violations(ada, "new chat")
    await ada.at("create-session").click()
    await ada.ready()

    await bob.do("join_session", session_id=ada.session_id)
    await bob.say(ada.session_id, "# Hello\n\n- [link](https://example.org)\n\n> quoted `code`")
    sent = await bob.say(ada.session_id, "gone soon")
    code = "See:\n\n```python\nreturn 1  # one\n```\n\n| a | b |\n| - | - |\n| 1 | 2 |"
    bot.answers([code, code])
    await expect(ada.at("copy-code")).to_have_count(2)
    await bob.do("delete_message", session_id=ada.session_id, seq=sent["seq"])
    await expect(ada.message("", "deleted")).to_be_visible()
    await ada.say("and now fail, @sage")
    bot.say("half").fail()
    await expect(ada.at("reply-failed")).to_be_visible()
    await ada.at("keep-message").click()
    await expect(ada.at("kept")).to_be_visible()
    await ada.at("retry-reply").last.click()
    bot.answers(["whole"])
    await expect(ada.at("answer-pager")).to_be_visible()
    await ada.say("and fail again")
    bot.fail()
    await expect(ada.at("reply-failed")).to_be_visible()
    await ada.say("and now talk")
    bot.say("Well, ")
    await expect(ada.at("reply-streaming")).to_contain_text("Well,")
    await bob.do("set_typing", session_id=ada.session_id, typing=True)
    await expect(ada.at("typing")).not_to_be_empty()
    await ada.at("message").first.hover()
    await no_grave_violations(ada, "room")
    await ada.at("composer").press_sequentially("@")
    await expect(ada.at("mention-option")).to_be_visible()
    await no_grave_violations(ada, "mention")
    await ada.at("composer").fill("")
    await ada.message("and now fail").hover()
    await ada.message("and now fail").get_by_test_id("edit-message").click()
    await expect(ada.at("edit-ask-again")).to_be_visible()
    await no_grave_violations(ada, "edit")
    await ada.page.keyboard.press("Escape")

    for button, dialog in [("session-settings", "settings-dialog"), ("invite", "share-dialog")]:
        await ada.at(button).click()
        await expect(ada.at(dialog)).to_be_visible()
        await no_grave_violations(ada, dialog)
        await ada.page.keyboard.press("Escape")
        await expect(ada.at(dialog)).to_have_count(0)
    if narrow:
        await ada.at("members-toggle").click()
        await expect(ada.at("members")).to_be_visible()
        await no_grave_violations(ada, "members")
        await ada.page.keyboard.press("Escape")
        await ada.at("menu").click()
        await no_grave_violations(ada, "drawer")
    await bob.say(public["session"]["id"], "come over")
    await ada.at("discover").click()
    await expect(ada.at("public-session")).to_be_visible()
    await no_grave_violations(ada, "public chats")
    await ada.page.keyboard.press("Escape")

    ada.expects()
    await ada.context.set_offline(True)
    await expect(ada.at("banner")).to_be_visible()
    if narrow:
        await ada.page.keyboard.press("Escape")
    await ada.say("into the void")
    await expect(ada.message("void", "pending")).to_be_visible()
    await no_grave_violations(ada, "offline")
    await ada.context.set_offline(False)
    await expect(ada.at("banner")).to_have_count(0)


async def tab_to(visitor: Visitor, testid: str, key: str = "Tab") -> None:
    """Presses Tab until that element has the focus."""
    for _ in range(40):
        if await visitor.page.evaluate(FOCUSED) == testid:
            return
        await visitor.page.keyboard.press(key)
    raise AssertionError(f"{testid} cannot be reached by {key}")


async def test_the_whole_story_works_by_keyboard_alone(
    server: StartBrowserServer, visit: Visit, bot: ScriptedBot
) -> None:
    chat = await server(bots=[bot])
    ada = await visit(chat)
    await ada.page.goto(chat.url)
    keyboard = ada.page.keyboard
    await keyboard.type("Ada")
    await keyboard.press("Enter")
    await expect(ada.at("connection")).to_have_text("Online")

    await tab_to(ada, "new-session")
    await keyboard.press("Enter")
    await expect(ada.at("session-title")).to_be_focused()
    await keyboard.press("Escape")
    await expect(ada.at("new-session-dialog")).to_have_count(0)
    await expect(ada.at("new-session")).to_be_focused()
    await keyboard.press("Enter")
    await expect(ada.at("session-title")).to_be_focused()
    await keyboard.type("Tea")
    await tab_to(ada, "visibility-private")
    await keyboard.press("ArrowDown")
    await expect(ada.at("visibility-link")).to_be_checked()
    await keyboard.press("Enter")
    await expect(ada.at("room-title")).to_have_text("Tea")
    await expect(ada.at("composer")).to_be_focused()

    await keyboard.type("Hello")
    await keyboard.press("Enter")
    bot.say("Well, ")
    await expect(ada.at("reply-streaming")).to_contain_text("Well,")
    await tab_to(ada, "stop-reply")
    await keyboard.press("Enter")
    await expect(ada.at("stopped")).to_be_visible()
    await tab_to(ada, "retry-reply", "Shift+Tab")
    await keyboard.press("Enter")
    bot.say("Hello, Ada.").end()
    await ada.sees("Hello", "Hello, Ada.")

    await tab_to(ada, "composer")
    await keyboard.press("ArrowUp")
    await expect(ada.at("edit-input")).to_be_focused()
    await keyboard.type(" there")
    await keyboard.press("Enter")
    await ada.sees("Hello there", "Hello, Ada.")
    await expect(ada.at("composer")).to_be_focused()
    await tab_to(ada, "delete-message", "Shift+Tab")
    await expect(ada.at("delete-message")).to_be_visible()
    await keyboard.press("Enter")
    await expect(ada.at("confirm")).to_be_focused()
    await keyboard.press("Enter")
    await ada.sees("Message deleted", "Hello, Ada.")

    await tab_to(ada, "invite", "Shift+Tab")
    await keyboard.press("Enter")
    await expect(ada.at("share-dialog")).to_be_visible()
    for _ in range(8):
        await keyboard.press("Tab")
        assert await ada.page.evaluate(
            "document.activeElement === document.body || !!document.activeElement.closest('dialog')"
        ), "the focus left an open dialog"
    await keyboard.press("Escape")
    await expect(ada.at("invite")).to_be_focused()
    await tab_to(ada, "session-item", "Shift+Tab")
    await keyboard.press("Enter")
    await expect(ada.at("room-title")).to_have_text("Tea")


async def test_every_focused_control_shows_its_focus(
    server: StartBrowserServer, visit: Visit
) -> None:
    chat = await server()
    ada = await (await visit(chat)).enter()
    await ada.start_chat()
    await ada.say("hello")
    await ada.sees("hello", "hello")
    reached = set()
    for _ in range(30):
        await ada.page.keyboard.press("Tab")
        if control := await ada.page.evaluate(FOCUS_RING):
            reached.add(control["name"])
            assert control["ring"], f"{control['name']} does not show that it has the focus"
    assert {"new-session", "session-item", "invite", "timeline", "composer"} <= reached


async def test_finished_messages_are_announced_and_not_each_word(
    server: StartBrowserServer, visit: Visit, bot: ScriptedBot
) -> None:
    chat = await server(bots=[bot])
    ada = await (await visit(chat)).enter()
    await ada.start_chat()
    await ada.say("tell me")
    announcer = ada.page.get_by_role("log")
    bot.say("One ")
    await expect(ada.at("reply-streaming")).to_contain_text("One")
    bot.say("two ")
    await expect(ada.at("reply-streaming")).to_contain_text("One two")
    await expect(announcer).to_be_empty()
    await expect(ada.at("reply-streaming")).to_have_attribute("aria-busy", "true")
    assert await ada.page.locator("[aria-live] [data-testid=reply-streaming]").count() == 0
    bot.say("**three**.").end()
    await expect(announcer.locator("p")).to_have_text(["sage: One two three."])

    await ada.page.reload()
    await ada.sees("tell me", "One two three.")
    await expect(announcer).to_be_empty()


async def test_nothing_moves_for_whoever_wants_less_motion(
    server: StartBrowserServer, visit: Visit, bot: ScriptedBot
) -> None:
    chat = await server(bots=[bot])
    moving = await (await visit(chat, reduced_motion="no-preference")).enter()
    await moving.start_chat(visibility="link")
    await moving.say("think")
    still = await visit(chat, "Bob")
    await still.enter(f"/#/s/{moving.session_id}")
    for visitor in (moving, still):
        await expect(visitor.at("thinking")).to_be_visible()
    await eventually(lambda: stands_still(still), what="everything stands still")
    assert await moving.page.evaluate(MOVES)
    await still.at("session-settings").click()
    await expect(still.at("settings-dialog")).to_be_visible()
    await eventually(lambda: stands_still(still), what="everything stands still")
    bot.say("done").end()


async def stands_still(visitor: Visitor) -> bool:
    return not await visitor.page.evaluate(MOVES)
