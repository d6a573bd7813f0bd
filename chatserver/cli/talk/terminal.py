"""Talking on a terminal: a prompt at the bottom, the conversation above it."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager

from prompt_toolkit import PromptSession
from prompt_toolkit.patch_stdout import patch_stdout
from prompt_toolkit.shortcuts import print_formatted_text

from chatserver.chat.errors import ChatError
from chatserver.chat.models import Event, SessionOverview
from chatserver.cli.talk import view
from chatserver.cli.talk.pipe import client_for, enter
from chatserver.cli.talk.place import NotAPlace, Place
from chatserver.cli.talk.room import Room
from chatserver.cli.talk.slash import HELP, parse, unescaped
from chatserver.client import ChatClient, Connected, Connecting, GaveUp, Lost, Status
from chatserver.client.errors import ClientError

HISTORY_LINES = 20
LISTED = 20


async def talk_on_terminal(
    place: Place, *, name: str | None, token: str | None, title: str, bot: str | None
) -> None:
    """Until `/quit` or the end of the input."""
    with patch_stdout():
        prompt: PromptSession[str] = PromptSession()
        if token is None and name is None:
            name = await _ask_name(prompt)
            if name is None:
                return
        talk = Terminal(prompt, title=title, bot=bot)
        async with client_for(place, name, token, talk.report) as client:
            await talk.run(client, place)


async def _ask_name(prompt: PromptSession[str]) -> str | None:
    while True:
        try:
            answer = (await prompt.prompt_async("Your name: ")).strip()
        except (EOFError, KeyboardInterrupt):
            return None
        if answer:
            return answer


def show(text: str) -> None:
    """Prints above the prompt."""
    print_formatted_text(text)


class Terminal:
    """The loop of reading a line and doing what it says."""

    def __init__(self, prompt: PromptSession[str], *, title: str, bot: str | None) -> None:
        self._prompt = prompt
        self._title = title
        self._bot = bot
        self._room: Room | None = None
        self._listed: list[SessionOverview] = []
        self._sending: set[asyncio.Task[None]] = set()
        self._place = Place("")
        self._name = ""

    def report(self, status: Status) -> None:
        match status:
            case Lost():
                show("* connection lost")
            case Connecting(seconds=seconds):
                show(f"* no connection; trying again in {seconds:.1f} s")
            case Connected(again=True):
                show("* connected again")
            case GaveUp(error=error) if error is not None:
                show(f"* disconnected for good: {error}")
            case _:
                pass

    async def run(self, client: ChatClient, place: Place) -> None:
        self._client, self._place = client, place
        self._name = view.line(client.participant.name)
        if place.session_id is None and not self._title:
            chosen = await self._choose()
            if chosen is None:
                return
            place = chosen
        await self._enter(place)
        try:
            while True:
                text = await self._read()
                if text is None or not await self._obey(text):
                    return
        finally:
            await self._leave_room()

    async def _choose(self) -> Place | None:
        """Asks which session, where there are any; a new one is a place without session."""
        await self._rooms()
        if not self._listed:
            return self._place
        while True:
            answer = await self._read("Session (number, id or link; nothing for a new one): ")
            if answer is None:
                return None
            try:
                return self._find(answer)
            except NotAPlace as error:
                show(str(error))

    def _find(self, text: str) -> Place:
        if text.isdigit() and 0 < int(text) <= len(self._listed):
            return Place(self._place.url, self._listed[int(text) - 1].id)
        place = Place.parse(text, self._place.url)
        if place.url != self._place.url:
            raise NotAPlace(f"that is on another server: chatserver talk '{text}'")
        return place

    async def _enter(self, place: Place) -> None:
        session = await enter(self._client, place, title=self._title, bot=self._bot)
        await self._leave_room()
        self._title = ""
        show(f"* {view.line(session.info.title) or 'Untitled'}  {session.id}  (/help for help)")
        self._room = Room(session, show, self._redraw)
        self._room.start()

    async def _leave_room(self) -> None:
        if self._room is not None:
            await self._room.stop()
            self._room = None

    async def _read(self, question: str | None = None) -> str | None:
        """A line; None at the end of the input."""
        try:
            answer = await self._prompt.prompt_async(question or self._message)
        except (EOFError, KeyboardInterrupt):
            return None
        return answer.strip()

    def _message(self) -> str:
        """Above the input: what the bots are saying right now."""
        size = shutil.get_terminal_size()
        growing = self._room.growing() if self._room else []
        texts = [view.tail(text, max(3, size.lines // 2), size.columns) for text in growing]
        return "\n".join([*texts, f"{self._name}> "])

    def _redraw(self) -> None:
        if self._prompt.app.is_running:
            self._prompt.app.invalidate()

    async def _obey(self, text: str) -> bool:
        """Does what a line says; whether to go on."""
        if not text:
            return True
        command = parse(text)
        if command is None:
            self._send(text)
            return True
        name, argument = command
        async with self._explained():
            match name:
                case "quit":
                    return False
                case "help":
                    show(HELP)
                case "rooms":
                    await self._rooms()
                case "join":
                    await self._enter(self._find(argument))
                case "new":
                    self._title = argument
                    await self._enter(Place(self._place.url))
                case _ if self._room is None:
                    show("* you are in no session: /rooms, /join or /new")
                case "leave":
                    session = self._room.session
                    await self._leave_room()
                    await session.leave()
                    show("* left: /rooms, /join or /new")
                case "invite":
                    invited = await self._room.session.create_invite()
                    link = Place(self._place.url, self._room.session.id, invited.invite).link()
                    show(f"* until {invited.expires_at.astimezone():%Y-%m-%d %H:%M}: {link}")
                case "history":
                    await self._room.show_older(HISTORY_LINES)
                case "stop":
                    await self._room.stop_replies()
                case "retry":
                    await self._room.retry()
                case _:
                    show(f"* there is no /{name}: /help")
        return True

    async def _rooms(self) -> None:
        mine = (await self._client.list_sessions(limit=LISTED)).sessions
        public = (await self._client.list_sessions(limit=LISTED, scope="public")).sessions
        known = {session.id for session in mine}
        self._listed = [*mine, *(s for s in public if s.id not in known)]
        for position, session in enumerate(self._listed, start=1):
            show(view.overview(position, session))
        if not self._listed:
            show("* there are no sessions yet")

    def _send(self, text: str) -> None:
        if self._room is None:
            show("* you are in no session: /rooms, /join or /new")
            return
        # Beside the prompt: one can go on typing while the server is away.
        task = asyncio.create_task(self._deliver(self._room.session.send(unescaped(text)), text))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _deliver(self, sending: Awaitable[Event], text: str) -> None:
        try:
            await sending
        except (ChatError, ClientError, TimeoutError) as error:
            show(f"* not sent: {error}: {view.safe(text)}")

    @asynccontextmanager
    async def _explained(self) -> AsyncIterator[None]:
        try:
            yield
        except (ChatError, ClientError, NotAPlace, TimeoutError) as error:
            show(f"* {str(error) or 'no answer'}")
