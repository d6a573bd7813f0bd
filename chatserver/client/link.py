"""The connection of the moment, and the next one when it has ended."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import aiohttp

from chatserver.chat.errors import ChatError, Unauthorized
from chatserver.chat.events import ServerDraining, Signal, Welcome
from chatserver.chat.models import Event
from chatserver.client.backoff import Backoff
from chatserver.client.connection import Connection
from chatserver.client.errors import ClientError, NotConnected
from chatserver.client.status import Connected, Connecting, GaveUp, Lost, Status
from chatserver.client.tokens import TokenKeeper
from chatserver.client.wire import read_live

log = logging.getLogger("chatserver.client")

StatusListener = Callable[[Status], None]
Ask = Callable[[str, dict[str, Any]], Awaitable[Any]]
"""Sends one event on the connection of the moment."""


class Link:
    """Keeps one connected until it is closed, or refused for good.

    Each new connection is ready once `rejoin` has brought the sessions back by it; `hear` gets what
    the server then says, in order. `wake` is called when it is over.
    """

    def __init__(
        self,
        url: str,
        tokens: TokenKeeper,
        *,
        ack_timeout: float,
        backoff: Backoff,
        on_status: StatusListener | None,
        hear: Callable[[Event | Signal], None],
        rejoin: Callable[[Ask], Awaitable[None]],
        wake: Callable[[], None],
    ) -> None:
        self.url = url
        self.closed = False
        self.welcome: Welcome | None = None
        self._tokens = tokens
        self._ack_timeout = ack_timeout
        self._backoff = backoff
        self._on_status = on_status
        self._pass_on = hear
        self._rejoin = rejoin
        self._wake = wake
        self._http: aiohttp.ClientSession | None = None
        self._connection: Connection | None = None
        self._ready = asyncio.Event()
        self._failure: Exception | None = None
        self._reconnect_after = 0.0
        self._draining = False
        self._hurry = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def ready(self) -> bool:
        return self._ready.is_set() and not self.closed and self._failure is None

    @property
    def begun(self) -> bool:
        return self._http is not None or self.closed

    def check(self) -> None:
        """Raises what ended it, if anything did, and `NotConnected` where it never began."""
        if self._failure is not None:
            raise self._failure
        if self.closed:
            raise NotConnected("the client was closed")
        if self._http is None:
            raise NotConnected("the client was not entered: use `async with`")

    async def open(self) -> None:
        """Returns once ready; raises what refused it. To be called once."""
        http = self._http = aiohttp.ClientSession()
        await self._tokens.get(http, self._backoff)
        self._tasks = [
            asyncio.create_task(self._keep_connected(http), name="keep connected"),
            asyncio.create_task(self._tokens.keep(http), name="keep token"),
        ]
        self._tasks[0].add_done_callback(self._ended)
        await self._until_ready()

    async def close(self) -> None:
        """Ends everything. Safe to repeat."""
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

    async def connected_within(self, seconds: float) -> Connection:
        """Raises `NotConnected` where there is no connection by then, and like `check`."""
        try:
            async with asyncio.timeout(seconds):
                await self._until_ready()
        except TimeoutError:
            raise NotConnected(f"no connection for {seconds:g} s") from None
        assert self._connection is not None
        return self._connection

    def drop(self) -> None:
        """Ends the connection of the moment, which does not work; another one is made."""
        if self._connection is not None and not self._connection.ended:
            self._ready.clear()
            closing = asyncio.create_task(self._connection.close())
            self._tasks.append(closing)
            closing.add_done_callback(self._tasks.remove)

    def hurry(self) -> None:
        """Does not wait any longer before the next attempt."""
        if not self.ready:
            self._hurry.set()

    async def _until_ready(self) -> None:
        self.check()
        while not self._ready.is_set():
            await self._ready.wait()
            self.check()
            if self._connection is None or self._connection.ended:
                self._ready.clear()

    async def _keep_connected(self, http: aiohttp.ClientSession) -> None:
        clock, again = asyncio.get_running_loop().time, False
        while True:
            connection: Connection | None = None
            try:
                token = self._tokens.token
                connection = await Connection.open(http, self.url, token, self._hear)
                self._connection = connection
                await self._rejoin(self._insisting(connection))
                began = clock()
                self._ready.set()
                assert self.welcome is not None
                self._tell(Connected(self.welcome.participant, again))
                again = True
                await connection.wait_ended()
                self._backoff.lasted(clock() - began)
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
                async with asyncio.timeout(delay):
                    await self._hurry.wait()
            self._hurry.clear()

    def _insisting(self, connection: Connection) -> Ask:
        """On this connection alone; only a rate limit is waited for."""

        async def ask(event: str, payload: dict[str, Any]) -> Any:
            while True:
                try:
                    return await connection.call(event, payload, self._ack_timeout)
                except ChatError as error:
                    if error.retry_after_ms is None:
                        raise
                    await asyncio.sleep(error.retry_after_ms / 1000)

        return ask

    def _hear(self, name: str, payload: Any) -> None:
        try:
            heard = read_live(name, payload)
        except ValueError:
            log.exception("an event %s that this client cannot read", name)
            return
        match heard:
            case None:
                return
            case Welcome():
                self.welcome = heard
            case ServerDraining():
                self._draining = True
                self._reconnect_after = heard.reconnect_after_ms / 1000
            case _:
                pass
        self._pass_on(heard)

    def _ended(self, keeping: "asyncio.Task[None]") -> None:
        """A defect must not leave everybody waiting."""
        if not keeping.cancelled() and (error := keeping.exception()) is not None:
            log.error("the connection is given up", exc_info=error)
            self._give_up(error if isinstance(error, Exception) else ClientError(repr(error)))

    def _give_up(self, error: Exception) -> None:
        self._failure = error
        self._ready.set()
        self._tell(GaveUp(error))
        self._wake_all()

    def _wake_all(self) -> None:
        self._ready.set()
        self._wake()

    def _tell(self, status: Status) -> None:
        if self._on_status is None:
            return
        try:
            self._on_status(status)
        except Exception:
            # A listener's defect is not the connection's.
            log.exception("on_status raised")
