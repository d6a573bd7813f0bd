"""Reading a chat completion that was not streamed, without a socket."""

from typing import Any

import orjson
import pytest

from chatserver.bots.openai.chunks import Usage
from chatserver.bots.openai.completion import Completion, read_completion
from chatserver.bots.openai.failures import Empty, Failure, Garbage, Refused, ServerFault


def body(message: Any, reason: str = "stop", **fields: Any) -> bytes:
    choice = {"index": 0, "message": message, "finish_reason": reason}
    return orjson.dumps({"choices": [choice], **fields})


def test_a_completion_is_its_text_without_the_reasoning_and_its_usage() -> None:
    said = {"role": "assistant", "content": " 42\n", "reasoning_content": "Hm"}
    usage = {"prompt_tokens": 3, "completion_tokens": 2}
    assert read_completion(body(said, usage=usage)) == Completion(" 42\n", Usage(3, 2, 0))


def test_an_endpoint_that_does_not_count_leaves_the_usage_out() -> None:
    assert read_completion(body({"content": "42"})) == Completion("42", None)


@pytest.mark.parametrize(
    ("read", "failure"),
    [
        (body({"content": ""}), Empty),
        (body({"content": None}, "length"), Empty),
        (body({"content": " \n"}), Empty),
        (body({"content": None, "refusal": "I will not."}), Refused),
        (body({"content": "Half"}, "content_filter"), Refused),
        (body({"content": "Half"}, "error"), ServerFault),
        (body({"content": 42}), Garbage),
        (body(None), Garbage),
        (b'{"choices": []}', Garbage),
        (b'{"choices": {"0": 1}}', Garbage),
        (b"{}", Garbage),
        (b"<html>", Garbage),
        (b'{"error": {"code": 502}}', ServerFault),
    ],
    ids=str,
)
def test_what_is_no_answer_is_a_failure_of_its_kind(read: bytes, failure: type[Failure]) -> None:
    with pytest.raises(failure) as raised:
        read_completion(read)
    assert type(raised.value) is failure
