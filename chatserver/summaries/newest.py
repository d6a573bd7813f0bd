"""How much of a conversation is looked at."""

from collections.abc import Sequence

from chatserver.chat.models import Event


def newest(messages: Sequence[Event], max_chars: int) -> list[Event]:
    """The newest messages that together have no more text than that, oldest first.

    Of one that alone has more, its beginning.
    """
    chosen: list[Event] = []
    room = max_chars
    for message in reversed(messages):
        room -= len(message.data["text"])
        if room < 0:
            break
        chosen.append(message)
    if messages and not chosen:
        data = messages[-1].data
        return [
            messages[-1].model_copy(update={"data": {**data, "text": data["text"][:max_chars]}})
        ]
    return chosen[::-1]
