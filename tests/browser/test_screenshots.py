"""Pictures of the page in its main states, to be looked at by a person.

They go to the test's temporary folder, or to the one that SCREENSHOTS names. `room.png` is the
picture in the README.
"""

import os
from pathlib import Path

import pytest
from playwright.async_api import expect

from chatserver.testing import ScriptedBot
from tests.browser.conftest import StartBrowserServer, Visit
from tests.browser.visitor import Visitor
from tests.conftest import Connect
from tests.raw import RawClient

ELSEWHERE = [
    ("Book club", ["Next Thursday at seven?", "Seven works for me.", "I'll bring the *biscuits*."]),
    ("Lunch", ["The usual place at noon?"]),
    ("Design review", ["The new drawer feels right on my phone."]),
    ("Chat with echo", []),
]

QUESTION = "@sage how do I see what went in since the last tag?"
ANSWER = """Ask git for everything **since the newest tag**:

```bash
last=$(git describe --tags --abbrev=0)
git log "$last.." --oneline --no-merges
```

For the changelog it may be nicer to have it by author:

1. `git shortlog "$last.."` groups the commits by who"""


@pytest.fixture
def album(tmp_path: Path) -> Path:
    folder = Path(os.environ.get("SCREENSHOTS", tmp_path)).absolute()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


async def take(visitor: Visitor, file: Path) -> None:
    await visitor.page.mouse.move(0, 0)
    await visitor.page.evaluate("document.fonts.ready")
    await visitor.page.screenshot(path=file, animations="disabled", caret="hide")


async def busy_account(ada: RawClient, grace: RawClient) -> None:
    """Sessions for the list, the newest last; messages wait in that newest one alone."""
    for title, texts in reversed(ELSEWHERE):
        made = await ada.do("create_session", title=title, bot=None, visibility="link")
        session_id = made["session"]["id"]
        await grace.do("join_session", session_id=session_id)
        for text in texts:
            last = await grace.say(session_id, text)
            if title != "Book club":
                await ada.do("mark_read", session_id=session_id, seq=last["seq"])


async def lively_room(ada: Visitor, grace: RawClient, bot: ScriptedBot) -> str:
    """A talk of two people, and a bot in the middle of its answer."""
    await ada.start_chat("Release day", policy="mention", visibility="link")
    await grace.do("join_session", session_id=ada.session_id)
    await ada.say("Morning! Did the **1.4** build pass?")
    await expect(ada.message("Morning!")).to_be_visible()
    await grace.say(ada.session_id, "All green, on both databases.")
    await grace.say(ada.session_id, "Only the changelog is left. Shall we do it together?")
    await expect(ada.message("together?")).to_be_visible()
    await ada.say(QUESTION)
    bot.say(ANSWER)
    await expect(ada.at("reply-streaming")).to_contain_text("groups the commits by who")
    await expect(ada.at("reply-streaming").locator(".hljs-string").first).to_be_visible()
    await grace.do("set_typing", session_id=ada.session_id, typing=True)
    await expect(ada.at("typing")).to_have_text("Grace is typing…")
    return ada.session_id


async def test_pictures_of_the_way_in(
    server: StartBrowserServer, visit: Visit, album: Path
) -> None:
    chat = await server(default_bot="corpus")
    ada = await visit(chat)
    await ada.page.goto(chat.url)
    await ada.at("name-input").fill("Ada")
    await take(ada, album / "name.png")
    await ada.sign_in()
    await expect(ada.at("bot-card").first).to_be_visible()
    await take(ada, album / "empty.png")
    await ada.at("new-session").click()
    await expect(ada.at("new-session-dialog")).to_be_visible()
    await take(ada, album / "new.png")


async def test_pictures_of_a_lively_room(
    server: StartBrowserServer, visit: Visit, connect: Connect, bot: ScriptedBot, album: Path
) -> None:
    chat = await server(bots=[bot])
    grace = await connect(chat, "Grace")
    ada = await (await visit(chat, viewport={"width": 1280, "height": 820})).enter()
    await busy_account(await connect(chat, token=await ada.token()), grace)
    session_id = await lively_room(ada, grace, bot)
    await take(ada, album / "room.png")

    await ada.page.emulate_media(color_scheme="dark")
    await take(ada, album / "dark.png")
    await ada.page.set_viewport_size({"width": 360, "height": 740})
    await take(ada, album / "narrow-dark.png")
    await ada.page.emulate_media(color_scheme="light")
    await take(ada, album / "narrow.png")
    await ada.at("menu").click()
    await expect(ada.at("sidebar")).to_be_in_viewport(ratio=1)
    await take(ada, album / "drawer.png")

    linus = await (await visit(chat, "Linus")).enter(f"/#/s/{session_id}")
    await expect(linus.at("reply-streaming")).to_contain_text("groups the commits by who")
    bot.say(" wrote them.\n\nShall I draft it?").end()
    await expect(linus.message("Shall I draft it?")).to_be_visible()
    await linus.say("Yes please, and keep it *short*.")
    await expect(linus.message("Yes please")).to_be_visible()
    await take(linus, album / "two-people.png")


async def test_pictures_of_thinking_and_streaming(
    server: StartBrowserServer, visit: Visit, bot: ScriptedBot, album: Path
) -> None:
    chat = await server(bots=[bot])
    ada = await (await visit(chat, viewport={"width": 1100, "height": 720})).enter()
    await ada.start_chat("Tea at four")
    await ada.say("What goes with Darjeeling?")
    await expect(ada.at("thinking")).to_be_visible()
    await take(ada, album / "thinking.png")
    bot.say("Something light, so that the tea stays in front:\n\n- **shortbread**\n- a lemon ta")
    await expect(ada.at("reply-streaming")).to_contain_text("a lemon ta")
    await take(ada, album / "streaming.png")
    bot.fail()
    await expect(ada.at("reply-failed")).to_be_visible()
    ada.expects()
    await ada.context.set_offline(True)
    await expect(ada.at("banner")).to_be_visible()
    await ada.say("Hello?")
    await expect(ada.message("Hello?", "pending")).to_be_visible()
    await take(ada, album / "offline.png")
