"""Who runs which reply, and until when: claims and leases, on the `reply` table."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Interval,
    Row,
    Select,
    Text,
    Update,
    all_,
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
from sqlalchemy.dialects.postgresql import ARRAY

from chatserver.chat.models import ReplyState
from chatserver.chat.ports import Claim, Contended
from chatserver.store import schema
from chatserver.store.rows import reply_from

CLAIMS = 0x636C61696D
"""Tells our advisory locks from those of others."""

R = schema.reply.c
RUNNING = R.state == literal_column("'running'")

FENCE = and_(
    R.id == bindparam("held_id"),
    R.state == ReplyState.RUNNING,
    R.owner == bindparam("held_by"),
    R.attempt == bindparam("held_attempt"),
)


def held(claim: Claim) -> dict[str, Any]:
    """What `FENCE` asks for."""
    return {
        "held_id": claim.reply.reply_id,
        "held_by": claim.owner,
        "held_attempt": claim.reply.attempt,
    }


def active(state: ColumnElement[str]) -> ColumnElement[bool]:
    # Literals, not parameters: a partial index serves only queries that spell out its condition.
    return state.in_([literal_column("'queued'"), literal_column("'running'")])


def turn(reply: Any) -> tuple[ColumnElement[Any], ...]:
    """What orders the replies of a session; no two are equal."""
    return reply.prompt_seq, reply.created_at, reply.position, reply.id


class Claims:
    """The part of `chat.ports.Replies` that is about leases.

    `locking`: others may claim at the same time.
    """

    def __init__(self, connection: Connection, *, locking: bool) -> None:
        self._connection = connection
        self._sql = _SHARED if locking else _ALONE

    def claim(
        self, owner: str, now: datetime, lease: timedelta, *, running_each: int
    ) -> Claim | None:
        found = self._next(now, running_each)
        if found is None:
            return None
        attempt = found.attempt + 1
        takeovers = found.takeovers + (found.state == ReplyState.RUNNING)
        self._connection.execute(
            self._sql.take,
            {
                "taken_id": found.id,
                "attempt": attempt,
                "takeovers": takeovers,
                "owner": owner,
                **self._sql.times(now, lease),
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

    def renew(self, claim: Claim, partial: str, now: datetime, lease: timedelta) -> bool | None:
        given = {**held(claim), **self._sql.times(now, lease)}
        if partial:
            found = self._connection.execute(self._sql.checkpoint, {**given, "partial": partial})
        else:
            found = self._connection.execute(self._sql.renew, given)
        stop = found.one_or_none()
        return None if stop is None else bool(stop.stop_requested)

    def _next(self, now: datetime, running_each: int) -> Row[Any] | None:
        given: dict[str, Any] = {"now": now}
        if not running_each:
            return self._connection.execute(self._sql.next, given).one_or_none()
        given["running_each"] = running_each
        if self._sql is _ALONE:
            return self._connection.execute(self._sql.next_of_few, given).one_or_none()
        passed_over: list[str] = []
        contended = False
        while True:
            given["passed_over"] = passed_over
            found = self._connection.execute(self._sql.next_of_few, given).one_or_none()
            if found is None:
                break
            # Never waited for: who holds it may stand still, and this would stand still with it.
            if not self._lock(found.asker):
                contended = True
            elif self._running(found.asker) < running_each:
                return found
            passed_over.append(found.asker)
        if contended:
            raise Contended
        return None

    def _lock(self, asker: str) -> bool:
        """Whether no other worker is claiming for the asker; then none will, until the end."""
        key = func.hashtextextended(asker, CLAIMS)
        return bool(self._connection.scalar(select(func.pg_try_advisory_xact_lock(key))))

    def _running(self, asker: str) -> int:
        counted = select(func.count()).where(R.asker == asker, RUNNING, R.lease_until > _SERVERS)
        return self._connection.scalar(counted) or 0


@dataclass(frozen=True, slots=True)
class _Statements:
    """Made once: to put a statement together costs more than to execute it."""

    next: Select[Any]
    next_of_few: Select[Any]
    take: Update
    renew: Any
    checkpoint: Any

    def times(self, now: datetime, lease: timedelta) -> dict[str, Any]:
        """What the statements that give a lease ask for."""
        return {"lease": lease} if self is _SHARED else {"lease_until": now + lease}


def _next(now: ColumnElement[Any]) -> Select[Any]:
    """What may run now, the oldest first."""
    other = schema.reply.alias("other")
    o = other.c
    lapsed = and_(R.state == ReplyState.RUNNING, R.lease_until <= now)
    busy = exists().where(
        o.session == R.session,
        o.id != R.id,
        active(o.state),
        or_(
            o.state == ReplyState.RUNNING,
            and_(
                o.state == ReplyState.QUEUED,
                tuple_(*turn(o)) < tuple_(*turn(R)),
                R.state == ReplyState.QUEUED,
            ),
        ),
    )
    return (
        select(schema.reply)
        .where(active(R.state), or_(R.state == ReplyState.QUEUED, lapsed), ~busy)
        .order_by(R.created_at, R.id)
        .limit(1)
    )


def _next_of_few(now: ColumnElement[Any]) -> Select[Any]:
    """The same, but for those whose asker has enough of them running."""
    other = schema.reply.alias("beside").c
    have_enough = (
        select(other.asker)
        .where(other.state == literal_column("'running'"), other.lease_until > now)
        .group_by(other.asker)
        .having(func.count() >= bindparam("running_each"))
    )
    return _next(now).where(R.asker.not_in(have_enough))


def _take(until: ColumnElement[Any]) -> Update:
    return (
        update(schema.reply)
        .where(R.id == bindparam("taken_id"))
        .values(
            state=ReplyState.RUNNING,
            attempt=bindparam("attempt"),
            takeovers=bindparam("takeovers"),
            owner=bindparam("owner"),
            lease_until=until,
        )
    )


def _renew(until: ColumnElement[Any]) -> Update:
    return update(schema.reply).where(FENCE).values(lease_until=until)


_SAID = {"partial": bindparam("partial"), "partial_attempt": R.attempt}


def _alone() -> _Statements:
    now = bindparam("now", type_=R.lease_until.type)
    until = bindparam("lease_until", type_=R.lease_until.type)
    renew = _renew(until)
    return _Statements(
        next=_next(now),
        next_of_few=_next_of_few(now),
        take=_take(until),
        renew=renew.returning(R.stop_requested),
        checkpoint=renew.values(**_SAID).returning(R.stop_requested),
    )


_SERVERS: ColumnElement[Any] = func.statement_timestamp(type_=R.lease_until.type)
"""Whose clocks differ must not compare them: leases go by the one clock that all of them see."""


def _shared() -> _Statements:
    until: ColumnElement[Any] = func.statement_timestamp() + bindparam("lease", type_=Interval)
    renew = _renew(until)
    not_passed_over = R.asker != all_(bindparam("passed_over", type_=ARRAY(Text)))

    def unlocked(query: Select[Any]) -> Select[Any]:
        # What another worker is claiming is passed over. That of two replies of one session both
        # look free to two workers is rare, and `uq_reply_running` then refuses the second.
        return query.with_for_update(of=schema.reply, skip_locked=True)

    return _Statements(
        next=unlocked(_next(_SERVERS)),
        next_of_few=unlocked(_next_of_few(_SERVERS).where(not_passed_over)),
        take=_take(until),
        renew=renew.returning(R.stop_requested),
        checkpoint=renew.values(**_SAID).returning(R.stop_requested),
    )


_ALONE, _SHARED = _alone(), _shared()
