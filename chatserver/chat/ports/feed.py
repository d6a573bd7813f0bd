"""What tells people, and pools, what happens."""

from typing import Protocol

from chatserver.chat.events import Signal


class Feed(Protocol):
    """Ephemeral events. (The durable ones reach the feed from the store, by `subscribe`.)"""

    def signal(self, session_id: str, signal: Signal) -> None:
        """Tells everyone in the session's room. Never blocks, never fails."""
        ...

    def notify(self, participant_id: str, signal: Signal) -> None:
        """Tells all connections of one participant."""
        ...

    def close_session(self, session_id: str) -> None:
        """Empties the room of a session that is gone. Its members are told by `notify`."""
        ...

    def drop_token(self, digest: bytes) -> None:
        """Ends all connections that came with this token."""
        ...

    def reply_left(self, session_id: str, reply_id: str) -> None:
        """This process writes that reply no longer, whether it came to its end or not."""
        ...

    async def online(self, session_id: str) -> frozenset[str]:
        """The ids of the participants whose connections are in the room, on any instance.

        Takes a moment at most; those not heard of by then are missing.
        """
        ...

    async def all_online(self, session_id: str) -> frozenset[str] | None:
        """The same, asked for anew; None where not every instance answered."""
        ...


class ReplyNudge(Protocol):
    def stop_requested(self, reply_id: str) -> None:
        """Tells whoever runs this reply to look at its stored stop mark now."""
        ...
