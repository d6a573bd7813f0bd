"""The checker finds each way in which a promise can be broken, and nothing where none is."""

from pathlib import Path

import pytest

from tests.faults.findings import INVARIANTS, SHOWN, Verdict
from tests.faults.history import (
    Changed,
    Connected,
    Heard,
    History,
    Left,
    Mark,
    Paged,
    Probed,
    Received,
    Sent,
    Settled,
    Unknown,
    digest,
    read,
)
from tests.faults.written import (
    ADA,
    BOB,
    EVE,
    OTHER,
    ROOM,
    Stored,
    Written,
    acks,
    answered,
    joined,
    left,
    refuses,
    said,
)


@pytest.fixture
def written(tmp_path: Path) -> Written:
    return Written(tmp_path)


def assert_breaks(verdict: Verdict, invariant: str, evidence: str) -> None:
    assert list(verdict.broken) == [invariant], str(verdict)
    assert any(evidence in each for each in verdict.broken[invariant]), str(verdict)


def test_a_history_without_a_fault_breaks_nothing(written: Written) -> None:
    verdict = written.verdict()
    assert verdict.ok, str(verdict)
    numbers = verdict.numbers
    assert (numbers.acked, numbers.lost, numbers.doubled, numbers.misordered) == (3, 0, 0, 0)
    assert (numbers.received, numbers.prompts, numbers.healed) == (9, 1, 0)


# --- durability ----------------------------------------------------------------------------------


def test_an_ack_of_what_is_not_in_the_log_breaks_durability(written: Written) -> None:
    written.exchange(BOB, acks(1, 7), seq=8)
    verdict = written.verdict()
    assert_breaks(verdict, "durability", "bob:9: b-1 was acked as 8, where the log has nothing")
    assert verdict.numbers.lost == 1


def test_an_ack_with_the_seq_of_another_message_breaks_durability(written: Written) -> None:
    written.exchange(BOB, acks(1, 7), seq=4)
    assert_breaks(written.verdict(), "durability", "where the log has message_created a-1")


def test_a_message_stored_with_another_text_breaks_durability(written: Written) -> None:
    written.log[7].sent = "four"
    assert_breaks(written.verdict(), "durability", "b-1 is stored with another text")


def test_an_acked_edit_that_is_not_in_the_log_breaks_durability(written: Written) -> None:
    edit = Changed(1, ROOM, "edit_message", 7, "", 8, digest("four"))
    written.insert(BOB, Settled(1), edit)
    assert_breaks(written.verdict(), "durability", "edit_message was acked as 8")


def test_a_leave_that_is_not_in_the_log_breaks_durability(written: Written) -> None:
    written.insert(BOB, written.snapshot(7, 7), Left(1, ROOM))
    assert_breaks(written.verdict(), "durability", "left 1 times, in the log 0 times")


# --- idempotence ---------------------------------------------------------------------------------


def test_a_repeat_that_is_acked_as_a_duplicate_breaks_nothing(written: Written) -> None:
    written.insert(BOB, Settled(1), written.sends(2, 7), acks(2, 7, duplicate=True))
    assert written.verdict().ok


def test_a_repeat_that_is_acked_as_new_breaks_idempotence(written: Written) -> None:
    written.insert(BOB, Settled(1), written.sends(2, 7), acks(2, 7))
    verdict = written.verdict()
    assert "b-1 was acked as new twice" in verdict.broken["idempotence"][0]


def test_a_message_that_is_stored_twice_breaks_idempotence(written: Written) -> None:
    written.log[8] = said(BOB, "b-1", "three")
    for who in (ADA, BOB):
        written.insert(who, written.snapshot(7, 7), written.live(8))
        written.exchange(who, written.snapshot(7, 7), after_seq=8, from_seq=9, to_seq=8)
    verdict = written.verdict()
    assert_breaks(verdict, "idempotence", "b-1 is stored as [7, 8]")
    assert verdict.numbers.doubled == 1


