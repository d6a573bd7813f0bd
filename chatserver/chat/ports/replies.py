"""Reply jobs, as a transaction sees them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from chatserver.chat.models import Reply, ReplyError, ReplyState


@dataclass(frozen=True, slots=True)
class Claim:
    """A reply that this worker may run while its lease lasts; `(attempt, owner)` is its fence."""

    reply: Reply
    owner: str
    asker: str
    """The id of who waits for it."""
    earlier: str
    """What an earlier attempt had said when it was interrupted."""
    takeovers: int
    """How often its worker died over it."""
    stop_requested: bool


class Contended(Exception):
    """Others are claiming at this moment what could be claimed; worth another look soon."""


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
        self, owner: str, now: datetime, lease: timedelta, *, running_each: int = 0
    ) -> Claim | None:
        """The next reply to run, oldest first. Locks no session: who holds one keeps nobody
        from claiming.

        Never one whose session has another running or an earlier one waiting: one to an earlier
        prompt, or to the same one that was queued before it or has a lower position. A running
        reply whose lease ended counts as waiting. Never one whose asker has `running_each` running
        already (0: no limit), those whose lease ended aside. Raises its attempt by one and makes
        `owner` its holder.

        Raises `Contended` where it found nothing but replies of askers for whom others claim.

        A lease begins `now`; where several processes may write, their clocks may differ, and it
        begins and ends by the database's clock instead.
        """
        ...

    def renew(self, claim: Claim, partial: str, now: datetime, lease: timedelta) -> bool | None:
        """Has the lease begin anew, as in `claim`, and checkpoints the text, unless it is empty:
        then what an earlier attempt had said stays. Returns whether a stop was asked for.

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
