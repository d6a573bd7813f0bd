"""What a fake model does with one request."""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

PAUSE = 0.02
"""Seconds between two keep-alive comments."""


class Ending(enum.Enum):
    """How a stream ends, after its pieces."""

    DONE = enum.auto()
    """As it should: finish reason, usage, `[DONE]`."""
    BROKEN_OFF = enum.auto()
    """The body ends in order, but neither finish reason nor `[DONE]` came."""
    CUT = enum.auto()
    """The connection is gone in the middle of the body."""
    HANG = enum.auto()
    """Nothing more comes, and the connection stays open."""
    KEEP_ALIVES = enum.auto()
    """Only comments come, for ever."""
    GARBAGE = enum.auto()
    """A line that is not JSON, then all as it should be."""
    ERROR = enum.auto()
    """An error object in place of a chunk, as proxies send it once the status line has left."""
    FINISHED_THEN_HANG = enum.auto()
    """The finish reason comes, usage and `[DONE]` never do."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens, as the endpoint counts them; `completion` includes `reasoning`."""

    prompt: int = 7
    completion: int = 5
    reasoning: int = 0


@dataclass(frozen=True, slots=True)
class Speak:
    """Answers with status 200: first the reasoning, then the pieces, then the ending.

    `pace` is in seconds, before each piece of either. Without `stream` in the request, the same
    comes as one body.
    """

    pieces: Sequence[str] = ("Hello", " there.")
    reasoning: Sequence[str] = ()
    reasoning_field: Literal["reasoning_content", "reasoning"] = "reasoning_content"
    pace: float = 0.0
    comments: int = 0
    """Keep-alive comments before anything else."""
    ending: Ending = Ending.DONE
    finish_reason: str = "stop"
    usage: Usage | None = field(default_factory=Usage)


@dataclass(frozen=True, slots=True)
class Refuse:
    """Answers with an error status and OpenAI's error object."""

    status: int
    code: str | None = None
    type: str = "invalid_request_error"
    message: str = "No."
    headers: Mapping[str, str] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        error = {"message": self.message, "type": self.type, "param": None, "code": self.code}
        return {"error": error}


@dataclass(frozen=True, slots=True)
class Silence:
    """Takes the request and never answers, not even with a status line."""


Behaviour = Speak | Refuse | Silence


def rate_limited(retry_after: float | str | None = None) -> Refuse:
    """429; `retry_after` in seconds, or an HTTP date."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return Refuse(429, "rate_limit_exceeded", "requests", "Slow down.", headers)


def server_error(status: int = 500) -> Refuse:
    return Refuse(status, None, "server_error", "The server had an error.")


def unauthorized() -> Refuse:
    return Refuse(401, "invalid_api_key", message="Incorrect API key provided.")


def bad_request(code: str | None = None) -> Refuse:
    return Refuse(400, code, message="That is not a request.")


def unsupported(name: str, instead: str) -> Refuse:
    """Knows a field of the request by another name only."""
    words = f"Unsupported parameter: '{name}' is not supported with this model."
    return Refuse(400, "unsupported_parameter", message=f"{words} Use '{instead}' instead.")


def context_too_long(limit: int | None = 16) -> Refuse:
    """`limit` is what the endpoint says that its model takes, in tokens; None: it does not say."""
    words = "Too long." if limit is None else f"The maximum context length is {limit} tokens."
    return Refuse(400, "context_length_exceeded", message=words)


def content_filtered(after: Sequence[str] = ()) -> Speak:
    """The filter ends the stream, after some pieces or before any."""
    return Speak(after, finish_reason="content_filter")


def hang(after: Sequence[str] = ()) -> Speak:
    """Says the pieces, and then nothing, on an open connection."""
    return Speak(after, ending=Ending.HANG)


def keep_alives(after: Sequence[str] = ()) -> Speak:
    return Speak(after, ending=Ending.KEEP_ALIVES)


def cut(after: Sequence[str] = ()) -> Speak:
    return Speak(after, ending=Ending.CUT)


def broken_off(after: Sequence[str] = ()) -> Speak:
    """Ends the body as if that were all."""
    return Speak(after, ending=Ending.BROKEN_OFF)


def garbage(after: Sequence[str] = ()) -> Speak:
    return Speak(after, ending=Ending.GARBAGE)


def huge(chars: int, piece: str = "0123456789abcdef" * 64) -> Speak:
    """An answer of at least so many characters."""
    return Speak((piece,) * -(-chars // len(piece)))
