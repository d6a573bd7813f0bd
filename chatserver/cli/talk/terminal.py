"""Talking on a terminal: a prompt at the bottom, the conversation above it."""

import os
import shutil
import sys

from prompt_toolkit import PromptSession
from prompt_toolkit.formatted_text import AnyFormattedText
from prompt_toolkit.patch_stdout import patch_stdout
from prompt_toolkit.shortcuts import print_formatted_text

from chatserver.cli.talk import fit, view
from chatserver.cli.talk.beside import Beside
from chatserver.cli.talk.commands import Commands
from chatserver.cli.talk.entering import client_for
from chatserver.cli.talk.keys import bindings
from chatserver.cli.talk.place import NotAPlace, Place
from chatserver.cli.talk.rooms import Rooms
from chatserver.cli.talk.slash import parse
from chatserver.client import ChatClient, Connected, Connecting, GaveUp, Lost, Status

NEWS_SECONDS = 1.0
"""How often the line above the input is looked at for news of other sessions."""


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
        async with client_for(place, name, token, report) as client:
            await Terminal(client, place, bot).run(title)


async def _ask_name(prompt: PromptSession[str]) -> str | None:
    while True:
        try:
            answer = (await prompt.prompt_async("Your name: ")).strip()
        except (EOFError, KeyboardInterrupt):
            return None
        if answer:
            return answer


def show(text: AnyFormattedText) -> None:
    """Prints above the prompt."""
    print_formatted_text(text)


def report(status: Status) -> None:
    match status:
        case Lost():
            show("* connection lost")
        case Connecting(seconds=seconds):
            show(f"* no connection; trying again in {seconds:.1f} s")
        case Connected(again=True):
            show("* connected again")
        case GaveUp(error=error) if error is not None:
            show(f"* disconnected for good: {view.line(str(error))}")
        case _:
            pass


def size() -> os.terminal_size:
    """Of the terminal as it is now. (COLUMNS may be of another, or of before it was resized.)"""
    try:
        now = os.get_terminal_size(sys.__stdout__.fileno() if sys.__stdout__ else 1)
    except OSError:
        return shutil.get_terminal_size()
    # Whoever opened it (`docker exec -t`, expect) may have set none. The prompt takes the same.
    return os.terminal_size((now.columns or 80, now.lines or 24))


def width() -> int:
    return size().columns


class Terminal:
    """The loop of reading what is typed and doing what it says."""

    def __init__(self, client: ChatClient, place: Place, bot: str | None) -> None:
        self._prompt: PromptSession[str] = PromptSession(
            key_bindings=bindings(self._stop),
            multiline=True,
            prompt_continuation=view.INDENT,
            refresh_interval=NEWS_SECONDS,
        )
        self._name = view.line(client.participant.name)
        self._place = place
        self._bot = bot
        self._rooms = Rooms(client, place, show, self._redraw, width)
        self._beside = Beside(show)

    async def run(self, title: str) -> None:
        """Begins in the place's session; where it names none and there is no title, asks which."""
        place: Place | None = self._place
        if self._place.session_id is None and not title:
            place = await self._choose()
        if place is None:
            return
        await self._rooms.enter(place, title=title, bot=self._bot)
        commands = Commands(self._rooms, show, self._bot)
        try:
            going = True
            while going and (text := await self._read()) is not None:
                command = parse(text.strip())
                if command is None:
                    self._send(text)
                else:
                    going = await commands.obey(*command)
            await self._beside.settle()
        finally:
            await self._beside.give_up()
            await self._rooms.put_away()

    async def _choose(self) -> Place | None:
        """Asks which session, where there are any; a new one is a place without session."""
        if not await self._rooms.list():
            return self._place
        while True:
            answer = await self._read("Session (number, id or link; nothing for a new one): ")
            if answer is None:
                return None
            try:
                return self._rooms.find(answer.strip()) if answer.strip() else self._place
            except NotAPlace as error:
                show(str(error))

    async def _read(self, question: str | None = None) -> str | None:
        """What is typed; None at the end of the input."""
        try:
            answer = await self._prompt.prompt_async(question or self._message)
        except (EOFError, KeyboardInterrupt):
            return None
        return answer.rstrip()

    def _message(self) -> str:
        """Above the input: what the bots are saying right now, and news of other sessions."""
        columns, lines = size()
        room = self._rooms.shown
        texts = [
            fit.tail(text, max(3, lines // 2), columns) for text in (room.growing() if room else [])
        ]
        if news := self._rooms.news():
            texts.append(fit.clipped(news, columns))
        return "\n".join([*texts, f"{self._name}> "])

    def _redraw(self) -> None:
        if self._prompt.app.is_running:
            self._prompt.app.invalidate()

    def _send(self, text: str) -> None:
        if not text.strip():
            return
        if self._rooms.shown is None:
            show("* you are in no session: /rooms, /join or /new")
            return
        self._beside.send(self._rooms.shown.session, text)

    def _stop(self) -> bool:
        room = self._rooms.shown
        if room is None or not room.interruptible():
            return False
        self._beside.do(room.stop_replies, "not stopped")
        return True
