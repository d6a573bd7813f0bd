"""How much of a conversation is looked at."""

from collections.abc import Sequence

from chatserver.chat.models import Event


def newest(messages: Sequence[Event], max_chars: int) -> list[Event]:
    """The newest messages that together have no more text than that, oldest first."""
    chosen: list[Event] = []
    room = max_chars
    for message in reversed(messages):
        room -= len(message.data["text"])
        if room < 0:
            break
        chosen.append(message)
    return chosen[::-1]
