"""What must be true once everything has come to rest, held against the log and the reply table."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from chatserver.chat.events import ReplyDelta, ReplyFinished, ReplyStopped
from tests.property.play import Play, Sent
from tests.property.stage import Stage

Row = dict[str, Any]


class SessionRecord:
    """A session's log and replies, read from the database."""

    def __init__(self, stage: Stage, session_id: str) -> None:
        self.id = session_id
        (session,) = stage.rows("SELECT last_seq FROM session WHERE id = ?", session_id)
        self.last_seq: int = session["last_seq"]
        self.log: list[Row] = [
            {**dict(row), "data": json.loads(row["body"])}
            for row in stage.rows("SELECT * FROM event WHERE session = ? ORDER BY seq", session_id)
        ]
        self.replies: dict[str, Row] = {
            row["id"]: dict(row)
            for row in stage.rows("SELECT * FROM reply WHERE session = ?", session_id)
        }

    def of_reply(self, kind: str, reply_id: str) -> list[Row]:
        return [
            event
            for event in self.log
            if event["type"] == kind and event["data"].get("reply_id") == reply_id
        ]


def complaints(stage: Stage, play: Play, bots: list[str]) -> Iterator[str]:
    """Everything that is not as promised (G2, G3, G4)."""
    for together in stage.store.side_by_side:
        yield f"ran side by side: {together}"
    for session_id in play.sessions:
        record = SessionRecord(stage, session_id)
        sent = [each for each in play.sent if each.session_id == session_id]
        yield from _of_log(record, sent)
        yield from _of_asking(record, sent, play.retried, bots)
        yield from _of_ends(record)
        yield from _of_order(record, stage.store.began.get(session_id, []), play.retried)
        yield from _of_signals(record, stage)


def _of_log(record: SessionRecord, sent: list[Sent]) -> Iterator[str]:
    """Gapless, and every message of a person in it once, at the seq that was acked."""
    seqs = [event["seq"] for event in record.log]
    if seqs != list(range(1, record.last_seq + 1)):
        yield f"the log has {seqs}, the session stands at {record.last_seq}"
    stored: dict[str, set[int]] = defaultdict(set)
    for event in record.log:
        if event["client_message_id"] is not None:
            stored[event["client_message_id"]].add(event["seq"])
    for each in sent:
        there = stored.pop(each.client_message_id, set())
        if len(there) > 1 or there != each.seqs:
            yield f"message {each.client_message_id} was acked as {each.seqs}, stored as {there}"
    if stored:
        yield f"nobody sent {stored}"


def _of_asking(
    record: SessionRecord, sent: list[Sent], retried: set[str], bots: list[str]
) -> Iterator[str]:
    """Each message has the replies it asked for, each retry its own, and there are no others."""
    mentions = {seq: each.mentions for each in sent for seq in each.seqs}
    found: dict[int, list[str]] = defaultdict(list)
    for reply in sorted(record.replies.values(), key=lambda reply: reply["position"]):
        if reply["id"] not in retried:
            found[reply["prompt_seq"]].append(reply["bot"])
    members: set[str] = set()
    session: Row = {"reply_policy": "always", "bot": bots[0]}
    for event in record.log:
        data, seq = event["data"], event["seq"]
        match event["type"]:
            case "participant_joined":
                members.add(data["participant"]["name"])
            case "participant_left":
                members.discard(data["participant"]["name"])
            case "session_updated":
                session = data
            case "message_created" if seq in mentions:
                asked = [bot for bot in dict.fromkeys(mentions[seq]) if bot in members]
                if not asked and session["reply_policy"] == "always" and session["bot"]:
                    asked = [session["bot"]]
                if session["reply_policy"] == "off":
                    asked = []
                if found[seq] != asked:
                    yield f"message {seq} asked {asked}, the replies are of {found[seq]}"
            case "message_created":
                if len(found[seq]) > 1 or event["sender"].removeprefix("bot:") in found[seq]:
                    yield f"the bot's message {seq} asked {found[seq]}"
            case _:
                if found[seq]:
                    yield f"event {seq} is no message, but asked {found[seq]}"


