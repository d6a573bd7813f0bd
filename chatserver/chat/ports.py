"""What the domain needs from outside, as protocols with their promises.

The store's vocabulary is split by noun (`Sessions`, `Members`, `Log`, `Replies`, `Tokens`,
`Invites`); a `Transaction` holds one of each, all bound to the same database transaction.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar, runtime_checkable

from chatserver.chat.events import EventData, Signal
from chatserver.chat.models import (
    BotInfo,
    Event,
    Member,
    Participant,
    Reply,
    ReplyError,
    ReplyState,
    Role,
    Session,
    SessionOverview,
)
from chatserver.chat.summary import Digest

T = TypeVar("T")


class Clock(Protocol):
    def now(self) -> datetime:
        """Wall time, timezone-aware UTC, for what people and other machines read."""
        ...

    def monotonic(self) -> float:
        """Seconds that never jump, for deadlines and rates."""
        ...


@dataclass(frozen=True, slots=True)
class TokenRecord:
    participant: Participant
    expires_at: datetime
    revoked: bool


@dataclass(frozen=True, slots=True)
class ParticipantCount:
    """How much one participant said in a session."""

    participant: Participant
    messages: int


@dataclass(frozen=True, slots=True)
class Memory:
    """A bot's summary of a session, of nothing later than `through_seq`."""

    through_seq: int
    text: str
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Claim:
    """A reply that this worker may run until `lease_until`; `(attempt, owner)` is its fence."""

    reply: Reply
    owner: str
    asker: str
    """The id of who waits for it."""
    earlier: str
    """What an earlier attempt had said when it was interrupted."""
    takeovers: int
    """How often its worker died over it."""
    stop_requested: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """The replies somebody asked for, and the tokens these have used."""

    replies: int
    tokens: int


class Sessions(Protocol):
    def get(self, session_id: str) -> Session | None: ...
    def add(self, session: Session) -> None: ...
    def save_settings(self, session: Session) -> None: ...
    def delete(self, session_id: str, at: datetime) -> None:
        """Removes everything the session holds; its id is never used again."""
        ...

    def overview(
        self, participant_id: str, before: tuple[datetime, str] | None, limit: int
    ) -> list[SessionOverview]:
        """Those the participant is a member of, newest activity first."""
        ...

    def public(
        self, participant_id: str, before: tuple[datetime, str] | None, limit: int
    ) -> list[SessionOverview]: ...
    def last_seqs(self, session_ids: Sequence[str]) -> dict[str, int]: ...


class Members(Protocol):
    def role(self, session_id: str, participant_id: str) -> Role | None: ...
    def all(self, session_id: str) -> list[Member]: ...
    def bots(self, session_id: str) -> list[str]:
        """The names of the bots among the members, longest there first."""
        ...

    def count(self, session_id: str) -> int: ...
    def count_sessions(self, participant_id: str) -> int: ...
    def put(self, session_id: str, participant_id: str, role: Role, at: datetime) -> int:
        """Makes somebody a member (again), or gives a member another role.

        Returns their read mark, which outlives an absence.
        """
        ...

    def end(self, session_id: str, participant_id: str, at: datetime) -> None: ...
    def mark_read(self, session_id: str, participant_id: str, seq: int) -> int:
        """Raises the mark to `seq`, at most to the session's last; returns where it now stands."""
        ...


class Log(Protocol):
    """The events of sessions. `append` alone gives out sequence numbers."""

    def append(self, session_id: str, sender: Participant, data: EventData, at: datetime) -> Event:
        """Assigns the next `seq` of the session within this transaction."""
        ...

    def get(self, session_id: str, seq: int) -> Event | None: ...
    def after(self, session_id: str, after_seq: int, limit: int) -> list[Event]:
        """Ascending from `after_seq + 1`."""
        ...

    def before(self, session_id: str, before_seq: int | None, limit: int) -> list[Event]:
        """The newest below `before_seq` (None: of all), ascending."""
        ...

    def messages(self, session_id: str, before_seq: int | None, limit: int) -> list[Event]:
        """The newest messages below `before_seq` that were not deleted, ascending."""
        ...

    def counts(self, session_id: str) -> list[ParticipantCount]: ...
    def message_span(self, session_id: str) -> tuple[datetime, datetime] | None:
        """The times of the first and of the last message."""
        ...

    def edit(self, session_id: str, seq: int, text: str, at: datetime) -> None:
        """Changes the text. Memories that the old one may be in are removed."""
        ...

    def keep(self, session_id: str, seq: int) -> None:
        """Marks an unfinished message as kept."""
        ...

    def erase(self, session_id: str, seq: int, at: datetime) -> None:
        """Removes the text from the message and from every edit of it, and with them the memories
        that it may be in."""
        ...


