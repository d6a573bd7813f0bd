"""Judges what one client sent: acked is stored, once, in order, and nothing stays unknown."""

from collections import defaultdict
from dataclasses import dataclass, field

from tests.faults.findings import Verdict
from tests.faults.history import Acked, Changed, Entry, Sent, Unknown
from tests.faults.truth import ERASED, Row, Truth

AGAIN = {"unavailable", "draining", "rate_limited", "too_many_in_flight", "internal"}
"""Refusals that say nothing about what becomes of the message."""


@dataclass(slots=True)
class Fate:
    """What is known of one message, over all its transmissions."""

    digest: str
    where: str
    prompt: bool
    tries: int = 0
    seq: int | None = None
    refused: str = ""
    unknown: bool = False


@dataclass(slots=True)
class Sending:
    """Sees the records of one client, in order; `end` comes after the last."""

    truth: Truth
    verdict: Verdict
    me: str = ""
    fates: dict[tuple[str, str], Fate] = field(default_factory=dict)
    _ops: dict[int, Sent] = field(default_factory=dict)
    _firsts: set[int] = field(default_factory=set)
    _taken: dict[tuple[int, str], list[tuple[int, int, str]]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def see(self, entry: Entry) -> None:
        match entry.record:
            case Sent() as sent:
                self._sent(sent, entry.where)
            case Acked() as ack:
                self._acked(ack, entry.where)
            case Unknown(op=op):
                sent = self._ops.pop(op)
                fate = self.fates[sent.session, sent.message_id]
                fate.unknown = fate.unknown or fate.seq is None
            case Changed() as changed:
                self._changed(changed, entry.where)

    def end(self) -> None:
        for (_, session), taken in self._taken.items():
            self._order(session, sorted(taken))
        stored = self._stored()
        numbers = self.verdict.numbers
        for (session, message_id), fate in self.fates.items():
            numbers.indeterminate += fate.unknown
            numbers.resolved += fate.unknown and (fate.seq is not None or bool(fate.refused))
            if fate.seq is not None:
                numbers.acked += 1
            elif fate.refused:
                if (session, message_id) in stored:
                    self._find("honesty", fate.where, f"{message_id} refused as {fate.refused}")
            else:
                self._find("resolution", fate.where, f"nobody knows what became of {message_id}")
        for (session, message_id), rows in stored.items():
            if (session, message_id) not in self.fates:
                self._find("honesty", session, f"nobody sent {message_id}, stored as {rows}")
            elif len(rows) > 1:
                numbers.doubled += len(rows) - 1
                self._find("idempotence", session, f"{message_id} is stored as {rows}")

    def _sent(self, sent: Sent, where: str) -> None:
        self._ops[sent.op] = sent
        key = sent.session, sent.message_id
        fate = self.fates.setdefault(key, Fate(sent.digest, where, sent.prompt))
        fate.tries += 1
        if fate.tries == 1:
            self._firsts.add(sent.op)

    def _acked(self, ack: Acked, where: str) -> None:
        sent = self._ops.pop(ack.op)
        fate = self.fates[sent.session, sent.message_id]
        if not ack.ok:
            self._refused(ack, sent, fate, where)
            return
        assert ack.seq is not None
        if ack.duplicate and ack.op in self._firsts:
            self._find("idempotence", where, f"the first {sent.message_id} was a duplicate")
        if fate.seq is None:
            fate.seq = ack.seq
        elif not ack.duplicate:
            self._find("idempotence", where, f"{sent.message_id} was acked as new twice")
        elif fate.seq != ack.seq:
            said = f"{sent.message_id} was acked as {fate.seq} and as {ack.seq}"
            self._find("idempotence", where, said)
        if not ack.duplicate:
            self._taken[sent.connection, sent.session].append((ack.op, ack.seq, where))
        self._durable(sent, ack.seq, fate, where)

    def _refused(self, ack: Acked, sent: Sent, fate: Fate, where: str) -> None:
        if fate.seq is not None:
            if ack.code == "conflict" and sent.digest == fate.digest:
                self._find("idempotence", where, f"the same {sent.message_id} was a conflict")
        elif ack.code not in AGAIN:
            fate.refused = ack.code

    def _durable(self, sent: Sent, seq: int, fate: Fate, where: str) -> None:
        log = self.truth.get(sent.session)
        row = log.rows.get(seq) if log is not None else None
        if row is None or (row.event.sender, row.event.message_id) != (self.me, sent.message_id):
            self.verdict.numbers.lost += 1
            said = f"{sent.message_id} was acked as {seq}, where the log has {_shown(row)}"
            self._find("durability", where, said)
        elif row.sent is not None and row.sent != fate.digest:
            self._find("durability", where, f"{sent.message_id} is stored with another text")
        elif row.sent is not None and row.sent != sent.digest:
            said = f"{sent.message_id} was acked with another text than before"
            self._find("idempotence", where, said)

    def _order(self, session: str, taken: list[tuple[int, int, str]]) -> None:
        newest = 0
        for _, seq, where in taken:
            if seq <= newest:
                self.verdict.numbers.misordered += 1
                said = f"acked as {seq} after {newest}, sent later on the same connection"
                self._find("order", where, f"{session}: {said}")
            newest = max(newest, seq)

    def _changed(self, changed: Changed, where: str) -> None:
        if changed.code:
            return
        log = self.truth.get(changed.session)
        row = log.rows.get(changed.seq or 0) if log is not None else None
        kind = {"edit_message": "message_edited", "delete_message": "message_deleted"}
        if row is None or (row.event.type, row.event.sender, row.about) != (
            kind[changed.action],
            self.me,
            changed.of,
        ):
            said = f"{changed.action} was acked as {changed.seq}, where the log has {_shown(row)}"
            self._find("durability", where, said)
        elif changed.digest and row.event.digest not in (changed.digest, ERASED):
            self._find("durability", where, f"the edit {changed.seq} has another text")

    def _stored(self) -> dict[tuple[str, str], list[int]]:
        """By what it is known as: where each message of this client is in the log."""
        stored: dict[tuple[str, str], list[int]] = defaultdict(list)
        for session in self.truth.values():
            if self.me not in session.stays:
                continue
            for seq, row in session.rows.items():
                if row.event.sender == self.me and row.event.message_id is not None:
                    stored[session.id, row.event.message_id].append(seq)
        return stored

    def _find(self, invariant: str, where: str, what: str) -> None:
        self.verdict.find(invariant, f"{where}: {what}")


def _shown(row: Row | None) -> str:
    return "nothing" if row is None else f"{row.event.type} {row.event.message_id}"
