"""One chat session as a member sees it."""

import secrets
from collections.abc import AsyncIterator, Callable
from typing import Any, Unpack

from chatserver.chat.commands import History, InviteCreated
from chatserver.chat.errors import ChatError
from chatserver.chat.models import Event, Member, Reply, Session
from chatserver.chat.summary import Summary
from chatserver.client.calls import Calls
from chatserver.client.errors import ClientError, NotConnected
from chatserver.client.reader import EventIterator, Reader
from chatserver.client.replies import GrowingReply
from chatserver.client.reply import ReplyStream
from chatserver.client.search import Found, search
from chatserver.client.settings import ChangedSettings
from chatserver.client.state import SessionState, Watcher, watching
from chatserver.client.wire import read

SEND_SECONDS = 60.0
REPLY_SECONDS = 120.0
SUMMARY_SECONDS = 60.0


class ChatSession:
    """Made by `ChatClient.join` and `ChatClient.create_session`.

    Every method may raise what the server refuses with (`ChatError`) and `ConnectionLost`; those
    that are safe to repeat are repeated after an interruption, for at most 30 s, all but `edit`,
    `edit_and_ask`, `keep`, `delete_message`, `retry_reply`, `create_invite`, `leave` and `delete`.
    """

    def __init__(self, state: SessionState, calls: Calls) -> None:
        self._state = state
        self._calls = calls
        self._reader = Reader(state, calls, self._page_after)

    @property
    def id(self) -> str:
        """What others need to join it, where it is not private."""
        return self._state.id

    @property
    def info(self) -> Session:
        """The session's settings as they now are; `last_seq` is the newest event heard of."""
        return self._state.info

    @property
    def members(self) -> dict[str, Member]:
        """By participant id, as far as was heard."""
        return self._state.members

    @property
    def waiting(self) -> int:
        """How many durable events were heard of that `events` has not handed out yet."""
        return self._state.inflow.waiting

    def events(self) -> AsyncIterator[Event]:
        """The durable events in order, each exactly once, from where the join began.

        For one reader: a later iteration goes on where the earlier one stopped, and two that wait
        at once raise `EventsTakenTwice`. What does not fit into the buffer, or came while there was
        no connection, is read from the log. Ends when the session was left or deleted or the client
        was closed; raises what made it impossible to go on (`NotFound`, `TokenExpired`...).
        """
        return EventIterator(self._reader.next)

    async def send(
        self,
        text: str,
        client_message_id: str | None = None,
        *,
        reply_to: int | None = None,
        within: float = SEND_SECONDS,
    ) -> Event:
        """Says `text` and returns its Event, which is durable then. Stored once, however often
        it had to be repeated.

        Repeats under the same id after a lost connection, a missing ack and retryable refusals.
        Raises `NotAcknowledged`, with the id, after `within` seconds; refusals at once.
        Concurrent sends of one client may overtake each other where one had to be repeated.
        """
        message_id = client_message_id or secrets.token_urlsafe(12)
        payload: dict[str, Any] = {"text": text, "client_message_id": message_id}
        if reply_to is not None:
            payload["reply_to"] = reply_to
        ack = await self._calls.send(self.id, payload, within)
        return read(Event, ack["message"])

    def reply(
        self,
        prompt: Event | int,
        *,
        reply_id: str | None = None,
        bot: str | None = None,
        timeout: float = REPLY_SECONDS,
    ) -> ReplyStream:
        """The reply to a message as it is being said; see `ReplyStream`.

        Only a message that a bot answers gets one: those it mentions, or else the session's own as
        its reply policy decides. Where several answer, `bot` says whose reply is meant.
        """
        return ReplyStream(
            self._state.replies,
            self._look_up_reply,
            self._check,
            prompt_seq=prompt if isinstance(prompt, int) else prompt.seq,
            reply_id=reply_id,
            bot=bot,
            timeout=timeout,
        )

    async def history(
        self, *, before_seq: int | None = None, after_seq: int | None = None, limit: int = 50
    ) -> History:
        """A page of the log, ascending: the newest before one seq, or the first after another."""
        bounds = {"before_seq": before_seq, "after_seq": after_seq}
        given = {key: value for key, value in bounds.items() if value is not None}
        return read(History, await self._repeat("get_history", **given, limit=limit))

    async def search(
        self, words: str, *, before_seq: int | None = None, limit: int = 20, scan: int = 2_000
    ) -> Found:
        """The newest messages, before one seq if given, that have all the words, in any case.

        Looks at `scan` events at most, page by page; `Found.next` is where to go on. Texts are
        looked at as they now stand, edited or deleted.
        """

        async def page_before(seq: int | None, size: int) -> History:
            return await self.history(before_seq=seq, limit=size)

        return await search(page_before, words, before_seq=before_seq, limit=limit, scan=scan)

    async def set_typing(self, typing: bool) -> None:
        """Tells the others that one is writing; that ends by itself after a few seconds."""
        await self._repeat("set_typing", typing=typing)

    async def mark_read(self, seq: int) -> int:
        """One has read up to `seq`. Returns where the mark now stands; it never goes back."""
        return int((await self._repeat("mark_read", seq=seq))["seq"])

    async def edit(self, seq: int, text: str) -> Event:
        """Changes the text of one's own message; returns the event that says so."""
        return read(Event, (await self._once("edit_message", seq=seq, text=text))["event"])

    async def edit_and_ask(self, seq: int, text: str) -> list[Reply]:
        """Changes one's own message, and whom it asks now answers it again.

        Returns the replies, to be followed by `reply(seq, reply_id=...)`.
        """
        ack = await self._once("edit_message", seq=seq, text=text, ask_again=True)
        return [read(Reply, reply) for reply in ack["replies"]]

    async def keep(self, seq: int) -> Event:
        """Lets bots see a stopped or failed answer from now on."""
        return read(Event, (await self._once("keep_message", seq=seq))["event"])

    async def delete_message(self, seq: int) -> Event:
        """Erases the text of one's own message, or of any as the owner."""
        return read(Event, (await self._once("delete_message", seq=seq))["event"])

    async def stop_reply(self, reply_id: str) -> Reply:
        """Ends a reply where it is. One that has ended stays as it is; returns how it ended."""
        return read(Reply, (await self._repeat("stop_reply", reply_id=reply_id))["reply"])

    async def retry_reply(self, reply_id: str) -> Reply:
        """Asks again after a reply that has ended; returns the new one, to be followed by
        `reply(again.prompt_seq, reply_id=again.reply_id)`. Its message takes the place of the old.
        """
        return read(Reply, (await self._once("retry_reply", reply_id=reply_id))["reply"])

    async def update(self, **settings: Unpack[ChangedSettings]) -> Session:
        """Changes `title`, `visibility`, `reply_policy`, `bot` or `bot_turns`."""
        ack = await self._repeat("update_session", **settings)
        self._state.info = read(Session, ack["session"])
        return self._state.info

    async def add_bot(self, bot: str) -> Session:
        """One more bot that can be asked by @name; changes nothing where it is a member."""
        return await self._change_bots("add_bot", bot)

    async def remove_bot(self, bot: str) -> Session:
        """The bot is no longer a member; changes nothing where it was none."""
        return await self._change_bots("remove_bot", bot)

    async def summarize(self) -> Summary:
        """Counts, topics and highlights; a model may take its time.

        Raises TimeoutError after 60 s, `ConnectionLost` before.
        """
        payload = {"session_id": self.id}
        ack = await self._calls.once("summarize_session", payload, SUMMARY_SECONDS)
        return read(Summary, ack["summary"])

    async def create_invite(self, expires_in: int | None = None) -> InviteCreated:
        """A code with which others may join a private session; `expires_in` in seconds."""
        more = {} if expires_in is None else {"expires_in": expires_in}
        return read(InviteCreated, await self._once("create_invite", **more))

    async def revoke_invites(self) -> None:
        """Makes all codes of the session worthless."""
        await self._repeat("revoke_invites")

    async def leave(self) -> None:
        """Stops being a member. `events` ends.

        Where the connection ends before the ack, it is asked for again when there is another one,
        and the session is not joined on that.
        """
        state = self._state
        state.check()
        state.leaving = True
        try:
            await self._once("leave_session")
        except (ChatError, ClientError, TimeoutError) as error:
            if state.over:
                return  # that one left was heard all the same
            # Refused, or never sent: one is a member as before.
            state.leaving = not isinstance(error, ChatError | NotConnected)
            raise
        state.end(None)

    async def delete(self) -> None:
        """The owner removes the session with all it holds. `events` ends, for everybody."""
        await self._once("delete_session")
        self._state.end(None)

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Calls `watcher` with every ephemeral event of the session; returns how to stop that."""
        return watching(self._state.watchers, watcher)

    def growing_reply(self, reply_id: str) -> GrowingReply | None:
        """A reply that was heard of lately, as it stands; it goes on changing."""
        return self._state.replies.find(None, reply_id)

    def running_replies(self) -> list[GrowingReply]:
        """The replies that are being said right now, as far as was heard."""
        return self._state.replies.running()

    async def _change_bots(self, event: str, bot: str) -> Session:
        self._state.info = read(Session, (await self._repeat(event, bot=bot))["session"])
        return self._state.info

    async def _look_up_reply(self, prompt_seq: int, reply_id: str | None, bot: str | None) -> None:
        """Asks how that reply stands, or else the newest to the prompt."""
        of_prompt = {"prompt_seq": prompt_seq, "bot": bot}
        which = of_prompt if reply_id is None else {"reply_id": reply_id}
        ack = await self._repeat("get_reply", **which)
        self._state.settle(ack)

    def _check(self) -> None:
        self._state.check()
        self._calls.check()

    async def _page_after(self, seq: int | None, limit: int) -> list[Event]:
        return (await self.history(after_seq=seq, limit=limit)).events

    async def _repeat(self, event: str, **payload: Any) -> Any:
        return await self._calls.repeat(event, {"session_id": self.id, **payload})

    async def _once(self, event: str, **payload: Any) -> Any:
        return await self._calls.once(event, {"session_id": self.id, **payload})
