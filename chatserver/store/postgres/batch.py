"""One batch of messages: what must be known is read, the rules are asked, the rest is written.

Two statements, each a transaction of its own, append any number of messages to any number of
sessions; three more read what is needed where bots are asked. A draft that is refused, and a
session that somebody else is changing, hurt no other.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from chatserver.chat.addressing import answering, asked_by_name
from chatserver.chat.errors import ChatError
from chatserver.chat.limits import Limits
from chatserver.chat.messages import admit, body_digest, require_same_body
from chatserver.chat.models import Event, EventType, Role, Session
from chatserver.chat.ports import Appended, Asked, MessageDraft
from chatserver.chat.queue import Queued
from chatserver.chat.quota import has_quota
from chatserver.chat.use_cases import new_id
from chatserver.store.drafts import bots_asked, created, repeated
from chatserver.store.postgres import statements as sql


@dataclass(slots=True)
class Draft:
    """A draft in a batch. Neither `appended` nor `refusal` afterwards: its session was in use."""

    draft: MessageDraft
    unsure: bool = False
    """An earlier attempt may have stored it."""
    appended: Appended | None = None
    refusal: ChatError | None = None


@dataclass(slots=True)
class Added:
    """What a session gets."""

    session: Session
    drafts: list[Draft] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    digests: list[bytes] = field(default_factory=list)
    jobs: list[tuple[int, int, str]] = field(default_factory=list)
    """The place of the prompt, the position among its bots, the bot."""


@dataclass(slots=True)
class Result:
    events: list[Event]
    """In the order of their sessions' logs."""
    prompts: int


async def append_free(connection: Any, drafts: Sequence[Draft], limits: Limits) -> Result:
    """Appends where nobody else holds the session, without waiting for anybody."""
    return await Batch(connection, drafts, limits).append()


async def append_locked(connection: Any, drafts: Sequence[Draft], limits: Limits) -> Result:
    """Waits for the sessions and holds them, then for the usage of who asks in them.

    A draft is left over only where somebody's first usage was counted in between.
    """
    async with connection.transaction():
        await connection.fetch(sql.LOCK, sorted({each.draft.session_id for each in drafts}))
        return await HoldingBatch(connection, drafts, limits).append()


