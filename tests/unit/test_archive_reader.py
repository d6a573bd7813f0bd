"""What a file of a session may say, line by line."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from chatserver.chat.archive.errors import BadArchive
from chatserver.chat.archive.lines import ReplyLine
from chatserver.chat.archive.loading import check_archive
from chatserver.store import schema
from chatserver.store.archives import _reply_row

Lines = list[dict[str, Any]]
Change = Callable[[Lines], None]
ADA = {"id": "ada", "name": "Ada", "kind": "user"}
AT = "2026-01-01T12:00:00Z"


def archive() -> Lines:
    return [
        {
            "format": "chatserver-session",
            "version": 1,
            "session": {
                "id": "s",
                "title": "Tea",
                "visibility": "private",
                "reply_policy": "always",
                "bot": None,
                "bot_turns": 0,
                "created_by": "ada",
                "created_at": AT,
                "active_at": AT,
                "last_seq": 4,
            },
            "members": [
                {
                    "participant": dict(ADA),
                    "role": "owner",
                    "joined_at": AT,
                    "left_at": None,
                    "read_seq": 4,
                }
            ],
        },
        event(1, "message_created", {"text": "hi", "client_message_id": "one"}),
        event(2, "message_created", {"text": "", "client_message_id": "two", "deleted_at": AT}),
        event(3, "message_edited", {"seq": 2, "text": "", "edited_at": AT}),
        event(4, "message_deleted", {"seq": 2, "deleted_at": AT}),
        {
            "reply": {
                "reply_id": "r",
                "prompt_seq": 1,
                "bot": "echo",
                "position": 0,
                "asker": "ada",
                "state": "queued",
                "attempt": 0,
                "takeovers": 0,
                "stop_requested": False,
                "text": "",
                "text_attempt": 0,
                "error": None,
                "tokens": 0,
                "created_at": AT,
                "finished_at": None,
                "result_seq": None,
            }
        },
        {"memory": {"bot": "echo", "through_seq": 1, "text": "They met.", "updated_at": AT}},
        {"end": {"replies": 1, "memories": 1}},
    ]


def event(seq: int, kind: str, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "session_id": "s",
        "seq": seq,
        "type": kind,
        "sender": dict(ADA),
        "created_at": AT,
        "data": data,
    }


def encoded(lines: Lines) -> list[bytes]:
    return [json.dumps(line, separators=(",", ":")).encode() + b"\n" for line in lines]


def put(line: int, *path: str | int, to: Any) -> Change:
    """Another value for a field of a line, which is counted from 1."""

    def change(lines: Lines) -> None:
        at: Any = lines[line - 1]
        for part in path[:-1]:
            at = at[part]
        at[path[-1]] = to

    return change


def cut(line: int) -> Change:
    def change(lines: Lines) -> None:
        del lines[line - 1]

    return change


def test_a_file_as_it_should_be_is_taken() -> None:
    check_archive(encoded(archive()))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (put(1, "format", to="tea"), "line 1: format: .*chatserver-session"),
        (put(1, "version", to=2), "line 1: version: "),
        (put(1, "more", to=2), "line 1: more: Extra inputs"),
        (put(1, "session", "id", to="a b"), "line 1: session.id: "),
        (put(1, "session", "title", to="a\0b"), "line 1: session.title: .*NUL"),
        (put(1, "session", "created_by", to="eve"), "line 1: session.created_by: is not among"),
        (put(1, "session", "created_at", to="2026-01-01T12:00:00"), "line 1: session.created_at"),
        (put(1, "session", "last_seq", to=3), "line 1: members: a read_seq is beyond"),
        (put(1, "session", "last_seq", to="4"), "line 1: session.last_seq"),
        (put(1, "session", "last_seq", to=5), "line 6: session_id: Field required"),
        (put(1, "members", 0, "read_seq", to=5), "line 1: members: a read_seq"),
        (put(1, "members", to=[]), "line 1: session.created_by"),
        (lambda lines: lines[0]["members"].append(lines[0]["members"][0]), "line 1: .*twice"),
        (put(2, "session_id", to="t"), "line 2: session_id: of another session"),
        (put(2, "seq", to=2), "line 2: seq: expected 1"),
        (cut(3), "line 3: seq: expected 2"),
        (put(2, "type", to="tea"), "line 2: type: "),
        (put(2, "created_at", to=5), "line 2: created_at: "),
        (put(2, "created_at", to="2026-01-01T12:00:00"), "line 2: created_at: without a time zone"),
        (put(2, "sender", "name", to="Eve"), "line 2: participant ada: somebody else"),
        (put(2, "sender", "kind", to="king"), "line 2: sender.kind"),
        (put(2, "data", to={}), "line 2: data.text: Field required"),
        (put(2, "data", "text", to=7), "line 2: data.text"),
        (put(2, "data", "text", to="a\0b"), "line 2: text: .*NUL"),
        (put(2, "data", "reply_to", to=1), "line 2: data.reply_to: is no event before"),
        (
            put(2, "data", "edited_at", to="2026-01-01T12:00:00"),
            "line 2: data.edited_at: not in UTC",
        ),
        (
            put(2, "data", "edited_at", to="2026-01-01T14:00:00+02:00"),
            "line 2: data.edited_at: not in",
        ),
        (put(2, "data", "colour", to="red"), "line 2: data.colour: Extra inputs"),
        (put(2, "data", "stopped", to=None), "line 2: data: not as it is written"),
        (put(3, "data", "text", to="secret"), "line 3: data.text: of a deleted message"),
        (put(4, "data", "text", to="secret"), "line 4: data.text: of a deleted message"),
        (put(5, "data", "seq", to=9), "line 5: data.seq: is no event before"),
        (put(6, "reply", "state", to="running"), "line 6: reply.state"),
        (put(6, "reply", "finished_at", to=AT), "line 6: reply.finished_at"),
        (put(6, "reply", "prompt_seq", to=5), "line 6: reply: of no event"),
        (put(6, "reply", "tokens", to=2**31), "line 6: reply.tokens"),
        (put(7, "memory", "through_seq", to=5), "line 7: memory.through_seq"),
        (cut(6), "line 7: end: counts other"),
        (cut(8), "line 8: the file ends too early"),
        (cut(1), "line 1: format|line 1: session: Field required"),
        (lambda lines: lines.append({}), 'line 9: there is something after the "end"'),
        (lambda lines: lines.insert(6, lines[6]), "line 8: memory.bot: the same one twice"),
        (lambda lines: lines.clear(), "line 1: the file ends too early"),
    ],
)
def test_a_line_that_is_not_as_it_should_be_is_named_with_the_reason(
    change: Change, complaint: str
) -> None:
    lines = archive()
    change(lines)
    with pytest.raises(BadArchive) as refused:
        check_archive(encoded(lines))
    assert re.match(complaint, str(refused.value)), refused.value


@pytest.mark.parametrize(
    "line", [b"\n", b"{", b"[]\n", b"\xff\n", b'"\\ud800"\n', b"[" * 9_999, b"null\n", b"NaN\n"]
)
def test_what_is_no_json_object_is_refused(line: bytes) -> None:
    whole = encoded(archive())
    for number in range(len(whole)):
        with pytest.raises(BadArchive, match=f"line {number + 1}: "):
            check_archive([*whole[:number], line, *whole[number + 1 :]])


def test_no_complaint_quotes_what_people_wrote() -> None:
    lines = archive()
    put(2, "data", "text", to=["a secret"])(lines)
    with pytest.raises(BadArchive) as refused:
        check_archive(encoded(lines))
    assert "secret" not in str(refused.value)


def test_a_reply_is_in_the_file_with_all_that_it_has() -> None:
    left_behind = {"owner", "lease_until"}
    reply = ReplyLine.model_validate_json(encoded(archive())[5]).reply
    assert set(_reply_row("s", reply)) == set(schema.reply.columns.keys()) - left_behind
