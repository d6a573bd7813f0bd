"""Judges what one client was told: all of it, once, in order, true, and meant for it."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import inf

from tests.faults.findings import Verdict
from tests.faults.history import (
    Connected,
    Entry,
    Heard,
    Joined,
    Left,
    Paged,
    Probed,
    Received,
    Seen,
    Settled,
)
from tests.faults.truth import SessionLog, Truth

MEMBERS_ONLY = {"not_found", "not_member", "forbidden"}


@dataclass(slots=True)
class Delivery:
    """Sees the records of one client, in order; `end` comes after the last."""

    truth: Truth
    verdict: Verdict
    me: str = ""
    _live: dict[str, int] = field(default_factory=dict)
    """By session: the last seq on this connection. What comes next is one more."""
    _known: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    _gone: set[str] = field(default_factory=set)
    """Sessions that were left on this connection, and not joined since."""
    _lefts: Counter[str] = field(default_factory=Counter)
    _returned: set[str] = field(default_factory=set)
    """Sessions that were left on this connection: what was missed then was not lost."""
    _settled: bool = False

    def see(self, entry: Entry) -> None:
        where = entry.where
        match entry.record:
            case Connected(connection=number):
                self._live.clear()
                self._gone.clear()
                self._returned.clear()
                self.verdict.numbers.reconnects += number > 1
            case Received(session=session, event=event):
                self._received(session, event, where)
            case Joined() as joined:
                self._joined(joined, where)
            case Paged(session=session, events=events):
                self._read(session, events, where)
                self._page_is_allowed(session, where)
            case Left(session=session):
                self._live.pop(session, None)
                self._gone.add(session)
                self._lefts[session] += 1
                self._returned.add(session)
            case Heard(session=session, name=name):
                if not self._ever_member(session) or session in self._gone:
                    self._find("isolation", where, f"heard {name} of {session}")
            case Probed() as probed:
                self._probed(probed, where)
            case Settled():
                self._settled = True

    def end(self) -> None:
        if not self._settled:
            self._find("convergence", self.me, "never came to rest")
        for session in self.truth.values():
            ended = sum(end < inf for _, end in session.stays.get(self.me, ()))
            if self._lefts[session.id] > ended:
                said = f"left {self._lefts[session.id]} times, in the log {ended} times"
                self._find("durability", self.me, f"{session.id}: {said}")
            if not session.is_member(self.me):
                continue
            missing = [seq for seq in session.rows if seq not in self._known[session.id]]
            if missing and self._settled:
                said = f"{len(missing)} of {len(session.rows)} events never seen: {missing[:10]}"
                self._find("convergence", self.me, f"{session.id}: {said}")

    def _received(self, session: str, event: Seen, where: str) -> None:
        numbers = self.verdict.numbers
        numbers.received += 1
        log = self._true(session, event, where)
        if log is not None and not log.was_member(self.me, event.seq, event.seq):
            self._find("isolation", where, f"received {event.seq} of {session}, no member then")
        live = self._live.get(session)
        if live is None:
            self._known[session].add(event.seq)
            return
        if event.seq <= live:
            again = event.seq in self._known[session]
            numbers.doubled += again
            numbers.misordered += not again
            what = "twice" if again else "late"
            self._find("gaplessness", where, f"{session}: {event.seq} came {what}, after {live}")
        elif event.seq > live + 1:
            numbers.misordered += 1
            self._find("gaplessness", where, f"{session}: {event.seq} came after {live}")
        self._live[session] = max(live, event.seq)
        self._known[session].add(event.seq)

    def _joined(self, joined: Joined, where: str) -> None:
        session, seqs = joined.session, [event.seq for event in joined.events]
        if seqs != list(range(joined.from_seq, joined.to_seq + 1)):
            said = f"a snapshot from {joined.from_seq} to {joined.to_seq} holds {seqs[:20]}"
            self._find("gaplessness", where, f"{session}: {said}")
        if joined.complete != (joined.from_seq <= joined.after_seq + 1):
            said = f"a snapshot after {joined.after_seq} from {joined.from_seq}"
            self._find("gaplessness", where, f"{session}: {said} says complete={joined.complete}")
        live = self._live.get(session)
        if live is not None and joined.to_seq != live:
            said = f"joined again at {joined.to_seq}, but had received up to {live}"
            self._find("gaplessness", where, f"{session}: {said}")
        self._live[session] = joined.to_seq
        self._gone.discard(session)
        self._read(session, joined.events, where)
        log = self.truth.get(session)
        if log is not None and not log.was_member(self.me, joined.to_seq, joined.to_seq):
            self._find("isolation", where, f"joined {session} at {joined.to_seq}, no member then")

    def _read(self, session: str, events: Iterable[Seen], where: str) -> None:
        """What a snapshot or a page brought."""
        known = self._known[session]
        was_here = bool(known) and session not in self._returned
        for event in events:
            self._true(session, event, where)
            self.verdict.numbers.healed += was_here and event.seq not in known
            known.add(event.seq)

    def _page_is_allowed(self, session: str, where: str) -> None:
        if not self._ever_member(session):
            self._find("isolation", where, f"read a page of {session}")

    def _probed(self, probed: Probed, where: str) -> None:
        if not probed.code:
            self._find("isolation", where, f"{probed.action} was let into {probed.session}")
        elif probed.code in MEMBERS_ONLY:
            self.verdict.numbers.probes += 1

    def _true(self, session: str, event: Seen, where: str) -> SessionLog | None:
        log = self.truth.get(session)
        wrong = log.differs(event) if log is not None else "is of no session"
        if wrong:
            self._find("honesty", where, f"{session}: {event.type} {event.seq} {wrong}")
        return log

    def _ever_member(self, session: str) -> bool:
        log = self.truth.get(session)
        return log is not None and bool(log.stays.get(self.me))

    def _find(self, invariant: str, where: str, what: str) -> None:
        self.verdict.find(invariant, f"{where}: {what}")
