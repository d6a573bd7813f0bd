"""What is said, as the text of a frame."""

from chatserver.chat.models import Event, EventType, Participant, ParticipantKind
from chatserver.gateways.naming import shown

WORD = "Error"
ERROR = f"{WORD}: "
"""Begins what is no message: why one was not taken, or not answered."""

LEFT_OUT = ERROR + "you missed more than is shown here; what was said earlier is left out"


def line_of(event: Event, listener: Participant) -> str | None:
    """Bots bare, other people by name. None: it is not for `listener`, who knows what they said."""
    if event.type is EventType.REPLY_FAILED:
        return f"{ERROR}{event.data['message']}"
    if event.type is not EventType.MESSAGE_CREATED or event.sender.id == listener.id:
        return None
    text = str(event.data["text"])
    if not text:  # it was deleted
        return None
    if event.sender.kind is ParticipantKind.BOT:
        return text
    return f"{shown(event.sender, WORD)}: {text}"
