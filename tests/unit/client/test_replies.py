"""Replies put together from deltas, without a server."""

import asyncio
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chatserver.chat.events import ReplyDelta, ReplyStopped
from chatserver.chat.models import Event, EventType, ReplyOutcome, ReplyState
from chatserver.client.replies import REMEMBERED, GrowingReply, Replies
from chatserver.client.reply import ReplyStream
from tests.unit.client.test_inflow import event
from tests.waiting import PATIENCE


def final(text: str, **data: Any) -> Event:
    return event(9).model_copy(
        update={"type": EventType.MESSAGE_CREATED, "data": {"text": text, "reply_id": "r", **data}}
    )


def growing() -> GrowingReply:
    return GrowingReply("r", 1)


def test_deltas_grow_the_text() -> None:
    reply = growing()
    reply.add(1, 0, "Grüße ")
    reply.add(1, 6, "🎈!")
    assert reply.text == "Grüße 🎈!"


def test_a_repeated_or_overlapping_delta_adds_only_what_is_new() -> None:
    reply = growing()
    reply.add(1, 0, "abc")
    reply.add(1, 0, "abc")
    reply.add(1, 2, "cd")
    assert reply.text == "abcd"


def test_what_comes_after_a_hole_waits_for_the_final_text() -> None:
    reply = growing()
    reply.add(1, 0, "ab")
    reply.add(1, 5, "f")
    assert reply.text == "ab"
    reply.finish(final("abcdef"))
    assert (reply.text, reply.rewritten) == ("abcdef", 0)


def test_a_new_attempt_begins_anew_and_the_old_one_is_heard_no_more() -> None:
    reply = growing()
    reply.add(1, 0, "old")
    reply.begin(2)
    reply.add(1, 3, "er")
    reply.add(2, 0, "new")
    assert (reply.text, reply.rewritten) == ("new", 1)


def test_the_stored_message_wins() -> None:
    reply = growing()
    reply.add(1, 0, "streamed")
    reply.finish(final("stored", stopped=True))
    assert (reply.text, reply.rewritten) == ("stored", 1)
    assert reply.ended
    assert reply.stopped


@given(
    st.text(max_size=40),
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 10)), max_size=60),
)
def test_whatever_deltas_come_the_text_is_a_beginning_of_the_reply(
    text: str, cuts: list[tuple[int, int]]
) -> None:
    reply = growing()
    for offset, length in cuts:
        reply.add(1, offset, text[offset : offset + length])
        assert text.startswith(reply.text)
    reply.finish(final(text))
    assert (reply.text, reply.rewritten) == (text, 0)


def delta(reply_id: str) -> ReplyDelta:
    return ReplyDelta(session_id="s", reply_id=reply_id, attempt=1, offset=0, text="so far")


def test_a_running_reply_is_remembered_however_many_ended_since() -> None:
    replies = Replies()
    replies.hear(delta("running"))
    for number in range(REMEMBERED + 10):
        replies.hear(ReplyStopped(session_id="s", reply_id=f"r{number}", seq=None))
    assert [reply.reply_id for reply in replies.running()] == ["running"]
    assert replies.find(None, "r10") is None
    assert replies.find(None, "r11") is not None


def test_however_many_run_at_once_not_all_are_remembered() -> None:
    replies = Replies()
    for number in range(REMEMBERED + 10):
        replies.hear(delta(f"r{number}"))
    assert len(replies.running()) == REMEMBERED


async def test_who_follows_a_reply_gets_its_end_though_it_is_forgotten() -> None:
    async def look_up(*_which: object) -> None:
        raise AssertionError("all of it was heard")

    replies = Replies()
    replies.hear(delta("r"))
    stream = ReplyStream(
        replies, look_up, lambda: None, prompt_seq=1, reply_id="r", bot=None, timeout=PATIENCE
    )
    assert (await anext(stream)).text == "so far"
    replies.hear(ReplyStopped(session_id="s", reply_id="r", seq=None))
    for number in range(REMEMBERED + 10):
        replies.hear(delta(f"r{number}"))
    assert await stream.wait() is None
    assert (stream.text, stream.stopped) == ("so far", True)


async def test_the_end_of_a_reply_that_was_never_heard_to_begin_is_asked_for() -> None:
    asked: asyncio.Queue[int] = asyncio.Queue()
    outcome = ReplyOutcome(
        reply_id="r",
        session_id="s",
        prompt_seq=1,
        bot="bot",
        state=ReplyState.QUEUED,
        attempt=0,
        message=None,
    )

    async def look_up(prompt_seq: int, *_: object) -> None:
        asked.put_nowait(prompt_seq)
        replies.settle(outcome)

    replies = Replies()
    stream = ReplyStream(
        replies, look_up, lambda: None, prompt_seq=1, reply_id=None, bot=None, timeout=PATIENCE
    )
    waiting = asyncio.create_task(stream.wait())
    assert await asked.get() == 1
    outcome = outcome.model_copy(update={"state": ReplyState.STOPPED})
    replies.hear(ReplyStopped(session_id="s", reply_id="r", seq=None))
    assert await waiting is None
    assert (stream.reply_id, stream.stopped) == ("r", True)
