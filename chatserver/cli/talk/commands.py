"""Doing what a line that begins with a slash asks for."""

from chatserver.chat.errors import ChatError
from chatserver.cli.talk import fit, view
from chatserver.cli.talk.place import NotAPlace
from chatserver.cli.talk.room import Room, Show
from chatserver.cli.talk.rooms import Rooms
from chatserver.cli.talk.slash import COLUMN, help_lines
from chatserver.client import ClientError

HISTORY_LINES = 20


class Commands:
    """Each of `slash.COMMANDS`."""

    def __init__(self, rooms: Rooms, show: Show, bot: str | None) -> None:
        self._rooms = rooms
        self._show = show
        self._bot = bot

    async def obey(self, name: str, argument: str) -> bool:
        """Whether to go on. What is refused is shown."""
        try:
            return await self._obey(name, argument)
        except (ChatError, ClientError, NotAPlace, TimeoutError) as error:
            self._show(f"* {view.line(str(error)) or 'no answer'}")
            return True

    async def _obey(self, name: str, argument: str) -> bool:
        match name:
            case "quit":
                return False
            case "help":
                for line in help_lines():
                    self._show(fit.folded(line, self._rooms.width(), " " * COLUMN))
            case "rooms":
                await self._rooms.list()
            case "join":
                await self._rooms.enter(self._rooms.find(argument))
            case "new":
                await self._rooms.enter(self._rooms.new, title=argument, bot=self._bot)
            case _ if (room := self._rooms.shown) is None:
                self._show("* you are in no session: /rooms, /join or /new")
            case _:
                await self._obey_in(room, name, argument)
        return True

    async def _obey_in(self, room: Room, name: str, argument: str) -> None:
        match name:
            case "leave":
                await self._rooms.leave()
                self._show("* left: /rooms, /join or /new")
            case "invite":
                await self._rooms.invite()
            case "history":
                await room.show_older(HISTORY_LINES)
            case "search":
                await room.search(argument)
            case "stop":
                await room.stop_replies()
            case "retry":
                await room.retry()
            case _:
                self._show(f"* there is no /{view.line(name)}: /help")
