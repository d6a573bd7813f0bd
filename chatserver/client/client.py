"""ChatClient: who one is, the connection that is kept up, and the sessions on it."""

import asyncio
from collections.abc import Callable
from typing import Any, Unpack
from urllib.parse import urlsplit

from chatserver.chat.commands import SessionPage
from chatserver.chat.events import Welcome
from chatserver.chat.models import Participant, Session
from chatserver.client.backoff import Backoff
from chatserver.client.calls import CALL_SECONDS, Calls
from chatserver.client.errors import BadAddress, NotConnected
from chatserver.client.joined import JoinedSessions
from chatserver.client.link import Link, StatusListener
from chatserver.client.session import ChatSession
from chatserver.client.settings import NewSettings
from chatserver.client.state import Watcher, watching
from chatserver.client.tokens import TokenKeeper
from chatserver.client.wire import read

ACK_SECONDS = 10.0
"""Silence after which an event counts as not acknowledged."""


class ChatClient:
    """A participant's connection to a chat server. Use as an async context manager.

    With `name` it gets itself a guest's token; with `token` it uses that one. The token is renewed
    when half of its life is over. A lost connection is made again with growing, jittered delays,
    also where the server ended it, and every session is joined again with the last seq it has.

    Raises `BadAddress` for a `url` that cannot be one.
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
        self.url = _checked(url).rstrip("/")
        self._connect_timeout = connect_timeout
        self._tokens = TokenKeeper(self.url, name=name, token=token)
        self._joined = JoinedSessions()
        self._link = Link(
            self.url,
            self._tokens,
            ack_timeout=ack_timeout,
            backoff=backoff or Backoff(),
            on_status=on_status,
            hear=self._joined.hear,
            rejoin=self._joined.rejoin,
            wake=self._joined.wake,
        )
        self._calls = Calls(self._link, ack_timeout)

    @property
    def welcome(self) -> Welcome | None:
        """What the server said about itself, its limits and its bots when we last connected."""
        return self._link.welcome

    @property
    def participant(self) -> Participant:
        """Who one is; known once connected."""
        if self.welcome is None:
            raise NotConnected("not connected yet")
        return self.welcome.participant

    @property
    def token(self) -> str:
        """The bearer token, for REST or for another client of the same participant."""
        return self._tokens.token

    @property
    def connected(self) -> bool:
        """Whether there is a connection, with all sessions joined on it."""
        return self._link.ready

    @property
    def closed(self) -> bool:
        """Whether it was closed, by `close` or by the end of its context."""
        return self._link.closed

    async def __aenter__(self) -> "ChatClient":
        if self._link.begun:
            raise RuntimeError("a client is entered once; make another one")
        try:
            async with asyncio.timeout(self._connect_timeout):
                await self._link.open()
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
        await self._link.close()

    async def create_session(self, title: str = "", **settings: Unpack[NewSettings]) -> ChatSession:
        """A session of one's own, joined from its first event on.

        `settings`: `bot` (None: nobody answers), `visibility` ("private", "link", "public"),
        `reply_policy` ("always", "mention", "off"), `bot_turns`. Not repeated after a lost
        connection: `ConnectionLost` may leave a session behind that `list_sessions` shows.
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
        return await self._joined.join(self._calls, session_id, after_seq, invite)

    async def list_sessions(
        self, *, before: str | None = None, limit: int = 50, scope: str = "mine"
    ) -> SessionPage:
        """One's own sessions or, with `scope="public"`, the public ones; newest activity first."""
        payload = {"limit": limit, "scope": scope, **({"before": before} if before else {})}
        return read(SessionPage, await self.repeat("list_sessions", payload))

    def sessions(self) -> list[Session]:
        """The sessions that are joined here."""
        return [session.info for session in self._joined.all()]

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Calls `watcher` with every ephemeral event that is about no joined session, such as
        `session_added`, after each `welcome` too; returns how to stop that.
        """
        return watching(self._joined.watchers, watcher)

    def check(self) -> None:
        """Raises what made the client give up, if it did, and `NotConnected` once closed."""
        self._link.check()

    def reconnect_now(self) -> None:
        """Does not wait any longer before the next attempt, as when a network came back."""
        self._link.hurry()

    async def once(self, event: str, payload: dict[str, Any], within: float | None = None) -> Any:
        """Sends an event for which there is no method, and never again; returns its ack's data.

        Raises a `ChatError`, `ConnectionLost`, or TimeoutError (it may have taken effect then),
        after `within` seconds without an ack; the client's own timeout where None.
        """
        return await self._calls.once(event, payload, within)

    async def repeat(self, event: str, payload: dict[str, Any]) -> Any:
        """The same for events that may be repeated: until there is an ack, for at most 30 s."""
        return await self._calls.repeat(event, payload)


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        is_one = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # such as a port that is no number
        is_one = False
    if not is_one:
        raise BadAddress(url)
    return url