def _of_ends(record: SessionRecord) -> Iterator[str]:
    """Each reply in one terminal state, and the log says the same."""
    for reply_id, reply in record.replies.items():
        messages = record.of_reply("message_created", reply_id)
        failures = record.of_reply("reply_failed", reply_id)
        state = reply["state"]
        if state not in ("done", "failed", "stopped"):
            yield f"{reply_id} is still {state}"
        if len(messages) > 1:
            yield f"{reply_id} ended in {len(messages)} messages"
        if len(failures) != (state == "failed"):
            yield f"{reply_id} is {state} and failed {len(failures)} times"
        if state == "done" and not messages:
            yield f"{reply_id} is done without a message"
        for message in messages:
            data = message["data"]
            cut = [mark for mark in ("stopped", "failed") if data.get(mark)]
            if cut != [state] * (state != "done"):
                yield f"{reply_id} is {state}, its message is marked {cut}"
            if data["reply_to"] != reply["prompt_seq"]:
                yield f"{reply_id} answers {reply['prompt_seq']}, its message {data['reply_to']}"
            if message["sender"] != f"bot:{reply['bot']}":
                yield f"{reply_id} is of {reply['bot']}, its message of {message['sender']}"
            if reply["result_seq"] != message["seq"]:
                yield f"{reply_id} has result {reply['result_seq']}, message {message['seq']}"
    unknown = {
        event["data"]["reply_id"] for event in record.log if event["data"].get("reply_id")
    } - set(record.replies)
    if unknown:
        yield f"the log has messages of unknown replies: {unknown}"


def _of_order(record: SessionRecord, began: list[str], retried: set[str]) -> Iterator[str]:
    """Replies begin and end in the order of their prompts, but for those asked for again."""

    def turns(reply_ids: list[str]) -> list[tuple[int, int]]:
        rows = [record.replies[each] for each in reply_ids if each in record.replies]
        return [(row["prompt_seq"], row["position"]) for row in rows if row["id"] not in retried]

    ended = {
        event["data"]["reply_id"]: event["seq"]
        for event in record.log
        if event["data"].get("reply_id")
    }
    for what, order in (("began", turns(began)), ("ended", turns(sorted(ended, key=ended.get)))):  # type: ignore[arg-type]
        if order != sorted(order):
            yield f"replies {what} in the order {order}"


def _of_signals(record: SessionRecord, stage: Stage) -> Iterator[str]:
    """Each attempt is told from offset 0 without a hole, and the last adds up to the message.

    Where the last attempt said nothing, what an earlier one had said by its last checkpoint stays.
    """
    texts: dict[tuple[str, int], str] = defaultdict(str)
    ends: Counter[str] = Counter()
    for signal in stage.signals:
        match signal:
            case ReplyDelta(session_id=record.id):
                attempt = signal.reply_id, signal.attempt
                if signal.offset != len(texts[attempt]):
                    yield f"{attempt} goes on at {signal.offset}, not {len(texts[attempt])}"
                texts[attempt] += signal.text
            case ReplyFinished(session_id=record.id) | ReplyStopped(session_id=record.id):
                ends[signal.reply_id] += 1
                reply = record.replies.get(signal.reply_id)
                state = "done" if isinstance(signal, ReplyFinished) else "stopped"
                if reply is None or (reply["state"], reply["result_seq"]) != (state, signal.seq):
                    yield f"{signal.reply_id} was told to be {state} as {signal.seq}: {reply}"
    yield from (f"{reply_id} ended {n} times" for reply_id, n in ends.items() if n > 1)
    for reply_id, reply in record.replies.items():
        for message in record.of_reply("message_created", reply_id):
            said, told = message["data"]["text"], texts[reply_id, reply["attempt"]]
            earlier = [texts[reply_id, attempt] for attempt in range(1, reply["attempt"])]
            cut_short = reply["state"] != "done" and not told
            if said != told and not (cut_short and any(t.startswith(said) for t in earlier)):
                yield f"{reply_id} was streamed as {told!r} and stored as {said!r}"
