"""Holds what clients wrote down against the database, long after both have come to rest."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.faults.delivery import Delivery
from tests.faults.findings import Verdict
from tests.faults.history import Named, clients, read
from tests.faults.recovery import Heals
from tests.faults.sending import Sending
from tests.faults.truth import MESSAGE, SessionLog, Truth, read_truth

TERMINAL = {"done", "failed", "stopped"}
MEMORY_GROWTH = 1.5

Resources = Mapping[str, float]


def check(
    folder: Path, database_url: str, *, resources: Sequence[Resources] | None = None
) -> Verdict:
    """Every invariant that is broken, with its evidence.

    `resources` are what servers held before and after, by name; none may have grown but memory
    (`*_bytes`), and that by half at most.
    """
    verdict = Verdict()
    truth = read_truth(database_url)
    for session in truth.values():
        _check_log(session, verdict)
        _check_members(session, verdict)
        _check_endings(session, verdict)
    heals = Heals.read(folder)
    prompts: Counter[tuple[str, int]] = Counter(
        (session.id, reply.prompt_seq) for session in truth.values() for reply in session.replies
    )
    for name in clients(folder):
        sending = _check_client(folder, name, truth, verdict, heals)
        _check_asked(sending, prompts, verdict)
    verdict.recoveries = heals.recoveries()
    if resources is not None:
        _check_resources(*resources, verdict=verdict)
    return verdict


def _check_client(folder: Path, name: str, truth: Truth, verdict: Verdict, heals: Heals) -> Sending:
    sending, delivery = Sending(truth, verdict), Delivery(truth, verdict)
    heals.begin()
    for entry in read(folder, name):
        if isinstance(entry.record, Named):
            sending.me = delivery.me = entry.record.participant
            continue
        sending.see(entry)
        delivery.see(entry)
        heals.see(entry)
    sending.end()
    delivery.end()
    heals.end()
    return sending


def _check_log(session: SessionLog, verdict: Verdict) -> None:
    """1..N without a hole, and N is what the session says."""
    stored = len(session.rows)
    if stored != session.last_seq or max(session.rows, default=0) != stored:
        holes = [seq for seq in range(1, session.last_seq + 1) if seq not in session.rows]
        said = f"{session.id}: {stored} events, last_seq {session.last_seq}, missing {holes[:10]}"
        verdict.find("gaplessness", said)


def _check_members(session: SessionLog, verdict: Verdict) -> None:
    """Nobody said anything in a session they were not a member of at that time."""
    for seq, row in session.rows.items():
        if row.event.type == MESSAGE and not session.was_member(row.event.sender, seq, seq):
            verdict.find("isolation", f"{session.id}: {seq} is of {row.event.sender}, no member")


def _check_endings(session: SessionLog, verdict: Verdict) -> None:
    """Each reply in one terminal state, and the log says the same."""
    said: dict[str, list[int]] = {}
    failed: Counter[str] = Counter()
    for seq, row in session.rows.items():
        if row.event.reply_id is not None:
            if row.event.type == MESSAGE:
                said.setdefault(row.event.reply_id, []).append(seq)
            else:
                failed[row.event.reply_id] += 1
    for reply in session.replies:
        verdict.numbers.prompts += 1
        messages = said.pop(reply.id, [])
        where = f"{session.id}: the reply {reply.id} to {reply.prompt_seq}"
        if reply.state not in TERMINAL:
            verdict.find("endings", f"{where} is still {reply.state}")
        if len(messages) > 1:
            verdict.find("endings", f"{where} ended in the messages {messages}")
        if failed[reply.id] != (reply.state == "failed"):
            verdict.find("endings", f"{where} is {reply.state}, failed {failed[reply.id]} times")
        if reply.state == "done" and not messages:
            verdict.find("endings", f"{where} is done without a message")
        if messages and reply.result_seq not in messages:
            verdict.find("endings", f"{where} has result {reply.result_seq}, not {messages}")
    for reply_id, messages in said.items():
        verdict.find("endings", f"{session.id}: {messages} are of no reply ({reply_id})")


def _check_asked(sending: Sending, replies: Counter[tuple[str, int]], verdict: Verdict) -> None:
    """Each prompt that was acked has exactly one reply."""
    for (session, message_id), fate in sending.fates.items():
        if fate.prompt and fate.seq is not None and replies[session, fate.seq] != 1:
            count = replies[session, fate.seq]
            verdict.find("endings", f"{fate.where}: the prompt {message_id} has {count} replies")


def _check_resources(before: Resources, after: Resources, *, verdict: Verdict) -> None:
    for name in before.keys() | after.keys():
        had, has = before.get(name, 0), after.get(name, 0)
        allowed = had * MEMORY_GROWTH if name.endswith("_bytes") else had
        if has > allowed:
            verdict.find("resources", f"{name} was {had:g}, and is {has:g}")
