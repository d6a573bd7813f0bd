"""rasa-webchat as npm has it, on a page of another origin."""

import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, Page, Request, WebSocket, expect

from chatserver.app import SERVER
from tests.browser.conftest import PROFILE, StartBrowserServer
from tests.integration.doors.rasa import said_in
from tests.nodejs import rasa_webchat
from tests.servers import RunningServer
from tests.waiting import PATIENCE, eventually

PAGE = """<!doctype html>
<title>A shop</title>
<h1>A shop</h1>
<script src="widget.js"></script>
<script>
  const widget = {{ current: null }};
  WebChat.default({{ socketUrl: {url}, title: "Help", innerRef: widget }}, null);
  const said = new URLSearchParams(location.search).get("say");
  addEventListener("load", () => said && widget.current.sendMessage(said, said));
</script>"""
"""With `?say=` it says something as soon as it is there, and so before its session is confirmed."""


FONTS = "https://fonts.googleapis.com/**"
"""The widget asks for them; tests ask nobody outside."""


class Shop:
    """A page in a browser, and what it sends."""

    def __init__(self, page: Page, url: str, server: RunningServer) -> None:
        self.page = page
        self.url = url
        self.server = server
        self.problems: list[str] = []
        self.sent: list[str] = []
        page.on("request", self._on_request)
        page.on("websocket", self._on_websocket)
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on(
            "console",
            lambda line: self.problems.append(line.text) if line.type == "error" else None,
        )

    async def enter(self, query: str = "") -> None:
        await self.page.goto(f"{self.url}/{query}")

    async def say(self, text: str) -> None:
        await self.page.locator(".rw-new-message").fill(text)
        await self.page.locator(".rw-new-message").press("Enter")

    async def shows(self, *texts: str) -> None:
        """Waits until the conversation is these texts, whoever said them."""
        await expect(self.page.locator(".rw-message .rw-message-text")).to_have_text(list(texts))

    async def session_id(self) -> str:
        """What the widget keeps for its next visit."""
        kept = json.loads(await self.page.evaluate("localStorage.chat_session"))
        return str(kept["session_id"])

    def sent_count(self, text: str) -> int:
        return sum(each.count(f'["user_uttered",{{"message":"{text}"') for each in self.sent)

    def _on_request(self, request: Request) -> None:
        if request.method == "POST":
            self.sent.append(request.post_data or "")

    def _on_websocket(self, socket: WebSocket) -> None:
        socket.on("framesent", lambda frame: self.sent.append(str(frame)))


@pytest_asyncio.fixture(loop_scope="session")
async def shop(chromium: Browser, server: StartBrowserServer) -> AsyncIterator[Shop]:
    servers: list[RunningServer] = []

    async def page(_: web.Request) -> web.Response:
        html = PAGE.format(url=json.dumps(servers[0].url))
        return web.Response(text=html, content_type="text/html")

    async def script(_: web.Request) -> web.FileResponse:
        return web.FileResponse(rasa_webchat())

    async def no_icon(_: web.Request) -> web.Response:
        return web.Response(status=204)

    site = web.Application()
    for path, handler in (("/", page), ("/widget.js", script), ("/favicon.ico", no_icon)):
        site.router.add_get(path, handler)
    runner = web.AppRunner(site, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    origin = f"http://127.0.0.1:{runner.addresses[0][1]}"
    servers.append(await server(allowed_origins=(origin,)))
    context = await chromium.new_context(**PROFILE)
    context.set_default_timeout(PATIENCE * 1000)
    await context.route(FONTS, lambda route: route.fulfill(content_type="text/css", body=""))
    yield Shop(await context.new_page(), origin, servers[0])
    await context.close()
    await runner.cleanup()


async def test_the_widget_chats_and_goes_on_after_a_reload(shop: Shop, tmp_path: Path) -> None:
    await shop.enter()
    await shop.page.locator(".rw-launcher").click()
    await shop.say("Do you have **tea**?")
    await shop.shows("Do you have **tea**?", "Do you have tea?")
    session_id = await shop.session_id()
    await shop.enter()
    await shop.shows("Do you have **tea**?", "Do you have tea?")
    await shop.say("And cups?")
    await shop.shows("Do you have **tea**?", "Do you have tea?", "And cups?", "And cups?")
    folder = Path(os.environ.get("SCREENSHOTS", tmp_path))
    await shop.page.screenshot(path=folder / "rasa.png", animations="disabled")
    assert await shop.session_id() == session_id
    said = ["Do you have **tea**?"] * 2 + ["And cups?"] * 2
    assert await said_in(shop.server, session_id, count=4) == said
    assert shop.problems == []


async def test_what_the_widget_sends_again_at_a_reconnect_is_not_doubled(shop: Shop) -> None:
    await shop.enter()
    await shop.page.locator(".rw-launcher").click()
    await shop.say("hello")
    await shop.shows("hello", "hello")
    await shop.enter("?say=queued")
    await shop.shows("hello", "hello", "queued", "queued")
    sessions = shop.server.app[SERVER].sockets.eio.sessions
    for connection in list(sessions.live.values()):
        sessions.close(connection, "transport error")
    await eventually(lambda: shop.sent_count("queued") == 2)
    await shop.say("and then?")
    await shop.shows("hello", "hello", "queued", "queued", "and then?", "and then?")
    said = ["hello", "hello", "queued", "queued", "and then?", "and then?"]
    assert await said_in(shop.server, await shop.session_id(), count=6) == said
