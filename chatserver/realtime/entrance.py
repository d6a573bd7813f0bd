"""The commands that bring a connection into a room, where snapshot and live events meet."""

from collections.abc import Awaitable, Callable
from typing import Any

from chatserver.chat.commands import Command, CreateSession, FollowSession, Joined, JoinSession
from chatserver.chat.errors import Draining, TooManySessions, Unavailable
from chatserver.chat.models import Model
from chatserver.chat.service import ChatService
from chatserver.realtime.connection import Connection
from chatserver.realtime.feed import RoomFeed

SNAPSHOT_TRIES = 5


class Entrance:
    """Performs commands; all others go to their use case as they are."""

    def __init__(self, service: ChatService, feed: RoomFeed, rooms: int) -> None:
        """`rooms`: how many a connection may be in."""
        self._service = service
        self._feed = feed
        self._rooms = rooms
        self._handlers: dict[str, Callable[[Connection, Any], Awaitable[Model]]] = {
            CreateSession.name: self._create_session,
            JoinSession.name: self._enter_session,
            FollowSession.name: self._enter_session,
        }

    async def perform(self, connection: Connection, command: Command) -> Model:
        """Raises what the use case raises, `TooManySessions`, `Unavailable` and `Draining`."""
        handler = self._handlers.get(command.name)
        if handler is not None:
            return await handler(connection, command)
        use_case: Callable[..., Awaitable[Model]] = getattr(self._service, command.name)
        return await use_case(connection.participant, command)

    async def _create_session(self, connection: Connection, command: CreateSession) -> Model:
        self._require_room(connection)
        result = await self._service.create_session(connection.participant, command)
        if not connection.is_gone:
            room = self._feed.host_new(result.session.id, result.session.last_seq)
            self._feed.enter(room, connection.sid, connection.participant)
        return result

    async def _enter_session(self, connection: Connection, command: FollowSession) -> Joined:
        if not self._feed.is_in(connection.sid, command.session_id):
            self._require_room(connection)
        who = connection.participant
        take: Callable[..., Awaitable[Joined]] = getattr(self._service, command.name)
        async with self._feed.hosting(command.session_id) as room:
            for _ in range(SNAPSHOT_TRIES):
                snapshot = await take(who, command)
                if connection.is_gone:
                    raise Draining("the connection is closing")
                joined = self._feed.enter_with(room, connection.sid, who, snapshot)
                if joined is not None:
                    return joined
        raise Unavailable("the session is too busy to be joined right now; try again")

    def _require_room(self, connection: Connection) -> None:
        if self._feed.rooms_entered(connection.sid) >= self._rooms:
            raise TooManySessions("this connection is in as many rooms as it may be")