def test_a_first_try_that_is_acked_as_a_duplicate_breaks_idempotence(written: Written) -> None:
    written.exchange(BOB, acks(1, 7), duplicate=True)
    assert_breaks(written.verdict(), "idempotence", "the first b-1 was a duplicate")


def test_a_repeat_that_is_refused_as_a_conflict_breaks_idempotence(written: Written) -> None:
    written.insert(BOB, Settled(1), written.sends(2, 7), refuses(2, "conflict"))
    assert_breaks(written.verdict(), "idempotence", "the same b-1 was a conflict")


def test_another_text_under_the_same_id_breaks_idempotence_where_it_is_acked(
    written: Written,
) -> None:
    other = Sent(2, 1, ROOM, "b-1", digest("four"), False)
    written.insert(BOB, Settled(1), other, acks(2, 7, duplicate=True))
    assert_breaks(written.verdict(), "idempotence", "b-1 was acked with another text than before")


def test_another_text_under_the_same_id_that_is_refused_breaks_nothing(written: Written) -> None:
    other = Sent(2, 1, ROOM, "b-1", digest("four"), False)
    written.insert(BOB, Settled(1), other, refuses(2, "conflict"))
    assert written.verdict().ok


# --- gaplessness ---------------------------------------------------------------------------------


def test_an_event_that_did_not_come_breaks_gaplessness(written: Written) -> None:
    written.drop(ADA, written.live(6))
    verdict = written.verdict()
    assert "ada:11: room: 7 came after 5" in verdict.broken["gaplessness"][0]
    assert verdict.numbers.misordered == 1


def test_an_event_that_came_twice_breaks_gaplessness(written: Written) -> None:
    written.insert(ADA, written.live(7), written.live(6))
    verdict = written.verdict()
    assert_breaks(verdict, "gaplessness", "room: 6 came twice, after 6")
    assert verdict.numbers.doubled == 1


def test_events_in_the_wrong_order_break_gaplessness(written: Written) -> None:
    six, seven = written.place(ADA, written.live(6)), written.place(ADA, written.live(7))
    records = written.histories[ADA]
    records[six], records[seven] = records[seven], records[six]
    assert_breaks(written.verdict(), "gaplessness", "room: 6 came late, after 7")


def test_a_last_event_that_comes_only_with_the_next_join_breaks_gaplessness(
    written: Written,
) -> None:
    written.drop(ADA, written.live(7))
    written.exchange(ADA, written.snapshot(7, 7), after_seq=6, from_seq=7, events=[written.seen(7)])
    assert_breaks(written.verdict(), "gaplessness", "joined again at 7, but had received up to 6")


def test_a_snapshot_with_a_hole_breaks_gaplessness(written: Written) -> None:
    first = written.snapshot(0, 3)
    written.exchange(BOB, first, events=[written.seen(1), written.seen(3)])
    verdict = written.verdict()
    assert "a snapshot from 1 to 3 holds [1, 3]" in verdict.broken["gaplessness"][0]
    assert "1 of 7 events never seen: [2]" in verdict.broken["convergence"][0]


def test_a_snapshot_that_wrongly_says_that_it_is_complete_breaks_gaplessness(
    written: Written,
) -> None:
    first = written.snapshot(0, 3)
    written.exchange(BOB, first, from_seq=2, events=first.events[1:])
    page = Paged(1, ROOM, [written.seen(1)])
    written.insert(BOB, written.live(4), page)
    assert_breaks(written.verdict(), "gaplessness", "says complete=True")


def test_a_log_with_a_hole_breaks_gaplessness(written: Written) -> None:
    written.last_seq = 8
    assert_breaks(written.verdict(), "gaplessness", "7 events, last_seq 8, missing [8]")


def test_what_was_missed_while_away_breaks_nothing_where_the_next_join_brings_it(
    written: Written,
) -> None:
    six = written.place(ADA, written.live(6))
    back = written.snapshot(5, 7, connection=2)
    written.histories[ADA][six:] = [Connected(2, "websocket"), back, Settled(2)]
    verdict = written.verdict()
    assert verdict.ok, str(verdict)
    assert (verdict.numbers.healed, verdict.numbers.reconnects) == (2, 1)