class Replies(Protocol):
    def get(self, session_id: str, reply_id: str) -> Reply | None: ...
    def add(self, reply: Reply, at: datetime, *, asker: str, position: int = 0) -> None:
        """Queues a reply. `asker` is who waits for it, `position` its place among those that the
        same prompt asked for."""
        ...

    def active(self, session_id: str) -> list[Reply]:
        """Those that wait or run, in the order in which they run."""
        ...

    def newest_of_prompt(
        self, session_id: str, prompt_seq: int, bot: str | None = None
    ) -> Reply | None:
        """Of this bot or of all; of those that were queued together, the first."""
        ...

    def answers(self, session_id: str, prompt_seq: int, bot: str) -> list[int]:
        """The seqs of the messages in which replies of this bot to the prompt ended, newest
        first."""
        ...

    def late_answers(self, session_id: str, first_seq: int, prompt_seq: int) -> list[int]:
        """The seqs of the messages beyond `prompt_seq` that answer prompts from `first_seq` on and
        before it, ascending."""
        ...

    def count_active(self, session_id: str) -> int: ...
    def count_queued(self) -> int:
        """Of all sessions."""
        ...

    def count_active_of(self, asker: str) -> int:
        """Those that somebody waits for."""
        ...

    def count_waiting(self, limit: int) -> int:
        """Those that wait or run, of all sessions; not counted beyond `limit`."""
        ...

    def count_turns(self, session_id: str) -> int:
        """The replies to bots since a person last said something."""
        ...

    def claim(
        self, owner: str, now: datetime, lease_until: datetime, *, running_each: int = 0
    ) -> Claim | None:
        """The next reply to run, oldest first.

        Never one whose session has another running or an earlier one waiting: one to an earlier
        prompt, or to the same one that was queued before it or has a lower position. A running
        reply whose lease ended counts as waiting. Never one whose asker has `running_each` running
        already (0: no limit), those whose lease ended aside. Raises its attempt by one and makes
        `owner` its holder.
        """
        ...

    def renew(self, claim: Claim, partial: str, lease_until: datetime) -> bool | None:
        """Extends the lease and checkpoints the text, unless it is empty: then what an earlier
        attempt had said stays. Returns whether a stop was asked for.

        None: the fence does not hold, the reply belongs to another attempt by now.
        """
        ...

    def holds(self, claim: Claim) -> bool: ...
    def release(self, claim: Claim, partial: str) -> None:
        """Hands a running reply back to the queue at once, with the text so far as in `renew`."""
        ...

    def release_orphans(self) -> int:
        """Hands back every running reply; how many there were. Only where no worker can be alive,

        as after the restart of a server that owns its database alone.
        """
        ...

    def request_stop(self, reply_id: str) -> None: ...
    def to_stop(self, owner: str) -> list[str]:
        """The ids of those that `owner` runs and that a stop was asked for."""
        ...

    def spend(self, claim: Claim, tokens: int) -> None:
        """Notes what an attempt used, also where the reply belongs to another by now."""
        ...

    def finish(
        self,
        reply_id: str,
        state: ReplyState,
        at: datetime,
        *,
        result_seq: int | None = None,
        error: ReplyError | None = None,
    ) -> None: ...


class Tokens(Protocol):
    def add(self, digest: bytes, participant: Participant, at: datetime, until: datetime) -> None:
        """Stores a token, and its participant where new."""
        ...

    def find(self, digest: bytes) -> TokenRecord | None: ...
    def extend(self, digest: bytes, until: datetime) -> None: ...
    def revoke(self, digest: bytes, at: datetime) -> None: ...
    def ensure_participant(self, participant: Participant, at: datetime) -> None: ...


class Invites(Protocol):
    def add(
        self, digest: bytes, session_id: str, created_by: str, at: datetime, until: datetime
    ) -> None: ...
    def valid(self, digest: bytes, session_id: str, now: datetime) -> bool: ...
    def count_valid(self, session_id: str, now: datetime) -> int: ...
    def revoke_all(self, session_id: str) -> None: ...


class Memories(Protocol):
    """One to a bot of a session. A session's end is theirs, and see `Log` for what else is."""

    def get(self, session_id: str, bot: str) -> Memory | None: ...
    def put(self, session_id: str, bot: str, memory: Memory) -> None:
        """Takes the place of what the bot remembered."""
        ...


class Usage(Protocol):
    """What the replies used that somebody asked for, by day (UTC). Outlives their sessions."""

    def of(self, participant_id: str, now: datetime) -> Asked:
        """Today's."""
        ...

    def add(
        self, participant_id: str, now: datetime, *, replies: int = 0, tokens: int = 0
    ) -> None: ...


class Transaction(Protocol):
    """One database transaction; all or nothing.

    In `Store.transact`, once a session was got by `sessions.get`, it, its members and its log are
    changed by nobody else until the end; the same for a reply by `replies.get` or `holds`. So what
    a rule is asked about comes after that. Who needs both gets the session first, or two
    transactions may wait for each other until the database ends one (and it is made again).
    """

    @property
    def sessions(self) -> Sessions: ...
    @property
    def members(self) -> Members: ...
    @property
    def log(self) -> Log: ...
    @property
    def replies(self) -> Replies: ...
    @property
    def tokens(self) -> Tokens: ...
    @property
    def invites(self) -> Invites: ...
    @property
    def memories(self) -> Memories: ...
    @property
    def usage(self) -> Usage: ...


