"""Public doubles, for testing bots and whatever is built on this package.

`FakeClock` moves when told to, `ScriptedBot` says what it is told to, and `FakeModel` is a model's
endpoint on a real socket that answers, or fails, as scripted.
"""

from chatserver.testing.behaviour import (
    Behaviour,
    Ending,
    Refuse,
    Silence,
    Speak,
    Usage,
    bad_request,
    broken_off,
    content_filtered,
    context_too_long,
    cut,
    garbage,
    hang,
    huge,
    keep_alives,
    rate_limited,
    server_error,
    unauthorized,
    unsupported,
)
from chatserver.testing.clock import FakeClock
from chatserver.testing.model import FakeModel, ModelRequest
from chatserver.testing.scripted import ScriptedBot

__all__ = [
    "Behaviour",
    "Ending",
    "FakeClock",
    "FakeModel",
    "ModelRequest",
    "Refuse",
    "ScriptedBot",
    "Silence",
    "Speak",
    "Usage",
    "bad_request",
    "broken_off",
    "content_filtered",
    "context_too_long",
    "cut",
    "garbage",
    "hang",
    "huge",
    "keep_alives",
    "rate_limited",
    "server_error",
    "unauthorized",
    "unsupported",
]