def test_events_after_a_new_connection_must_follow_its_own_snapshot(written: Written) -> None:
    six = written.place(ADA, written.live(6))
    back = written.snapshot(5, 5, connection=2)
    page = Paged(2, ROOM, [written.seen(6)])
    seven = written.live(7, connection=2)
    written.histories[ADA][six:] = [Connected(2, "websocket"), back, seven, page, Settled(2)]
    assert_breaks(written.verdict(), "gaplessness", "room: 7 came after 5")


# --- convergence ---------------------------------------------------------------------------------


def test_a_member_who_never_saw_an_old_event_breaks_convergence(written: Written) -> None:
    first = written.snapshot(0, 3)
    written.exchange(BOB, first, from_seq=3, events=first.events[2:], complete=False)
    assert_breaks(written.verdict(), "convergence", "2 of 7 events never seen: [1, 2]")


def test_a_client_that_never_came_to_rest_breaks_convergence(written: Written) -> None:
    written.drop(BOB, Settled(1))
    assert_breaks(written.verdict(), "convergence", "bob: never came to rest")


# --- order ---------------------------------------------------------------------------------------


def test_sends_of_one_connection_that_were_stored_in_another_order_break_order(
    written: Written,
) -> None:
    first, second = written.sends(1, 4), written.sends(2, 5)
    at = written.place(ADA, first), written.place(ADA, second)
    written.histories[ADA][at[0]] = Sent(1, 1, ROOM, "a-2", second.digest, True)
    written.histories[ADA][at[1]] = Sent(2, 1, ROOM, "a-1", first.digest, False)
    written.exchange(ADA, acks(1, 4), seq=5)
    written.exchange(ADA, acks(2, 5), seq=4)
    verdict = written.verdict()
    assert_breaks(verdict, "order", "acked as 4 after 5")
    assert verdict.numbers.misordered == 1


# --- resolution ----------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [Unknown(1, "lost"), refuses(1, "unavailable")])
def test_a_send_that_nobody_knows_the_fate_of_breaks_resolution(
    written: Written, answer: Unknown
) -> None:
    written.histories[BOB][written.place(BOB, acks(1, 7))] = answer
    assert_breaks(written.verdict(), "resolution", "bob:7: nobody knows what became of b-1")


def test_a_send_whose_fate_is_learnt_later_breaks_nothing(written: Written) -> None:
    written.histories[BOB][written.place(BOB, acks(1, 7))] = Unknown(1, "lost")
    written.insert(BOB, Settled(1), written.sends(2, 7), acks(2, 7, duplicate=True))
    verdict = written.verdict()
    assert verdict.ok, str(verdict)
    assert (verdict.numbers.indeterminate, verdict.numbers.resolved) == (1, 1)


# --- endings -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "evidence"),
    [
        (("r1", 5, "running", 6), "is still running"),
        (("r1", 5, "queued", None), "is still queued"),
        (("r1", 5, "failed", 6), "is failed, failed 0 times"),
        (("r1", 5, "done", 4), "has result 4, not [6]"),
        (("r1", 4, "done", 6), "the prompt a-2 has 0 replies"),
        (("r2", 5, "done", 6), "is done without a message"),
    ],
)
def test_a_reply_without_one_good_end_breaks_endings(
    written: Written, reply: tuple[str, int, str, int | None], evidence: str
) -> None:
    written.replies = [reply]
    assert_breaks(written.verdict(), "endings", evidence)


def test_two_final_messages_of_one_reply_break_endings(written: Written) -> None:
    written.log[8] = answered(5)
    for who in (ADA, BOB):
        written.insert(who, written.snapshot(7, 7), written.live(8))
        written.exchange(who, written.snapshot(7, 7), after_seq=8, from_seq=9, to_seq=8)
    assert_breaks(written.verdict(), "endings", "ended in the messages [6, 8]")