class Batch:
    """Also the `drafts.Rows` of its drafts."""

    def __init__(self, connection: Any, drafts: Sequence[Draft], limits: Limits) -> None:
        self._connection = connection
        self._drafts = drafts
        self._limits = limits
        self._added: dict[str, Added] = {}
        self._sent: dict[tuple[str, str, str], tuple[Event, bytes]] = {}
        self._repeats: list[Event] = []
        self._target: str | None = None
        self._bots: dict[str, list[str]] = {}
        self._queued: Counter[tuple[str, str | None]] = Counter()
        self._used: dict[tuple[str, int], Asked] = {}

    async def append(self) -> Result:
        found = await self._find()
        await self._read_askable(found)
        for number, draft in enumerate(self._drafts):
            try:
                self._judge(draft, found.get(number))
            except ChatError as refusal:
                draft.refusal = refusal
        written = await self._write()
        events, prompts = list(self._repeats), len(self._repeats)
        for session_id, added in self._added.items():
            if session_id in written:
                events += added.events
                prompts += len(added.jobs)
            else:
                for draft in added.drafts:
                    draft.appended = draft.refusal = None
        return Result(events, prompts)

    # --- what must be known --------------------------------------------------------------------

    async def _find(self) -> dict[int, Any]:
        drafts = [each.draft for each in self._drafts]
        rows = await self._connection.fetch(
            sql.FIND,
            [draft.session_id for draft in drafts],
            [draft.sender.id for draft in drafts],
            [draft.client_message_id for draft in drafts],
            [draft.reply_to for draft in drafts],
        )
        for row in rows:
            if row["id"] not in self._added:
                self._added[row["id"]] = Added(_session(row))
        return {row["n"] - 1: row for row in rows}

    async def _read_askable(self, found: dict[int, Any]) -> None:
        named, prompted = set(), []
        for number, each in enumerate(self._drafts):
            draft = each.draft
            if number not in found:
                continue
            session = self._added[draft.session_id].session
            if asked_by_name(session, draft.sender, draft.text):
                named.add(session.id)
                prompted.append(draft)
            elif answering(session, draft.sender, draft.text, ()):
                prompted.append(draft)
        fetch = self._connection.fetch
        if named:
            for row in await fetch(sql.BOTS, sorted(named)):
                self._bots.setdefault(row["session"], []).append(row["name"])
        if not prompted:
            return
        sessions = sorted({draft.session_id for draft in prompted})
        askers = sorted({draft.sender.id for draft in prompted})
        for row in await fetch(sql.QUEUED, sessions, askers, self._limits.queued_replies):
            self._queued[row["counted"], row["of"]] = row["replies"]
        if has_quota(self._limits):
            for row in await fetch(sql.USED, askers):
                used = Asked(row["replies"], row["tokens"])
                self._used[row["participant"], row["day"]] = used

    # --- the rules -----------------------------------------------------------------------------

    def _judge(self, each: Draft, row: Any) -> None:
        draft = each.draft
        added = self._added.get(draft.session_id)
        role = row["role"] if row else None
        session = admit(added.session if added else None, Role(role) if role else None)
        assert added is not None, "admitted to a session that is there"
        digest = body_digest(draft.text, draft.reply_to)
        identity = (session.id, draft.sender.id, draft.client_message_id)
        if row["seq"] is not None:
            require_same_body(row["body_digest"], digest)
            event = repeated(draft, row["seq"], row["body"], row["sent_at"])
            ours = each.unsure and event.created_at == draft.created_at
            if ours:  # stored by the attempt whose answer was lost: nobody was told yet
                self._repeats.append(event)
            each.appended = Appended(event, duplicate=not ours)
            return
        if identity in self._sent:  # twice in this batch
            event, stored = self._sent[identity]
            require_same_body(stored, digest)
            added.drafts.append(each)
            each.appended = Appended(event, duplicate=True)
            return
        self._target = row["target"]
        bots = bots_asked(draft, session, self, self._limits)
        place = len(added.events) + 1
        event = created(draft, session.last_seq + place)
        added.drafts.append(each)
        added.events.append(event)
        added.digests.append(digest)
        added.jobs += [(place, position, bot) for position, bot in enumerate(bots)]
        self._sent[identity] = event, digest
        each.appended = Appended(event, duplicate=False)
        self._count_in(draft, len(bots))

    def _count_in(self, draft: MessageDraft, prompts: int) -> None:
        if not prompts:
            return
        for key in _counted(draft.session_id, draft.sender.id):
            self._queued[key] += prompts
        today = draft.sender.id, draft.created_at.toordinal()
        before = self.used(*today)
        self._used[today] = Asked(before.replies + prompts, before.tokens)

    def type_of(self, session_id: str, seq: int) -> str | None:
        added = self._added[session_id]
        if added.session.last_seq < seq <= added.session.last_seq + len(added.events):
            return EventType.MESSAGE_CREATED  # of this batch
        return self._target

    def bots(self, session_id: str) -> Sequence[str]:
        return self._bots.get(session_id, ())

    def queued(self, session_id: str, asker: str) -> Queued:
        return Queued(*(self._queued[key] for key in _counted(session_id, asker)))

    def used(self, asker: str, day: int) -> Asked:
        return self._used.get((asker, day), Asked(0, 0))

    # --- what is written -----------------------------------------------------------------------

    async def _write(self) -> set[str]:
        """The sessions that were advanced."""
        advancing = [added for added in self._added.values() if added.events]
        if not advancing:
            return set()
        sessions = [
            (added.session.id, added.session.last_seq, len(added.events), added.events[-1])
            for added in advancing
        ]
        messages = [
            (added.session.id, place, event, digest)
            for added in advancing
            for place, (event, digest) in enumerate(
                zip(added.events, added.digests, strict=True), start=1
            )
        ]
        jobs = [
            (added.session.id, added.events[place - 1], place, position, bot)
            for added in advancing
            for place, position, bot in added.jobs
        ]
        used = Counter(
            (session_id, prompt.sender.id, prompt.created_at.toordinal())
            for session_id, prompt, _, _, _ in jobs
        )
        await self._hold_usage(sorted({asker for _, asker, _ in used}))
        rows = await self._connection.fetch(
            sql.WRITE,
            [session_id for session_id, _, _, _ in sessions],
            [seen for _, seen, _, _ in sessions],
            [count for _, _, count, _ in sessions],
            [last.created_at for _, _, _, last in sessions],
            [session_id for session_id, _, _, _ in messages],
            [place for _, place, _, _ in messages],
            [event.sender.id for _, _, event, _ in messages],
            [event.data["client_message_id"] for _, _, event, _ in messages],
            [digest for _, _, _, digest in messages],
            [orjson.dumps(event.data).decode() for _, _, event, _ in messages],
            [event.created_at for _, _, event, _ in messages],
            [new_id() for _ in jobs],
            [session_id for session_id, _, _, _, _ in jobs],
            [place for _, _, place, _, _ in jobs],
            [bot for _, _, _, _, bot in jobs],
            [position for _, _, _, position, _ in jobs],
            [prompt.sender.id for _, prompt, _, _, _ in jobs],
            [prompt.created_at for _, prompt, _, _, _ in jobs],
            [session_id for session_id, _, _ in used],
            [asker for _, asker, _ in used],
            [day for _, _, day in used],
            list(used.values()),
        )
        return {row["id"] for row in rows}

    async def _hold_usage(self, askers: list[str]) -> None:
        """Whose is in use, in their sessions nothing will be written."""


class HoldingBatch(Batch):
    """Waits for what others use, in a transaction that holds its sessions."""

    async def _hold_usage(self, askers: list[str]) -> None:
        if askers:
            await self._connection.fetch(sql.LOCK_USAGE, askers)


def _counted(session_id: str, asker: str) -> tuple[tuple[str, str | None], ...]:
    """The counts of `statements.QUEUED` that matter to a draft, in the order of `Queued`."""
    return ("session", session_id), ("asker", asker), ("all", None)


def _session(row: Any) -> Session:
    """Without `bot_turns`: people's messages use none."""
    return Session(
        id=row["id"],
        title=row["title"],
        visibility=row["visibility"],
        reply_policy=row["reply_policy"],
        bot=row["bot"],
        created_by=row["created_by"],
        created_at=row["created_at"],
        last_seq=row["last_seq"],
    )
