"""ChatClient: who one is, the connection that is kept up, and the sessions on it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any

import aiohttp

from chatserver.chat.commands import Joined, SessionPage
from chatserver.chat.errors import ChatError, Unauthorized
from chatserver.chat.events import ServerDraining, SessionDeleted, Signal, Welcome
from chatserver.chat.models import Event, Participant, Session, Token
from chatserver.client import tokens
from chatserver.client.backoff import Backoff
from chatserver.client.connection import Connection
from chatserver.client.errors import ClientError, ConnectionLost, NotAcknowledged, NotConnected
from chatserver.client.session import ChatSession
from chatserver.client.status import Connected, Connecting, GaveUp, Lost, Status
from chatserver.client.wire import read, read_live

log = logging.getLogger("chatserver.client")

ACK_SECONDS = 10.0
"""Silence after which an event counts as not acknowledged."""
CALL_SECONDS = 30.0
"""Longest that a call takes with all its repeats."""
RENEW_RETRY_SECONDS = 5.0

StatusListener = Callable[[Status], None]


class ChatClient:
    """A participant's connection to a chat server. Use as an async context manager.

    With `name` it gets itself a guest's token; with `token` it uses that one. The token is renewed
    when half of its life is over. A lost connection is made again with growing, jittered delays,
    also where the server ended it, and every session is joined again with the last seq it has.

    Entering raises a `ChatError` where the server refuses and `NotConnected` where it is not
    reached within `connect_timeout` seconds. `on_status` hears of every change of the connection.
    """

    def __init__(
        self,
        url: str,
        *,
        name: str | None = None,
        token: str | None = None,
        connect_timeout: float = CALL_SECONDS,
        ack_timeout: float = ACK_SECONDS,
        backoff: Backoff | None = None,
        on_status: StatusListener | None = None,
    ) -> None:
        if (name is None) == (token is None):
            raise ValueError("give either a name or a token")
        self.url = url.rstrip("/")
        self.closed = False
        self.welcome: Welcome | None = None
        """What the server said about itself, its limits and its bots when we last connected."""
        self._name = name
        self._token = token
        self._connect_timeout = connect_timeout
        self._ack_timeout = ack_timeout
        self._backoff = backoff or Backoff()
        self._on_status = on_status
        self._http: aiohttp.ClientSession | None = None
        self._connection: Connection | None = None
        self._ready = asyncio.Event()
        self._sessions: dict[str, ChatSession] = {}
        self._failure: Exception | None = None
        self._reconnect_after = 0.0
        self._draining = False
        self._hurry = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def participant(self) -> Participant:
        """Who one is; known once connected."""
        if self.welcome is None:
            raise NotConnected("not connected yet")
        return self.welcome.participant

    @property
    def token(self) -> str:
        """The bearer token, for REST or for another client of the same participant."""
        if self._token is None:
            raise NotConnected("there is no token yet")
        return self._token

    @property
    def connected(self) -> bool:
        """Whether there is a connection, with all sessions joined on it."""
        return self._ready.is_set()

    async def __aenter__(self) -> "ChatClient":
        self._http = aiohttp.ClientSession()
        try:
            async with asyncio.timeout(self._connect_timeout):
                if self._token is None:
                    await self._get_token()
                self._tasks = [
                    asyncio.create_task(self._keep_connected(), name="keep connected"),
                    asyncio.create_task(self._keep_token(), name="keep token"),
                ]
                await self._until_ready()
        except TimeoutError:
            await self.close()
            raise NotConnected(
                f"no connection to {self.url} within {self._connect_timeout:g} s"
            ) from None
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Ends everything. Safe to repeat. One stays a member of one's sessions."""
        if self.closed:
            return
        self.closed = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._connection is not None:
            await self._connection.close()
        if self._http is not None:
            await self._http.close()
        self._tell(GaveUp(None))
        self._wake_all()

    async def create_session(self, title: str = "", **settings: Any) -> ChatSession:
        """A session of one's own, joined from its first event on.

        `settings`: `bot` (None: nobody answers), `visibility`, `reply_policy`. Not repeated after a
        lost connection: `ConnectionLost` may leave a session behind that `list_sessions` shows.
        """
        ack = await self.once("create_session", {"title": title, **settings})
        return await self.join(ack["session"]["id"], after_seq=0)

    async def join(
        self, session_id: str, after_seq: int | None = None, *, invite: str | None = None
    ) -> ChatSession:
        """Becomes a member, or comes back. Again for the same session: the same object.

        Its events begin after `after_seq`; without it, with the newest of the log
        (`session.history` has the others).
        """
        if session_id in self._sessions:
            return self._sessions[session_id]
        session = self._sessions[session_id] = ChatSession(self, session_id, after_seq)
        payload: dict[str, Any] = {"session_id": session_id}
        if after_seq is not None:
            payload["after_seq"] = after_seq
        if invite is not None:
            payload["invite"] = invite
        try:
            session.snapshot(read(Joined, await self.repeat("join_session", payload)))
        except BaseException:
            self._sessions.pop(session_id, None)
            raise
        return session

    async def list_sessions(
        self, *, before: str | None = None, limit: int = 50, scope: str = "mine"
    ) -> SessionPage:
        """One's own sessions or, with `scope="public"`, the public ones; newest activity first."""
        payload = {"limit": limit, "scope": scope, **({"before": before} if before else {})}
        return read(SessionPage, await self.repeat("list_sessions", payload))

    def sessions(self) -> list[Session]:
        """The sessions that are joined here."""
        return [session.info for session in self._sessions.values()]

    def reconnect_now(self) -> None:
        """Does not wait any longer before the next attempt, as when a network came back."""
        if not self.connected:
            self._hurry.set()

    # What sessions ask for.

    def check(self) -> None:
        """Raises what made the client give up, if it did."""
        if self._failure is not None:
            raise self._failure
        if self.closed:
            raise NotConnected("the client was closed")

    def forget(self, session: ChatSession) -> None:
        self._sessions.pop(session.id, None)

    async def once(self, event: str, payload: dict[str, Any], within: float | None = None) -> Any:
        """Sends one event when there is a connection, and never again.

        Raises a `ChatError`, `ConnectionLost`, or TimeoutError (it may have taken effect then),
        after `within` seconds without an ack; the client's own timeout where None.
        """
        connection = await self._connected_within(CALL_SECONDS)
        return await connection.call(event, payload, within or self._ack_timeout)

    async def repeat(self, event: str, payload: dict[str, Any]) -> Any:
        """The same for events that may be repeated. Raises `ConnectionLost` after the last try."""
        try:
            return await self._insist(lambda: self.once(event, payload), CALL_SECONDS)
        except TimeoutError as error:
            raise ConnectionLost(f"{event}: no answer within {CALL_SECONDS:g} s") from error

    async def send(self, session_id: str, message: dict[str, Any], within: float) -> Any:
        """Sends one message until it is acked. Raises `NotAcknowledged` after `within` seconds."""
        payload = {"session_id": session_id, **message}
        try:
            return await self._insist(lambda: self.once("send_message", payload), within)
        except TimeoutError as error:
            raise NotAcknowledged(message["client_message_id"], within) from error

    # How the connection is kept.

    async def _insist(self, attempt: Callable[[], Awaitable[Any]], within: float) -> Any:
        backoff = Backoff(first=0.05, cap=2.0)
        async with asyncio.timeout(within) as limit:
            while True:
                pause = 0.0
                try:
                    return await attempt()
                except ChatError as error:
                    if not error.retryable:
                        raise
                    pause = (error.retry_after_ms or 0) / 1000
                except ConnectionLost:
                    self.check()
                except TimeoutError:
                    # An ack that is late by so much is a connection that does not work.
                    if limit.expired():
                        raise
                    self._drop_connection()
                await asyncio.sleep(backoff.next(pause))

    async def _connected_within(self, seconds: float) -> Connection:
        try:
            async with asyncio.timeout(seconds):
                await self._until_ready()
        except TimeoutError:
            raise NotConnected(f"no connection for {seconds:g} s") from None
        assert self._connection is not None
        return self._connection

    async def _until_ready(self) -> None:
        while not self._ready.is_set():
            self.check()
            await self._ready.wait()
            self.check()
            if self._connection is None or self._connection.ended:
                self._ready.clear()

    async def _keep_connected(self) -> None:
        assert self._http is not None
        again = False
        while True:
            connection: Connection | None = None
            try:
                connection = await Connection.open(self._http, self.url, self.token, self._hear)
                self._connection = connection
                await self._rejoin(connection)
                self._backoff.reset()
                self._ready.set()
                self._tell(Connected(self.participant, again))
                again = True
                await connection.wait_ended()
                self._ready.clear()
                self._tell(Lost(self._draining))
            except Unauthorized as error:
                self._give_up(error)
                return
            except ChatError as error:
                if not error.retryable:
                    self._give_up(error)
                    return
                self._reconnect_after = (error.retry_after_ms or 0) / 1000
            except (ClientError, TimeoutError) as error:
                log.debug("connection: %s", error)
            finally:
                self._ready.clear()
                if connection is not None:
                    await connection.close()
            delay = self._backoff.next(self._reconnect_after)
            self._reconnect_after, self._draining = 0.0, False
            self._tell(Connecting(self._backoff.attempt, delay))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._hurry.wait(), delay)
            self._hurry.clear()

    async def _rejoin(self, connection: Connection) -> None:
        for session in list(self._sessions.values()):
            if session.resume_after is None:
                continue
            payload = {"session_id": session.id, "after_seq": session.resume_after}
            try:
                joined = await self._insist_on(connection, "join_session", payload)
            except ChatError as error:
                if error.retryable or isinstance(error, Unauthorized):
                    raise
                session.end(error)
            else:
                session.snapshot(read(Joined, joined))
                await session.settle_replies(partial(self._insist_on, connection))

    async def _insist_on(self, connection: Connection, event: str, payload: dict[str, Any]) -> Any:
        """On this connection alone; only a rate limit is waited for."""
        while True:
            try:
                return await connection.call(event, payload, self._ack_timeout)
            except ChatError as error:
                if error.retry_after_ms is None:
                    raise
                await asyncio.sleep(error.retry_after_ms / 1000)

    async def _get_token(self) -> None:
        assert self._http is not None
        assert self._name is not None
        while True:
            try:
                issued = await tokens.issue(self._http, self.url, self._name)
            except ChatError as error:
                if not error.retryable:
                    raise
                await asyncio.sleep(self._backoff.next((error.retry_after_ms or 0) / 1000))
            except NotConnected:
                await asyncio.sleep(self._backoff.next())
            else:
                self._token = issued.token
                return

    async def _keep_token(self) -> None:
        """Renews at half-life. The first renewal tells how long that is."""
        assert self._http is not None
        while True:
            try:
                renewed = await tokens.renew(self._http, self.url, self.token)
            except ClientError as error:
                log.debug("renewing the token: %s", error)
                await asyncio.sleep(RENEW_RETRY_SECONDS)
            except ChatError as error:
                if not error.retryable:
                    # The connection will hear of it too, and give up.
                    return
                await asyncio.sleep(max(RENEW_RETRY_SECONDS, (error.retry_after_ms or 0) / 1000))
            else:
                await asyncio.sleep(half_life(renewed, datetime.now(UTC)))

    def _hear(self, name: str, payload: Any) -> None:
        try:
            heard = read_live(name, payload)
        except ValueError:
            log.exception("an event %s that this client cannot read", name)
            return
        match heard:
            case Event():
                if session := self._sessions.get(heard.session_id):
                    session.hear_event(heard)
            case Welcome():
                self.welcome = heard
            case ServerDraining():
                self._draining = True
                self._reconnect_after = heard.reconnect_after_ms / 1000
            case Signal():
                if session := self._sessions.get(getattr(heard, "session_id", "")):
                    session.hear_signal(heard)
                elif isinstance(heard, SessionDeleted):
                    log.debug("session %s is gone", heard.session_id)

    def _drop_connection(self) -> None:
        if self._connection is not None and not self._connection.ended:
            self._ready.clear()
            closing = asyncio.create_task(self._connection.close())
            self._tasks.append(closing)
            closing.add_done_callback(self._tasks.remove)

    def _give_up(self, error: Exception) -> None:
        self._failure = error
        self._ready.set()
        self._tell(GaveUp(error))
        self._wake_all()

    def _wake_all(self) -> None:
        self._ready.set()
        for session in self._sessions.values():
            session.wake()

    def _tell(self, status: Status) -> None:
        if self._on_status is not None:
            self._on_status(status)


def half_life(token: Token, now: datetime) -> float:
    """Seconds until half of what is left of the token's life is over; at least one."""
    return max(1.0, (token.expires_at - now).total_seconds() / 2)