def test_two_replies_to_one_prompt_break_endings(written: Written) -> None:
    written.replies.append(("r2", 5, "stopped", None))
    assert_breaks(written.verdict(), "endings", "the prompt a-2 has 2 replies")


# --- isolation -----------------------------------------------------------------------------------


def test_an_event_received_after_leaving_breaks_isolation(written: Written) -> None:
    written.log[6] = left(BOB)
    written.log[7] = said(ADA, "a-3", "alone")
    written.replies = [("r1", 5, "stopped", None)]
    ada, bob = Written(written.folder, written.log).histories.values()
    ada[-2:-2] = [written.sends(3, 7), acks(3, 7)]
    written.histories = {ADA: ada, BOB: [each for each in bob if not _is_own(each)][:-2]}
    written.histories[BOB] += [Left(1, ROOM), written.live(7), Settled(1)]
    assert_breaks(written.verdict(), "isolation", "received 7 of room, no member then")


def _is_own(record: object) -> bool:
    """What Bob sends in the story that is told by default, and its echo."""
    is_echo = isinstance(record, Received) and record.event.seq == 7
    return is_echo or type(record).__name__ in ("Sent", "Acked")


@pytest.mark.parametrize(
    ("record", "evidence"),
    [
        (Probed(1, OTHER, "get_history", ""), "get_history was let into other"),
        (Heard(1, OTHER, "typing_changed"), "heard typing_changed of other"),
        (Paged(1, OTHER, []), "read a page of other"),
    ],
)
def test_anything_of_a_session_of_others_breaks_isolation(
    written: Written, record: Probed, evidence: str
) -> None:
    written.insert(BOB, Settled(1), record)
    assert_breaks(written.verdict(), "isolation", evidence)


def test_what_is_heard_after_leaving_breaks_isolation(written: Written) -> None:
    written.log |= {8: left(BOB), 9: joined(BOB)}
    for who in (ADA, BOB):
        written.insert(who, written.snapshot(7, 7), written.live(8))
        written.exchange(who, written.snapshot(7, 7), after_seq=8, from_seq=9, to_seq=8)
    written.histories[ADA][-2:-2] = [written.live(9)]
    for who in (ADA, BOB):
        written.histories[who][-2] = written.snapshot(8 if who == BOB else 9, 9)
    back = written.snapshot(8, 9)
    written.insert(BOB, back, Left(1, ROOM), Heard(1, ROOM, "reply_delta"))
    assert_breaks(written.verdict(), "isolation", "heard reply_delta of room")


def test_a_probe_that_is_refused_breaks_nothing(written: Written) -> None:
    written.insert(BOB, Settled(1), Probed(1, OTHER, "get_history", "not_found"))
    verdict = written.verdict()
    assert verdict.ok, str(verdict)
    assert verdict.numbers.probes == 1


def test_a_message_of_no_member_breaks_isolation(written: Written) -> None:
    written.log[3] = joined(EVE)
    del written.histories[BOB]
    assert "room: 7 is of bob, no member" in written.verdict().broken["isolation"][0]


# --- honesty -------------------------------------------------------------------------------------


def test_an_event_that_is_not_in_the_log_breaks_honesty(written: Written) -> None:
    ghost = Stored("message_created", ADA, {"text": "boo"})
    told = Written(written.folder, {**written.log, 8: ghost}).live(8)
    for who in (ADA, BOB):
        written.histories[who][-2:] = [told, Settled(1)]
    assert_breaks(written.verdict(), "honesty", "message_created 8 is not in the log")


def test_an_event_with_another_text_breaks_honesty(written: Written) -> None:
    written.log[6].data["text"] = "not at all"
    assert_breaks(written.verdict(), "honesty", "message_created 6 has another text in the log")


def test_a_text_that_was_changed_since_breaks_nothing(written: Written) -> None:
    written.log[4].data["text"] = "uno"
    data = {"seq": 4, "text": "uno"}
    written.log[8] = Stored("message_edited", ADA, data)
    for who in (ADA, BOB):
        written.insert(who, written.snapshot(7, 7), written.live(8))
        written.exchange(who, written.snapshot(7, 7), after_seq=8, from_seq=9, to_seq=8)
    verdict = written.verdict()
    assert verdict.ok, str(verdict)