@dataclass(frozen=True, slots=True)
class MessageDraft:
    """A message on its way into the log."""

    session_id: str
    sender: Participant
    text: str
    client_message_id: str
    reply_to: int | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Appended:
    message: Event
    duplicate: bool


@dataclass(frozen=True, slots=True)
class Commit:
    """What one committed transaction added."""

    events: tuple[Event, ...]
    prompts: int
    """Replies that now wait for a worker."""


CommitListener = Callable[[Commit], None]


class Store(Protocol):
    """The truth. Every method may raise `Unavailable`, after which nothing was changed.

    (A store whose database was lost in the middle of a commit finds out what became of it. Where
    it cannot, it says so in the message, and the change may have been made.)
    """

    async def transact(self, work: Callable[[Transaction], T]) -> T:
        """Runs `work` in one transaction. Returns only after the commit is on disk (G1).

        An exception of `work` rolls it back and is raised here. `work` must be quick, free of side
        effects (it may be run again), and may run in another thread.
        """
        ...

    async def read(self, work: Callable[[Transaction], T]) -> T:
        """Runs `work` on one consistent snapshot, beside the writer. `work` must not write."""
        ...

    async def append_message(self, draft: MessageDraft) -> Appended:
        """The hot path: rules, dedup, `seq`, event and reply job in one transaction (G1, G2).

        Raises what `messages.admit` raises, `Conflict` where the client_message_id was used for
        another body, and `Busy` or `QuotaExceeded` where it asks for more replies than it may.
        """
        ...

    def subscribe(self, listener: CommitListener) -> None:
        """`listener` hears of every commit of this process, on the event loop, in commit order,

        after the commit and before the call that caused it returns.
        """
        ...


class Feed(Protocol):
    """Ephemeral events. (The durable ones reach the feed from the store, by `subscribe`.)"""

    def signal(self, session_id: str, signal: Signal) -> None:
        """Tells everyone in the session's room. Never blocks, never fails."""
        ...

    def notify(self, participant_id: str, signal: Signal) -> None:
        """Tells all connections of one participant."""
        ...

    def close_session(self, session_id: str) -> None:
        """Empties the room of a session that is gone. Its members are told by `notify`."""
        ...

    def drop_token(self, digest: bytes) -> None:
        """Ends all connections that came with this token."""
        ...

    async def online(self, session_id: str) -> frozenset[str]:
        """The ids of the participants whose connections are in the room, on any instance.

        Takes a moment at most; those not heard of by then are missing.
        """
        ...


class ReplyNudge(Protocol):
    def stop_requested(self, reply_id: str) -> None:
        """Tells whoever runs this reply to look at its stored stop mark now."""
        ...


def unpaid(tokens: int) -> None:
    """Where nobody counts."""


@dataclass(frozen=True, slots=True)
class ReplyContext:
    """What a bot gets to see: the messages of the conversation (see there) up to the prompt."""

    session: Session
    prompt: Event
    messages: tuple[Event, ...]
    memory: Memory | None = None
    """What it remembers of earlier ones. Made of what people wrote, and as little to be obeyed."""
    spend: Callable[[int], None] = unpaid
    """To be told of the tokens that the reply uses, as often as there is something to tell."""


class BotError(Exception):
    """A bot will not answer. The person sees `code` and `message`; the cause goes to the log."""

    def __init__(self, code: str, message: str, *, retryable: bool) -> None:
        super().__init__(message)
        self.error = ReplyError(code=code, message=message, retryable=retryable)


class Bot(Protocol):
    @property
    def info(self) -> BotInfo: ...
    def reply(self, context: ReplyContext) -> AsyncIterator[str]:
        """Yields the reply piece by piece. Raises `BotError` where there will be none.

        The caller closes the iterator on every way out.
        """
        ...


@runtime_checkable
class RememberingBot(Bot, Protocol):
    """A bot that can sum up what it is no longer shown."""

    @property
    def remembers(self) -> bool:
        """Whether it is meant to."""
        ...

    def shown_from(self, context: ReplyContext) -> int:
        """The `seq` from which on it goes on to be shown the messages after a reply."""
        ...

    async def fold(self, memory: str | None, turns: Sequence[Event]) -> str:
        """What is to be remembered of both together; never blank. Raises `BotError`.

        May take as long as a reply. Nothing that the turns say changes what it does.
        """
        ...


class Bots(Protocol):
    """The bots of this server, by name."""

    @property
    def default(self) -> str | None: ...
    def all(self) -> list[BotInfo]: ...
    def get(self, name: str) -> Bot | None: ...


class Titler(Protocol):
    async def title(self, messages: Sequence[Event]) -> str:
        """A title for a session that begins with these messages, as `titles.clean_title` makes it;
        empty where nothing suits. May take seconds."""
        ...


class Summarizer(Protocol):
    async def digest(self, messages: Sequence[Event], asker: str) -> Digest:
        """What the messages are about, for that participant. May take seconds; never blocks the
        event loop.
        """
        ...
