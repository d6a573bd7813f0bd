"""The door over Socket.IO: a session, through the Python client."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from chatserver.chat.errors import ChatError
from chatserver.chat.models import Event, EventType, Visibility
from chatserver.cli.ai.door import Report
from chatserver.cli.ai.line import Line, speaker_of
from chatserver.cli.ai.names import is_ai_name
from chatserver.cli.talk.place import Place
from chatserver.client import (
    ChatClient,
    ChatSession,
    Connected,
    Connecting,
    ConnectionLost,
    Lost,
    NotAcknowledged,
    Status,
)
from chatserver.client.backoff import Backoff
from chatserver.client.errors import ClientError

CONNECT_SECONDS = 10.0
"""How long a server that is not there yet is waited for."""
LEAVE_SECONDS = 2.0
USUAL_CHARS = 16_000
"""The longest message, where a server does not say."""


class NoAi(Exception):
    """The token is of somebody whose name does not say that it is an AI's; see `names`."""


class SessionDoor:
    """`Door`. Counts by `seq`: neither side's restarts nor lost connections change what is heard.

    Raises, from `heard` and `say`, what made the client give up.
    """

    def __init__(self, client: ChatClient, session: ChatSession, report: Report) -> None:
        self.session = session
        self._client = client
        self._report = report
        self._came = session.info.last_seq

    @property
    def name(self) -> str:
        """Whom the others see."""
        return self._client.participant.name

    async def heard(self) -> AsyncIterator[Line]:
        async for event in self.session.events():
            if (line := self._line(event)) is not None:
                yield line

    async def say(self, text: str, key: str) -> None:
        text = text[: self._most_chars()]
        while True:
            try:
                await self.session.send(text, key)
                return
            except (NotAcknowledged, ConnectionLost):
                # The same key again: what was stored all the same is not stored twice.
                self._client.check()
            except ChatError as error:
                self._client.check()
                self._report(f"not said: {error.message} ({error.code})")
                return

    def _line(self, event: Event) -> Line | None:
        own = event.sender.id == self._client.participant.id
        gone = event.data.get("deleted_at") is not None
        if event.type is not EventType.MESSAGE_CREATED or own or gone:
            return None
        return Line(
            number=event.seq,
            speaker=speaker_of(event.sender),
            sender=event.sender,
            text=event.data["text"],
            past=event.seq <= self._came,
        )

    def _most_chars(self) -> int:
        welcome = self._client.welcome
        return welcome.limits.get("text_chars", USUAL_CHARS) if welcome else USUAL_CHARS


@asynccontextmanager
async def session_door(
    place: Place,
    report: Report,
    *,
    name: str,
    token: str | None = None,
    visibility: Visibility = Visibility.LINK,
    backoff: Backoff | None = None,
) -> AsyncIterator[SessionDoor]:
    """Joins the place's session, or makes one in which nobody else answers.

    A guest leaves the session that it joined as the block ends. Raises `NoAi`, a `ChatError` where
    the server refuses, or `ClientError`.
    """
    client = ChatClient(
        place.url,
        name=None if token else name,
        token=token or None,
        connect_timeout=CONNECT_SECONDS,
        backoff=backoff,
        on_status=lambda status: _tell(status, report),
    )
    async with client:
        if not is_ai_name(client.participant.name):
            raise NoAi(client.participant.name)
        if place.session_id is None:
            session = await client.create_session(
                f"With {client.participant.name}", bot=None, visibility=visibility.value
            )
        else:
            session = await client.join(place.session_id, invite=place.invite)
        try:
            yield SessionDoor(client, session, report)
        finally:
            if token is None and place.session_id is not None and client.connected:
                with suppress(ChatError, ClientError, TimeoutError):
                    async with asyncio.timeout(LEAVE_SECONDS):
                        await session.leave()


def _tell(status: Status, report: Report) -> None:
    match status:
        case Lost():
            report("connection lost")
        case Connecting(seconds=seconds):
            report(f"no connection; trying again in {seconds:.1f} s")
        case Connected(again=True):
            report("connected again")
        case _:
            pass
