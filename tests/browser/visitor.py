"""A person at the page: one browser profile, one tab, and a note of everything that went wrong."""

import re
from typing import Any

from playwright.async_api import (
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Locator,
    Page,
    Request,
    expect,
)

from tests.waiting import eventually

OUTAGE = re.compile(r"net::ERR_|WebSocket connection to|Failed to load resource")
"""What a browser complains of by itself while a server is away."""

REPORT_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`CSP: ${event.violatedDirective} forbids ${event.blockedURI || "inline"}`));
"""

TRANSCRIPT = """(messages) => messages.map((message) => [
  message.dataset.sender,
  message.querySelector(".bubble")?.innerText.trim() ?? "",
])"""


class Visitor:
    """Acts as a person would: by what is on the page."""

    def __init__(self, name: str, url: str, context: BrowserContext, page: Page) -> None:
        self.name = name
        self.url = url
        self.context = context
        self.page = page
        self.problems: list[str] = []
        self._expected: list[re.Pattern[str]] = []
        self._watch(page)

    def at(self, testid: str) -> Locator:
        return self.page.get_by_test_id(testid)

    async def enter(self, path: str = "/") -> "Visitor":
        """Opens the page and comes in by name."""
        await self.page.goto(self.url + path)
        await self.sign_in()
        return self

    async def sign_in(self) -> None:
        await self.at("name-input").fill(self.name)
        await self.at("name-submit").click()
        await expect(self.at("connection")).to_have_text("Online")

    async def start_chat(
        self,
        title: str = "Tea",
        *,
        bot: str | None = None,
        policy: str = "always",
        visibility: str = "private",
    ) -> str:
        """Makes a session by the dialog and returns its id. `bot=""` is none at all."""
        await self.at("new-session").click()
        await self.at("session-title").fill(title)
        if bot is not None:
            await self.at("session-bot").select_option(bot)
        if policy != "always":
            await self.at("session-policy").select_option(policy)
        await self.at(f"visibility-{visibility}").check()
        await self.at("create-session").click()
        await expect(self.at("room-title")).to_have_text(title or re.compile("Chat with|Untitled"))
        await self.ready()
        return self.session_id

    async def ready(self) -> None:
        """Waits until the open session was joined."""
        await expect(self.at("composer")).to_be_enabled()
        await expect(self.at("online-count")).to_contain_text("online")

    @property
    def session_id(self) -> str:
        found = re.search(r"#/s/([^?]+)", self.page.url)
        assert found, self.page.url
        return found[1]

    async def open_session(self, session_id: str) -> None:
        await self.page.locator(f'[data-session-id="{session_id}"]').click()
        await self.ready()

    async def invite_link(self) -> str:
        await self.at("invite").click()
        field = self.at("invite-url")
        await expect(field).to_have_value(re.compile("^http"))
        link = await field.input_value()
        await self.at("dialog-close").click()
        return link

    async def say(self, text: str) -> None:
        await self.at("composer").fill(text)
        await self.at("composer").press("Enter")

    def message(self, text: str | re.Pattern[str], state: str = "sent") -> Locator:
        return self.page.locator(f'[data-testid="message"][data-state="{state}"]').filter(
            has=self.page.locator(".bubble", has_text=text)
        )

    async def sees(self, *texts: str) -> None:
        """Waits until the page shows these stored messages, whoever wrote them, and no others."""
        try:
            await eventually(lambda: self._shows(texts), within=20)
        except AssertionError:
            raise AssertionError(f"{self.name} sees {await self.transcript()}") from None

    async def transcript(self) -> list[tuple[str, str]]:
        """Name and text of each stored message on the page, from top to bottom."""
        stored = self.page.locator('[data-testid="message"][data-seq]')
        return [(sender, text) for sender, text in await stored.evaluate_all(TRANSCRIPT)]

    async def token(self) -> str:
        grant: dict[str, Any] = await self.page.evaluate(
            "JSON.parse(localStorage['chatserver.token'])"
        )
        return str(grant["token"])

    async def outbox(self) -> list[str]:
        """The ids of the messages that this browser still keeps for sending."""
        keys: list[str] = await self.page.evaluate("Object.keys(localStorage)")
        return [key for key in keys if key.startswith("chatserver.outbox.")]

    async def scroll(self, expression: str) -> Any:
        """A JavaScript expression about `it`, the scroller of the messages."""
        return await self.at("timeline").evaluate(f"(it) => {expression}")

    def expects(self, problem: re.Pattern[str] = OUTAGE) -> None:
        """From here on, such complaints of the browser are part of the test."""
        self._expected.append(problem)

    async def _shows(self, texts: tuple[str, ...]) -> bool:
        return [text for _, text in await self.transcript()] == list(texts)

    def _watch(self, page: Page) -> None:
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self._note(f"page error: {error}"))
        page.on("dialog", self._on_dialog)
        page.on("request", self._on_request)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self._note(f"console {message.type}: {message.text}")

    async def _on_dialog(self, dialog: Dialog) -> None:
        self._note(f"dialog: {dialog.message}")
        await dialog.dismiss()

    def _on_request(self, request: Request) -> None:
        if not request.url.startswith((self.url, "data:", "blob:")):
            self._note(f"asked somebody else: {request.url}")

    def _note(self, problem: str) -> None:
        if not any(expected.search(problem) for expected in self._expected):
            self.problems.append(problem)
