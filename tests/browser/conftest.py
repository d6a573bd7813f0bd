"""One Chromium for all, a fresh profile for each visitor, and pages that may not complain."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Protocol

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, async_playwright, expect

from chatserver.app import create_app
from chatserver.chat.ports import Bot
from chatserver.testing import ScriptedBot
from tests.browser.visitor import REPORT_VIOLATIONS, Visitor
from tests.conftest import Connect, raw_clients
from tests.servers import RunningServer, settings_for_test
from tests.waiting import PATIENCE

HERE = Path(__file__).parent
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""The first shows the same pages with half of the CPU: it has no windows and menus of its own."""
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]

PROFILE: dict[str, Any] = {
    "viewport": {"width": 1280, "height": 800},
    "locale": "en-GB",
    # Nothing to wait for while it moves; tests of motion ask for it.
    "reduced_motion": "reduce",
}

expect.set_options(timeout=PATIENCE * 1000)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The browser tests of a worker share one event loop and so one Chromium."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    path = next(filter(None, map(shutil.which, NAMES)), None)
    assert path, f"no browser found: none of {', '.join(NAMES)} is on the PATH"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        await browser.close()


class StartBrowserServer(Protocol):
    async def __call__(
        self, *, database: Path | None = None, bots: list[Bot] | None = None, **settings: Any
    ) -> RunningServer: ...


@pytest_asyncio.fixture(loop_scope="session")
async def server(tmp_path: Path) -> AsyncIterator[StartBrowserServer]:
    """Starts servers in this process; `bots` take the place of the built-in ones."""
    running: list[RunningServer] = []

    async def start(
        *, database: Path | None = None, bots: list[Bot] | None = None, **settings: Any
    ) -> RunningServer:
        path = database or tmp_path / f"chat-{len(running)}.db"
        if bots:
            settings.setdefault("default_bot", bots[0].info.name)
        chosen = settings_for_test(path, **settings)
        running.append(RunningServer(create_app(chosen, bots), chosen))
        await running[-1].start()
        return running[-1]

    yield start
    for one in reversed(running):
        await one.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def connect() -> AsyncIterator[Connect]:
    """The raw clients of every other test, in the event loop of the browser."""
    async with raw_clients() as start:
        yield start


@pytest.fixture
def bot() -> ScriptedBot:
    return ScriptedBot("sage")


class Page(Protocol):
    """Where a page is to be had: a server, or a wire to one."""

    @property
    def url(self) -> str: ...


class Visit(Protocol):
    """A visitor with a browser profile of her own; `context` is Playwright's, as is `tab_of`."""

    async def __call__(
        self,
        server: Page,
        name: str = "Ada",
        *,
        tab_of: Visitor | None = None,
        **context: Any,
    ) -> Visitor: ...


@pytest_asyncio.fixture(loop_scope="session")
async def visit(chromium: Browser, server: StartBrowserServer) -> AsyncIterator[Visit]:
    """Opens profiles, and in the end asserts that no page complained of anything unexpected.

    Depends on `server`, so that pages close while theirs still answers.
    """
    visitors: list[Visitor] = []
    contexts: list[BrowserContext] = []

    async def start(
        server: Page,
        name: str = "Ada",
        *,
        tab_of: Visitor | None = None,
        **how: Any,
    ) -> Visitor:
        if tab_of is None:
            profile = await chromium.new_context(**{**PROFILE, **how})
            profile.set_default_timeout(PATIENCE * 1000)
            await profile.grant_permissions(["clipboard-read", "clipboard-write"])
            await profile.add_init_script(REPORT_VIOLATIONS)
            contexts.append(profile)
        else:
            profile = tab_of.context
        visitors.append(Visitor(name, server.url, profile, await profile.new_page()))
        return visitors[-1]

    yield start
    for profile in contexts:
        await profile.close()
    for visitor in visitors:
        assert visitor.problems == [], visitor.name
