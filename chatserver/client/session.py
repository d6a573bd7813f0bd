"""One chat session as a member sees it."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any

from chatserver.chat.commands import History, InviteCreated, Joined, ReplyFound
from chatserver.chat.errors import ChatError, NotFound, Unauthorized
from chatserver.chat.events import PresenceChanged, ReadChanged, SessionDeleted, Signal
from chatserver.chat.models import Event, EventType, Member, Participant, Reply, Session
from chatserver.chat.summary import Summary
from chatserver.client.errors import EventsTakenTwice
from chatserver.client.inflow import Inflow
from chatserver.client.reply import GrowingReply, Replies, ReplyStream
from chatserver.client.wire import read

if TYPE_CHECKING:
    from chatserver.client.client import ChatClient

SEND_SECONDS = 60.0
REPLY_SECONDS = 120.0
SUMMARY_SECONDS = 60.0
PAGE = 200

Watcher = Callable[[Signal], None]
Ask = Callable[[str, dict[str, Any]], Awaitable[Any]]
"""Sends one event on the connection of the moment."""


class EventIterator:
    """Not a generator: breaking out of a loop over it must not keep it open."""

    def __init__(self, next_event: Callable[[], Awaitable[Event | None]]) -> None:
        self._next_event = next_event

    def __aiter__(self) -> "EventIterator":
        return self

    async def __anext__(self) -> Event:
        event = await self._next_event()
        if event is None:
            raise StopAsyncIteration
        return event


class ChatSession:
    """Made by `ChatClient.join` and `ChatClient.create_session`.

    Every method may raise what the server refuses with (`chatserver.chat.errors`) and
    `ConnectionLost`; those that are safe to repeat are repeated after an interruption, all but
    `edit`, `delete_message`, `retry_reply`, `create_invite`, `leave` and `delete`.
    """

    def __init__(self, client: "ChatClient", session_id: str, after_seq: int | None) -> None:
        self.id = session_id
        self.members: dict[str, Member] = {}
        """By participant id, as far as was heard."""
        self._client = client
        self._info: Session | None = None
        self._inflow = Inflow(after_seq)
        self._replies = Replies()
        self._watchers: list[Watcher] = []
        self._taken = False
        self._over = False
        self._error: Exception | None = None

    @property
    def info(self) -> Session:
        """The session's settings as they now are; `last_seq` is the newest event heard of."""
        assert self._info is not None, "only a joined session is handed out"
        return self._info.model_copy(update={"last_seq": self._inflow.known})

    def events(self) -> AsyncIterator[Event]:
        """The durable events in order, each exactly once, from where the join began.

        For one reader: a later iteration goes on where the earlier one stopped, and two that wait
        at once raise `EventsTakenTwice`. What does not fit into the buffer, or came while there was
        no connection, is read from the log. Ends when the session was left or deleted or the client
        was closed; raises what made it impossible to go on (`NotFound`, `TokenExpired`...).
        """
        return EventIterator(self._next_event)

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
        ack = await self._client.send(self.id, payload, within)
        return self._event(ack["message"])

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
            self._replies,
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

    async def set_typing(self, typing: bool) -> None:
        await self._repeat("set_typing", typing=typing)

    async def mark_read(self, seq: int) -> int:
        """Returns where the mark now stands; it never goes back."""
        return int((await self._repeat("mark_read", seq=seq))["seq"])

    async def edit(self, seq: int, text: str) -> Event:
        return self._event((await self._once("edit_message", seq=seq, text=text))["event"])

    async def edit_and_ask(self, seq: int, text: str) -> list[Reply]:
        """Changes one's own message, and whom it asks now answers it again.

        Returns the replies, to be followed by `reply(seq, reply_id=...)`.
        """
        ack = await self._once("edit_message", seq=seq, text=text, ask_again=True)
        return [read(Reply, reply) for reply in ack["replies"]]

    async def keep(self, seq: int) -> Event:
        """Lets bots see a stopped or failed answer from now on."""
        return self._event((await self._once("keep_message", seq=seq))["event"])

    async def delete_message(self, seq: int) -> Event:
        return self._event((await self._once("delete_message", seq=seq))["event"])

    async def stop_reply(self, reply_id: str) -> Reply:
        """Stopping what has ended already changes nothing and says how it ended."""
        return read(Reply, (await self._repeat("stop_reply", reply_id=reply_id))["reply"])

    async def retry_reply(self, reply_id: str) -> Reply:
        """Asks again after a reply that has ended; returns the new one, to be followed by
        `reply(again.prompt_seq, reply_id=again.reply_id)`. Its message takes the place of the old.
        """
        return read(Reply, (await self._once("retry_reply", reply_id=reply_id))["reply"])

    async def update(self, **settings: Any) -> Session:
        """Changes `title`, `visibility`, `reply_policy`, `bot` or `bot_turns`."""
        ack = await self._repeat("update_session", **settings)
        self._info = read(Session, ack["session"])
        return self._info

    async def add_bot(self, bot: str) -> Session:
        """One more bot that can be asked by @name; changes nothing where it is a member."""
        return await self._change_bots("add_bot", bot)

    async def remove_bot(self, bot: str) -> Session:
        """The bot is no longer a member; changes nothing where it was none."""
        return await self._change_bots("remove_bot", bot)

    async def summarize(self) -> Summary:
        """A model may take its time. Raises TimeoutError after 60 s, `ConnectionLost` before."""
        payload = {"session_id": self.id}
        ack = await self._client.once("summarize_session", payload, SUMMARY_SECONDS)
        return read(Summary, ack["summary"])

    async def create_invite(self, expires_in: int | None = None) -> InviteCreated:
        """A code with which others may join a private session; `expires_in` in seconds."""
        more = {} if expires_in is None else {"expires_in": expires_in}
        return read(InviteCreated, await self._once("create_invite", **more))

    async def revoke_invites(self) -> None:
        await self._repeat("revoke_invites")

    async def leave(self) -> None:
        """Stops being a member. `events` ends."""
        await self._once("leave_session")
        self.end(None)

    async def delete(self) -> None:
        """The owner removes the session with all it holds. `events` ends, for everybody."""
        await self._once("delete_session")
        self.end(None)

    def watch(self, watcher: Watcher) -> Callable[[], None]:
        """Calls `watcher` with every ephemeral event of the session; returns how to stop that."""
        self._watchers.append(watcher)
        return lambda: self._watchers.remove(watcher)

    def growing_reply(self, reply_id: str) -> GrowingReply | None:
        """A reply that was heard of lately, as it stands; it goes on changing."""
        return self._replies.find(None, reply_id)

    def running_replies(self) -> list[GrowingReply]:
        """The replies that are being said right now, as far as was heard."""
        return self._replies.running()

    # What the client tells it.

    @property
    def resume_after(self) -> int | None:
        """The last seq it has, for joining again; None before the first join."""
        return self._inflow.tail

    def snapshot(self, joined: Joined) -> None:
        self._info = joined.session
        self.members = {m.participant.id: m for m in joined.members}
        self._inflow.begin(joined.from_seq - 1)
        self._inflow.known = max(self._inflow.known, joined.to_seq)
        for event in joined.events:
            self.hear_event(event)
        self._replies.snapshot(joined.replies)

    async def settle_replies(self, ask: Ask) -> None:
        """Asks what became of the replies that the last join did not list: one that ended without
        a message left nothing in the log.
        """
        for reply_id in tuple(self._replies.doubtful):
            try:
                found = await ask("get_reply", {"session_id": self.id, "reply_id": reply_id})
            except ChatError as error:
                if error.retryable or isinstance(error, Unauthorized):
                    raise
                # Left or deleted meanwhile; that is heard too, and ends the session.
                return
            self._settle(found)

    def hear_event(self, event: Event) -> None:
        self._inflow.offer([event])
        self._follow(event)
        self._replies.read(event)
        self._replies.notify()

    def hear_signal(self, signal: Signal) -> None:
        self._replies.hear(signal)
        match signal:
            case SessionDeleted():
                self.end(None)
            case PresenceChanged():
                self._change_member(signal.participant.id, online=signal.online)
            case ReadChanged():
                self._change_member(signal.participant_id, read_seq=signal.seq)
            case _:
                pass
        for watcher in tuple(self._watchers):
            watcher(signal)

    def end(self, error: Exception | None) -> None:
        """No more will come: left, deleted, or refused with `error`."""
        self._over = True
        self._error = error
        self._client.forget(self)
        self._replies.notify()

    def wake(self) -> None:
        """Makes everybody who waits look at the client again."""
        self._replies.notify()

    def _follow(self, event: Event) -> None:
        data = event.data
        match event.type:
            case EventType.PARTICIPANT_JOINED:
                who = read(Participant, data["participant"])
                known = self.members.get(who.id)
                self.members[who.id] = Member(
                    participant=who,
                    role=data["role"],
                    joined_at=event.created_at,
                    read_seq=data.get("read_seq", known.read_seq if known else 0),
                    online=known.online if known else False,
                )
            case EventType.PARTICIPANT_LEFT:
                self.members.pop(data["participant"]["id"], None)
            case EventType.SESSION_UPDATED:
                if self._info is not None and event.seq >= self._inflow.known:
                    merged = self._info.model_dump() | data
                    self._info = read(Session, merged)
            case _:
                pass

    def _change_member(self, participant_id: str, **change: Any) -> None:
        if member := self.members.get(participant_id):
            self.members[participant_id] = member.model_copy(update=change)

    async def _change_bots(self, event: str, bot: str) -> Session:
        self._info = read(Session, (await self._repeat(event, bot=bot))["session"])
        return self._info

    async def _next_event(self) -> Event | None:
        if self._taken:
            raise EventsTakenTwice("this session's events are being waited for already")
        self._taken = True
        try:
            while True:
                changed = self._replies.changed
                if (event := self._inflow.next()) is not None:
                    return event
                if self._error is not None:
                    raise self._error
                if self._over or self._client.closed:
                    return None
                self._client.check()
                if self._inflow.missing:
                    await self._fill()
                else:
                    await changed.wait()
        finally:
            self._taken = False

    async def _fill(self) -> None:
        page = await self.history(after_seq=self._inflow.tail, limit=PAGE)
        if not page.events:
            # What we heard of is not in the log any more; there is nothing to wait for.
            self._inflow.known = self._inflow.tail or 0
        for event in page.events:
            self.hear_event(event)

    async def _look_up_reply(self, prompt_seq: int, reply_id: str | None, bot: str | None) -> None:
        """Asks how that reply stands, or else the newest to the prompt."""
        of_prompt = {"prompt_seq": prompt_seq, "bot": bot}
        which = of_prompt if reply_id is None else {"reply_id": reply_id}
        ack = await self._repeat("get_reply", **which)
        self._settle(ack)

    def _settle(self, ack: Any) -> None:
        if (outcome := read(ReplyFound, ack).reply) is not None:
            self._replies.settle(outcome)

    def _check(self) -> None:
        if self._error is not None:
            raise self._error
        if self._over:
            raise NotFound("the session was left or deleted")
        self._client.check()

    def _event(self, wire: Any) -> Event:
        return read(Event, wire)

    async def _repeat(self, event: str, **payload: Any) -> Any:
        return await self._client.repeat(event, {"session_id": self.id, **payload})

    async def _once(self, event: str, **payload: Any) -> Any:
        return await self._client.once(event, {"session_id": self.id, **payload})
