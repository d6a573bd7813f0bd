"""The `reply` table: jobs that are leased, fenced and ended exactly once."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    exists,
    func,
    literal_column,
    or_,
    select,
    tuple_,
    update,
)

from chatserver.chat.models import EventType, ParticipantKind, Reply, ReplyError, ReplyState
from chatserver.chat.ports import Claim
from chatserver.store import schema
from chatserver.store.rows import reply_from

CLAIMS = 0x636C61696D
"""Tells our advisory locks from those of others."""

R, E, P = schema.reply.c, schema.event.c, schema.participant.c


def _active(state: ColumnElement[str]) -> ColumnElement[bool]:
    # Literals, not parameters: a partial index serves only queries that spell out its condition.
    return state.in_([literal_column("'queued'"), literal_column("'running'")])


def _turn(reply: Any) -> tuple[ColumnElement[Any], ...]:
    """What orders the replies of a session; no two are equal."""
    return reply.prompt_seq, reply.created_at, reply.position, reply.id


class ReplyRows:
    """`chat.ports.Replies`. Counts in `prompts` what its transaction will have queued.

    With `locking`, a reply that was got or is held stays as it is until the end.
    """

    def __init__(self, connection: Connection, *, locking: bool = False) -> None:
        self._connection = connection
        self._locking = locking
        self.prompts = 0

    def get(self, session_id: str, reply_id: str) -> Reply | None:
        found = self._connection.execute(
            self._locked(select(schema.reply).where(R.id == reply_id, R.session == session_id))
        ).one_or_none()
        return None if found is None else reply_from(found)

    def add(self, reply: Reply, at: datetime, *, asker: str, position: int = 0) -> None:
        self._connection.execute(
            schema.reply.insert().values(
                id=reply.reply_id,
                session=reply.session_id,
                prompt_seq=reply.prompt_seq,
                bot=reply.bot,
                position=position,
                asker=asker,
                state=reply.state,
                attempt=reply.attempt,
                partial=reply.text,
                created_at=at,
            )
        )
        self.prompts += 1

    def active(self, session_id: str) -> list[Reply]:
        rows = self._connection.execute(
            select(schema.reply)
            .where(R.session == session_id, _active(R.state))
            .order_by(*_turn(R))
        )
        return [reply_from(row) for row in rows]

    def newest_of_prompt(
        self, session_id: str, prompt_seq: int, bot: str | None = None
    ) -> Reply | None:
        query = select(schema.reply).where(R.session == session_id, R.prompt_seq == prompt_seq)
        if bot is not None:
            query = query.where(R.bot == bot)
        found = self._connection.execute(
            query.order_by(R.created_at.desc(), R.position, R.id.desc()).limit(1)
        ).one_or_none()
        return None if found is None else reply_from(found)

    def answers(self, session_id: str, prompt_seq: int, bot: str) -> list[int]:
        found = self._connection.scalars(
            select(R.result_seq)
            .where(
                R.session == session_id,
                R.prompt_seq == prompt_seq,
                R.bot == bot,
                R.result_seq.is_not(None),
            )
            .order_by(R.result_seq.desc())
        )
        return list(found)

    def late_answers(self, session_id: str, first_seq: int, prompt_seq: int) -> list[int]:
        found = self._connection.scalars(
            select(R.result_seq)
            .where(
                R.session == session_id,
                R.prompt_seq >= first_seq,
                R.prompt_seq < prompt_seq,
                R.result_seq > prompt_seq,
            )
            .order_by(R.result_seq)
        )
        return list(found)

    def count_active(self, session_id: str) -> int:
        return self._count(R.session == session_id, _active(R.state))

    def count_queued(self) -> int:
        return self._count(_active(R.state), R.state == ReplyState.QUEUED)

    def count_active_of(self, asker: str) -> int:
        return self._count(R.asker == asker, _active(R.state))

    def count_waiting(self, limit: int) -> int:
        some = select(R.id).where(_active(R.state)).limit(limit).subquery()
        return self._connection.scalar(select(func.count()).select_from(some)) or 0

    def count_turns(self, session_id: str) -> int:
        persons_last = (
            select(E.seq)
            .join_from(schema.event, schema.participant, E.sender == P.id)
            .where(
                E.session == session_id,
                E.type == EventType.MESSAGE_CREATED,
                P.kind != ParticipantKind.BOT,
            )
            .order_by(E.seq.desc())
            .limit(1)
            .scalar_subquery()
        )
        return self._count(R.session == session_id, R.prompt_seq > func.coalesce(persons_last, 0))

    def claim(
        self, owner: str, now: datetime, lease_until: datetime, *, running_each: int = 0
    ) -> Claim | None:
        found = self._next(now, running_each)
        if found is None:
            return None
        attempt = found.attempt + 1
        takeovers = found.takeovers + (found.state == ReplyState.RUNNING)
        self._connection.execute(
            _TAKE,
            {
                "taken_id": found.id,
                "attempt": attempt,
                "takeovers": takeovers,
                "owner": owner,
                "lease_until": lease_until,
            },
        )
        reply = reply_from(found).model_copy(
            update={"state": ReplyState.RUNNING, "attempt": attempt, "text": ""}
        )
        return Claim(
            reply=reply,
            owner=owner,
            asker=found.asker,
            earlier=found.partial,
            takeovers=takeovers,
            stop_requested=found.stop_requested,
        )

    def _next(self, now: datetime, running_each: int) -> Row[Any] | None:
        query = _NEXT if not running_each else _NEXT_OF_FEW
        given = {"now": now, "running_each": running_each}
        if not self._locking:
            return self._connection.execute(query, given).one_or_none()
        # What another worker is claiming is passed over. That of two replies of one session both
        # look free to two workers is rare, and `uq_reply_running` then refuses the second.
        query = query.with_for_update(of=schema.reply, skip_locked=True)
        full: list[str] = []
        while (found := self._connection.execute(query, given).one_or_none()) is not None:
            if not running_each or self._has_turn(found.asker, now, running_each, wait=not full):
                return found
            full.append(found.asker)
            query = query.where(R.asker.not_in(full))
        return None

    def _has_turn(self, asker: str, now: datetime, running_each: int, *, wait: bool) -> bool:
        """Whether one more may run for the asker, counted while no other worker claims for them."""
        key = func.hashtextextended(asker, CLAIMS)
        if wait:
            self._connection.execute(select(func.pg_advisory_xact_lock(key)))
        elif not self._connection.scalar(select(func.pg_try_advisory_xact_lock(key))):
            return False  # who holds one asker and waits for another may wait for ever
        running = R.state == literal_column("'running'")
        return self._count(R.asker == asker, running, R.lease_until > now) < running_each

    def _locked(self, query: Select[Any]) -> Select[Any]:
        return query.with_for_update(of=schema.reply) if self._locking else query

    def renew(self, claim: Claim, partial: str, lease_until: datetime) -> bool | None:
        held = {**_held(claim), "lease_until": lease_until}
        if partial:
            found = self._connection.execute(_CHECKPOINT, {**held, "partial": partial})
        else:
            found = self._connection.execute(_RENEW, held)
        stop = found.one_or_none()
        return None if stop is None else bool(stop.stop_requested)

    def holds(self, claim: Claim) -> bool:
        query = self._locked(select(R.id).where(_FENCE))
        return self._connection.scalar(query, _held(claim)) is not None

    def release(self, claim: Claim, partial: str) -> None:
        released = self._connection.execute(
            update(schema.reply)
            .where(_FENCE)
            .values(
                state=ReplyState.QUEUED,
                owner=None,
                lease_until=None,
                **_said(claim, partial),
            ),
            _held(claim),
        )
        # Others begin at once instead of finding it when they look.
        self.prompts += released.rowcount

    def release_orphans(self) -> int:
        found = self._connection.execute(
            update(schema.reply)
            .where(_active(R.state), R.state == ReplyState.RUNNING)
            .values(
                state=ReplyState.QUEUED,
                takeovers=R.takeovers + 1,
                owner=None,
                lease_until=None,
            )
        )
        return found.rowcount

    def request_stop(self, reply_id: str) -> None:
        self._connection.execute(
            update(schema.reply).where(R.id == reply_id).values(stop_requested=True)
        )

    def to_stop(self, owner: str) -> list[str]:
        running = R.state == literal_column("'running'")
        found = self._connection.scalars(
            select(R.id).where(running, R.owner == owner, R.stop_requested)
        )
        return list(found)

    def spend(self, claim: Claim, tokens: int) -> None:
        self._connection.execute(
            update(schema.reply)
            .where(R.id == claim.reply.reply_id)
            .values(tokens=R.tokens + tokens)
        )

    def finish(
        self,
        reply_id: str,
        state: ReplyState,
        at: datetime,
        *,
        result_seq: int | None = None,
        error: ReplyError | None = None,
    ) -> None:
        self._connection.execute(
            update(schema.reply)
            .where(R.id == reply_id)
            .values(
                state=state,
                finished_at=at,
                result_seq=result_seq,
                error=error.model_dump() if error else None,
                owner=None,
                lease_until=None,
                # The text is in the log now; a second copy would outlive its deletion.
                partial="",
            )
        )

    def _count(self, *conditions: ColumnElement[bool]) -> int:
        return self._connection.scalar(select(func.count()).where(*conditions)) or 0


def _said(claim: Claim, partial: str) -> dict[str, Any]:
    return {"partial": partial, "partial_attempt": claim.reply.attempt} if partial else {}


_FENCE = and_(
    R.id == bindparam("held_id"),
    R.state == ReplyState.RUNNING,
    R.owner == bindparam("held_by"),
    R.attempt == bindparam("held_attempt"),
)


def _held(claim: Claim) -> dict[str, Any]:
    """What `_FENCE` asks for."""
    return {
        "held_id": claim.reply.reply_id,
        "held_by": claim.owner,
        "held_attempt": claim.reply.attempt,
    }


def _next() -> Select[Any]:
    """What may run now, the oldest first."""
    other = schema.reply.alias("other")
    o = other.c
    lapsed = and_(R.state == ReplyState.RUNNING, R.lease_until <= bindparam("now"))
    busy = exists().where(
        o.session == R.session,
        o.id != R.id,
        _active(o.state),
        or_(
            o.state == ReplyState.RUNNING,
            and_(
                o.state == ReplyState.QUEUED,
                tuple_(*_turn(o)) < tuple_(*_turn(R)),
                R.state == ReplyState.QUEUED,
            ),
        ),
    )
    return (
        select(schema.reply)
        .where(_active(R.state), or_(R.state == ReplyState.QUEUED, lapsed), ~busy)
        .order_by(R.created_at, R.id)
        .limit(1)
    )


def _next_of_few() -> Select[Any]:
    """The same, but for those whose asker has enough of them running."""
    other = schema.reply.alias("beside").c
    have_enough = (
        select(other.asker)
        .where(other.state == literal_column("'running'"), other.lease_until > bindparam("now"))
        .group_by(other.asker)
        .having(func.count() >= bindparam("running_each"))
    )
    return _next().where(R.asker.not_in(have_enough))


# Made once: to put a statement together costs more than to execute it.
_NEXT, _NEXT_OF_FEW = _next(), _next_of_few()
_TAKE = (
    update(schema.reply)
    .where(R.id == bindparam("taken_id"))
    .values(
        state=ReplyState.RUNNING,
        attempt=bindparam("attempt"),
        takeovers=bindparam("takeovers"),
        owner=bindparam("owner"),
        lease_until=bindparam("lease_until"),
    )
)
_RENEW = (
    update(schema.reply)
    .where(_FENCE)
    .values(lease_until=bindparam("lease_until"))
    .returning(R.stop_requested)
)
_CHECKPOINT = _RENEW.values(partial=bindparam("partial"), partial_attempt=R.attempt)
