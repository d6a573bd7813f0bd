"""Reading a streamed chat completion, without a socket."""

import itertools

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatserver.bots.openai.chunks import DONE, Chunk, Usage, read_chunk
from chatserver.bots.openai.failures import (
    ContextTooLong,
    Failure,
    Garbage,
    RateLimited,
    Refused,
    ServerFault,
)
from chatserver.bots.openai.lines import LINE_BYTES, DataLines

STREAM = (
    b": keep-alive\n\nevent: message\ndata: one\r\n\r\ndata:two\nid: 7\nretry: 1\n\n"
    + "data: drei\u2028\u0085\n\n".encode()
)
DATA = [b"one", b"two", "drei\u2028\u0085".encode()]


def chunk(delta: object, **fields: object) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": None}
    return orjson.dumps({"choices": [choice | fields]})


@given(st.lists(st.integers(0, len(STREAM)), max_size=6))
def test_the_same_lines_come_out_wherever_the_stream_is_cut_into_blocks(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(STREAM)]
    lines = DataLines()
    blocks = [STREAM[a:b] for a, b in itertools.pairwise(edges)]
    assert [data for block in blocks for data in lines.feed(block)] == DATA
    assert list(lines.flush()) == []


def test_a_line_is_given_before_the_blank_one_after_it() -> None:
    assert list(DataLines().feed(b"data: now\n")) == [b"now"]


def test_a_last_line_without_line_feed_counts() -> None:
    lines = DataLines()
    assert list(lines.feed(b"data: [DONE]")) == []
    assert list(lines.flush()) == [b"[DONE]"]


@pytest.mark.parametrize("line", [b"<html>\n", b'{"error": 1}\n', b"x" * (LINE_BYTES + 1)])
def test_what_is_no_event_stream_is_garbage(line: bytes) -> None:
    with pytest.raises(Garbage):
        list(DataLines().feed(line))


@pytest.mark.parametrize(
    ("data", "read"),
    [
        (b"[DONE]", DONE),
        (chunk({"role": "assistant", "content": ""}), Chunk()),
        (chunk({"content": "Hi"}), Chunk(text="Hi")),
        (chunk({"content": None, "reasoning_content": "Hm"}), Chunk(reasoning="Hm")),
        (chunk({"reasoning": "Hm"}), Chunk(reasoning="Hm")),
        (chunk({}, finish_reason="stop"), Chunk(finished=True)),
        (chunk({"content": "Hi"}, finish_reason="length"), Chunk(text="Hi", finished=True)),
        (chunk(None), Chunk()),
        (b'{"choices": []}', Chunk()),
        (
            b'{"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}',
            Chunk(usage=Usage(3, 2, 0)),
        ),
        (
            b'{"usage": {"prompt_tokens": "3", "completion_tokens": -1, '
            b'"completion_tokens_details": {"reasoning_tokens": 4}}}',
            Chunk(usage=Usage(0, 0, 4)),
        ),
    ],
)
def test_a_chunk_says_text_reasoning_end_or_usage(data: bytes, read: Chunk) -> None:
    assert read_chunk(data) == read


@pytest.mark.parametrize(
    ("data", "failure"),
    [
        (b"{", Garbage),
        (b"[]", Garbage),
        (b'{"choices": 7}', Garbage),
        (b'{"choices": ["x"]}', Garbage),
        (chunk({"content": 7}), Garbage),
        (chunk("text"), Garbage),
        (chunk({}, finish_reason="content_filter"), Refused),
        (chunk({"refusal": "No."}), Refused),
        (chunk({}, finish_reason="error"), ServerFault),
        (b'{"error": "dead"}', ServerFault),
        (b'{"error": {"message": "dead", "code": null}}', ServerFault),
        (b'{"error": {"code": 429}}', RateLimited),
        (b'{"error": {"code": "429"}}', RateLimited),
        (b'{"error": {"code": "content_filter"}}', Refused),
        (b'{"error": {"code": "context_length_exceeded"}}', ContextTooLong),
    ],
)
def test_a_chunk_that_is_none_says_what_it_means(data: bytes, failure: type[Failure]) -> None:
    with pytest.raises(failure) as raised:
        read_chunk(data)
    assert type(raised.value) is failure


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
DELTAS = st.fixed_dictionaries({}, optional={"content": JSON, "reasoning": JSON, "refusal": JSON})
CHOICES = st.fixed_dictionaries({}, optional={"delta": DELTAS | JSON, "finish_reason": JSON})
CHUNKS = st.fixed_dictionaries(
    {}, optional={"choices": st.lists(CHOICES | JSON) | JSON, "usage": JSON, "error": JSON}
)


@given(CHUNKS | JSON)
def test_whatever_is_sent_is_a_chunk_or_a_failure(payload: object) -> None:
    try:
        read = read_chunk(orjson.dumps(payload))
    except Failure:
        return
    assert isinstance(read.text, str)
    assert isinstance(read.reasoning, str)
