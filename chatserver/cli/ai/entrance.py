"""How the AIs of one process come in, one after the other."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Protocol

from chatserver.chat.models import Visibility
from chatserver.cli.ai.door import Door, Report
from chatserver.cli.ai.framed_door import framed_door
from chatserver.cli.ai.framed_uri import FramedUri
from chatserver.cli.ai.session_door import session_door
from chatserver.cli.talk.place import Place
from chatserver.client.backoff import Backoff


@dataclass(frozen=True, slots=True)
class Entered:
    door: Door
    name: str
    where: str
    """What others may be told."""


class Entrance(Protocol):
    def enter(self, name: str, report: Report) -> AbstractAsyncContextManager[Entered]: ...


class SessionEntrance:
    """All go into the place's session; where it names none, into the one that the first makes."""

    def __init__(
        self,
        place: Place,
        *,
        token: str | None = None,
        visibility: Visibility = Visibility.LINK,
        backoff: Backoff | None = None,
    ) -> None:
        self._place = place
        self._token = token
        self._visibility = visibility
        self._backoff = backoff

    @asynccontextmanager
    async def enter(self, name: str, report: Report) -> AsyncIterator[Entered]:
        async with session_door(
            self._place,
            report,
            name=name,
            token=self._token,
            visibility=self._visibility,
            backoff=self._backoff,
        ) as door:
            self._place = replace(self._place, session_id=door.session.id)
            yield Entered(door, door.name, Place(self._place.url, door.session.id).link())


class FramedEntrance:
    def __init__(
        self, uri: FramedUri, bots: frozenset[str], *, backoff: Backoff | None = None
    ) -> None:
        self._uri = uri
        self._bots = bots
        self._backoff = backoff

    @asynccontextmanager
    async def enter(self, name: str, report: Report) -> AsyncIterator[Entered]:
        uri = self._uri.named(name)
        async with framed_door(uri, report, bots=self._bots, backoff=self._backoff) as door:
            yield Entered(door, name, str(uri))
