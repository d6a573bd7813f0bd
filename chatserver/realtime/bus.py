"""What carries frames between instances, as a protocol with its promises."""

from asyncio import Future
from collections.abc import Callable
from typing import Protocol

Hear = Callable[[bytes], None]
"""Takes a frame of one channel, on the event loop. Must neither block nor raise."""

INSTANCES = "instances"
"""The channel that every instance hears."""
POOLS = "pools"
"""The channel that every instance with a reply pool hears."""


def session_channel(session_id: str) -> str:
    return f"s:{session_id}"


def participant_channel(participant_id: str) -> str:
    return f"p:{participant_id}"


class Bus(Protocol):
    """Best effort: may lose, double or delay any frame, and says so where it knows.

    Frames of one instance on one channel keep their order. Nothing here blocks, and everything
    that waits is bounded. An instance does not hear its own frames.
    """

    lost: Callable[[str, bytes], None]
    """Called with the channel and the frame of each `keep` that was given up."""
    sending: Callable[[], None]
    """Called whenever frames can leave again after a time when they could not."""
    hearing_again: Callable[[], None]
    """Called whenever all channels are subscribed again after a time when frames were lost."""

    @property
    def is_deaf(self) -> bool:
        """Whether frames of others are being lost, as far as is known."""
        ...

    def publish(self, channel: str, frame: bytes, *, keep: bool) -> None:
        """Sends with what else this turn of the event loop sends.

        Where there is no room, frames that are not to be kept go first.
        """
        ...

    def reach(self, channel: str, frame: bytes) -> "Future[int]":
        """The same, and how many subscribers (oneself included) it went to; 0: it was not sent."""
        ...

    def subscribe(self, channel: str, hear: Hear) -> "Future[None]":
        """Resolves once it is certain to hear what is published from then on.

        That may be never; the wish lasts until `unsubscribe`, over all reconnects.
        """
        ...

    def unsubscribe(self, channel: str) -> None:
        """After a grace time, in which a new `subscribe` costs nothing."""
        ...
