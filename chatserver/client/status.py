"""What a client says about its connection while it works."""

from dataclasses import dataclass

from chatserver.chat.models import Participant


@dataclass(frozen=True, slots=True)
class Connecting:
    """The next attempt starts in `seconds`; counted since the last connection that lasted."""

    attempt: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Connected:
    """Connected, and in the rooms of all sessions that were joined."""

    participant: Participant
    again: bool


@dataclass(frozen=True, slots=True)
class Lost:
    """The connection ended; `draining` where the server said before that it would."""

    draining: bool


@dataclass(frozen=True, slots=True)
class GaveUp:
    """It will not connect again: the server refused for good, or the client was closed."""

    error: Exception | None


Status = Connecting | Connected | Lost | GaveUp
