"""The `reply` table: jobs that are leased, fenced and ended exactly once."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    func,
    select,
    update,
)

from chatserver.chat.models import EventType, ParticipantKind, Reply, ReplyError, ReplyState
from chatserver.chat.ports import Claim
from chatserver.store import schema
from chatserver.store.claims import FENCE, RUNNING, Claims, active, held, turn
from chatserver.store.rows import reply_from

R, E, P = schema.reply.c, schema.event.c, schema.participant.c


class ReplyRows:
    """`chat.ports.Replies`. Counts in `prompts` what its transaction will have queued.

    With `locking`, a reply that was got or is held stays as it is until the end.
    """

    def __init__(self, connection: Connection, *, locking: bool = False) -> None:
        self._connection = connection
        self._locking = locking
        self._claims = Claims(connection, locking=locking)
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
            select(schema.reply).where(R.session == session_id, active(R.state)).order_by(*turn(R))
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
        return self._count(R.session == session_id, active(R.state))

    def count_queued(self) -> int:
        return self._count(active(R.state), R.state == ReplyState.QUEUED)

    def count_active_of(self, asker: str) -> int:
        return self._count(R.asker == asker, active(R.state))

    def count_waiting(self, limit: int) -> int:
        some = select(R.id).where(active(R.state)).limit(limit).subquery()
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
        self, owner: str, now: datetime, lease: timedelta, *, running_each: int = 0
    ) -> Claim | None:
        return self._claims.claim(owner, now, lease, running_each=running_each)

    def _locked(self, query: Select[Any]) -> Select[Any]:
        return query.with_for_update(of=schema.reply) if self._locking else query

    def renew(self, claim: Claim, partial: str, now: datetime, lease: timedelta) -> bool | None:
        return self._claims.renew(claim, partial, now, lease)

    def holds(self, claim: Claim) -> bool:
        query = self._locked(select(R.id).where(FENCE))
        return self._connection.scalar(query, held(claim)) is not None

    def release(self, claim: Claim, partial: str) -> None:
        released = self._connection.execute(
            update(schema.reply)
            .where(FENCE)
            .values(
                state=ReplyState.QUEUED,
                owner=None,
                lease_until=None,
                **_said(claim, partial),
            ),
            held(claim),
        )
        # Others begin at once instead of finding it when they look.
        self.prompts += released.rowcount

    def release_orphans(self) -> int:
        found = self._connection.execute(
            update(schema.reply)
            .where(active(R.state), R.state == ReplyState.RUNNING)
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
        found = self._connection.scalars(
            select(R.id).where(RUNNING, R.owner == owner, R.stop_requested)
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
