"""What a whole chat completion says, one that was not streamed."""

from dataclasses import dataclass
from typing import Any

from chatserver.bots.openai.chunks import Usage, parse, read_usage
from chatserver.bots.openai.failures import Empty, Garbage, Refused, ServerFault
from chatserver.bots.openai.statuses import failure_in_stream


@dataclass(frozen=True, slots=True)
class Completion:
    text: str
    """Of the answer; never blank. What the model thought before it is left out."""
    usage: Usage | None


def read_completion(body: bytes) -> Completion:
    """Raises `Empty`, and what `read_choice` raises."""
    choice, usage = read_choice(body)
    message = choice.get("message")
    if not isinstance(message, dict):
        raise Garbage("a choice of another form")
    reason = choice.get("finish_reason")
    if reason == "content_filter" or message.get("refusal"):
        raise Refused("by the content filter" if reason == "content_filter" else "by the model")
    if reason == "error":
        raise ServerFault("finish reason error")
    text = message.get("content")
    if not isinstance(text, str | None):
        raise Garbage("content of another form")
    if text is None or not text.strip():
        raise Empty("cut off" if reason == "length" else "nothing said")
    return Completion(text, usage)


def read_choice(body: bytes) -> tuple[dict[str, Any], Usage | None]:
    """The first choice, whatever it holds. Raises `Garbage`, or what an error object means."""
    answer = parse(body)
    if answer.get("error"):
        raise failure_in_stream(answer["error"])
    choices = answer.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise Garbage("a completion of another form")
    return choices[0], read_usage(answer.get("usage"))
