"""What somebody at the framed door reads of what happens in the room. Pure functions."""

from chatserver.chat.events import PresenceChanged, Signal
from chatserver.chat.models import Event, EventType, Participant, ParticipantKind
from chatserver.gateways.naming import shown

SERVER = "Server"
"""Who says what nobody said."""


def notice(text: str) -> str:
    return f"{SERVER}: {text}"


def line_of(heard: Event | Signal, reader: Participant, own: str) -> str | None:
    """None: nothing to read. `own` begins the `client_message_id` of what this connection said.

    Edits and deletions are not told: a line that was read stays.
    """
    match heard:
        case Event(type=EventType.MESSAGE_CREATED):
            return _said(heard, own)
        case Event(type=EventType.REPLY_FAILED):
            return notice(f"{heard.sender.name} could not answer: {heard.data['message']}")
        case PresenceChanged() if _is_announced(heard.participant, reader):
            what = "joined" if heard.online else "left"
            return notice(f"Client {heard.participant.name} {what} the chat")
    return None


def _said(message: Event, own: str) -> str | None:
    text = message.data["text"]
    is_own = message.data.get("client_message_id", "").startswith(own)
    # One that was deleted before it was told has no text any more.
    return None if is_own or not text else f"{shown(message.sender, SERVER)}: {text}"


def _is_announced(who: Participant, reader: Participant) -> bool:
    return who.kind is not ParticipantKind.BOT and who.id != reader.id