def test_a_text_that_was_erased_since_breaks_nothing(written: Written) -> None:
    written.log[4].data["text"], written.log[4].sent = "", None
    written.log[8] = Stored("message_deleted", ADA, {"seq": 4})
    for who in (ADA, BOB):
        written.insert(who, written.snapshot(7, 7), written.live(8))
        written.exchange(who, written.snapshot(7, 7), after_seq=8, from_seq=9, to_seq=8)
    verdict = written.verdict()
    assert verdict.ok, str(verdict)


def test_a_refused_message_that_is_stored_breaks_honesty(written: Written) -> None:
    written.histories[BOB][written.place(BOB, acks(1, 7))] = refuses(1, "busy")
    assert_breaks(written.verdict(), "honesty", "b-1 refused as busy")


def test_a_message_that_nobody_sent_breaks_honesty(written: Written) -> None:
    written.drop(BOB, written.sends(1, 7))
    written.drop(BOB, acks(1, 7))
    assert_breaks(written.verdict(), "honesty", "nobody sent b-1, stored as [7]")


# --- resources, recovery, and what is shown ------------------------------------------------------


def test_what_is_held_longer_than_needed_breaks_resources(written: Written) -> None:
    before = {"connections": 2.0, "resident_bytes": 100.0, "tasks": 9.0}
    after = {"connections": 3.0, "resident_bytes": 140.0, "tasks": 8.0, "files": 1.0}
    verdict = written.verdict([before, after])
    assert sorted(verdict.broken["resources"]) == [
        "connections was 2, and is 3",
        "files was 0, and is 1",
    ]
    assert list(verdict.broken) == ["resources"]


def test_recovery_is_the_time_from_the_heal_to_what_is_next_received(written: Written) -> None:
    written.marks = [(500_000, Mark("inject", "kill")), (7_500_000, Mark("heal", "kill"))]
    written.marks.append((60_000_000, Mark("heal", "never")))
    killed, never = written.verdict().recoveries
    # Ada's ninth record comes at 9 ms, Bob's eighth at 8 ms.
    assert (killed.fault, killed.clients, killed.never) == ("kill", 2, 0)
    assert (killed.p50, killed.p99) == pytest.approx((0.0015, 0.0015), abs=0.0011)
    assert (never.clients, never.never) == (0, 2)


def test_who_meets_the_next_fault_before_recovering_is_not_counted(written: Written) -> None:
    written.marks = [(7_500_000, Mark("heal", "kill")), (8_500_000, Mark("inject", "kill"))]
    (killed,) = written.verdict().recoveries
    assert (killed.clients, killed.never) == (1, 0)


def test_of_much_evidence_only_some_is_kept() -> None:
    verdict = Verdict()
    for number in range(1000):
        verdict.find(INVARIANTS[0], f"evidence {number}")
    assert len(verdict.broken[INVARIANTS[0]]) == SHOWN
    assert verdict.counts[INVARIANTS[0]] == 1000
    assert "is broken 1000 times" in str(verdict)


def test_a_history_is_read_as_it_was_written(tmp_path: Path, written: Written) -> None:
    history = History(tmp_path / "history")
    for record in written.histories[ADA]:
        history.client(ADA).write(record)
    history.close()
    entries = list(read(history.folder, ADA))
    assert [entry.record for entry in entries] == written.histories[ADA]
    assert [entry.where for entry in entries[:2]] == ["ada:1", "ada:2"]
    assert sorted(entry.at for entry in entries) == [entry.at for entry in entries]


def test_a_line_that_a_crash_cut_off_was_never_written(tmp_path: Path, written: Written) -> None:
    history = History(tmp_path / "history")
    history.client(ADA).write(Settled(1))
    history.close()
    file = tmp_path / "history" / "ada.jsonl"
    file.write_bytes(file.read_bytes() * 2 + b'["settled",12')
    assert len(list(read(history.folder, ADA))) == 2
