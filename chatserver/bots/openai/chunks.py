"""What one chunk of a streamed chat completion says."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from chatserver.bots.openai.failures import Failure, Garbage, Refused, ServerFault
from chatserver.bots.openai.statuses import failure_in_stream


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens; `completion` includes `reasoning`."""

    prompt: int
    completion: int
    reasoning: int


class Chunk(NamedTuple):
    """Several that came together are one."""

    text: str = ""
    """Of the answer."""
    reasoning: str = ""
    """What the model thinks before it; not meant for people."""
    finished: bool = False
    """The answer is whole."""
    usage: Usage | None = None

    @property
    def said(self) -> bool:
        """It has text of either kind."""
        return bool(self.text or self.reasoning)


DONE = Chunk(finished=True)


def read_chunks(lines: Iterator[bytes]) -> tuple[Chunk, Failure | None]:
    """What the chunks say together, up to the first that cannot be read, and why it cannot."""
    texts: list[str] = []
    thoughts: list[str] = []
    finished, usage = False, None
    failure: Failure | None = None
    try:
        for data in lines:
            chunk = read_chunk(data)
            texts.append(chunk.text)
            thoughts.append(chunk.reasoning)
            finished = finished or chunk.finished
            usage = chunk.usage or usage
    except Failure as found:
        failure = found
    return Chunk("".join(texts), "".join(thoughts), finished, usage), failure


def read_chunk(data: bytes) -> Chunk:
    """Raises `Garbage`, `Refused` (by the content filter), or what an error object means."""
    if data == b"[DONE]":
        return DONE
    payload = parse(data)
    if payload.get("error"):
        raise failure_in_stream(payload["error"])
    usage = read_usage(payload.get("usage"))
    choices = payload.get("choices")
    if not choices:  # the chunk with the usage has none
        return Chunk(usage=usage)
    try:
        choice = choices[0]
        delta = choice.get("delta") or {}
        reason = choice.get("finish_reason")
        text = _text(delta.get("content"))
        reasoning = _text(delta.get("reasoning_content")) or _text(delta.get("reasoning"))
        refusal = delta.get("refusal")
    except (AttributeError, IndexError, KeyError, TypeError):
        raise Garbage("a chunk of another form") from None
    if reason == "content_filter" or refusal:
        raise Refused("by the content filter" if not refusal else "by the model")
    if reason == "error":
        raise ServerFault("finish reason error")
    return Chunk(text, reasoning, finished=bool(reason), usage=usage)


def parse(data: bytes) -> dict[str, Any]:
    """The JSON object. Raises `Garbage`."""
    try:
        payload = orjson.loads(data)
    except orjson.JSONDecodeError:
        # Its words quote the document: nothing of it may be chained into the log.
        raise Garbage("not JSON") from None
    if not isinstance(payload, dict):
        raise Garbage("no JSON object")
    return payload


def read_usage(usage: Any) -> Usage | None:
    """None where the endpoint does not count, or not in the known form."""
    if not isinstance(usage, dict):
        return None
    details = usage.get("completion_tokens_details")
    reasoning = details.get("reasoning_tokens") if isinstance(details, dict) else 0
    counts = [usage.get("prompt_tokens"), usage.get("completion_tokens"), reasoning]
    return Usage(*(n if isinstance(n, int) and n > 0 else 0 for n in counts))


def _text(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise TypeError
    return value
