"""Transactions, and what commits them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeVar

from chatserver.chat.models import Event, Participant
from chatserver.chat.ports.access import Invites, Tokens
from chatserver.chat.ports.archives import Archives
from chatserver.chat.ports.log import Log
from chatserver.chat.ports.memories import Memories
from chatserver.chat.ports.replies import Replies
from chatserver.chat.ports.sessions import Members, Sessions
from chatserver.chat.ports.usage import Usage

T = TypeVar("T")


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
    @property
    def archives(self) -> Archives: ...


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
        """`listener` hears of every commit of this process, on the event loop, after the commit and

        before the call that caused it returns. It must neither block nor raise.

        Messages of one session that were appended are told in the order of its log. Where several
        may write, a transaction's events may be told after those of one that followed it; and what
        others commit is not told at all. Whoever tells clients goes by `seq`.
        """
        ...
