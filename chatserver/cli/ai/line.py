"""What an AI hears, whatever the door."""

from dataclasses import dataclass
from enum import Enum

from chatserver.chat.models import Participant, ParticipantKind
from chatserver.cli.ai.names import is_ai_name


class Speaker(Enum):
    PERSON = "person"
    AI = "ai"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class Line:
    """Something that somebody else said."""

    number: int
    """Grows from line to line, not always by one; the same for a line that is heard again."""
    speaker: Speaker
    sender: Participant
    text: str
    past: bool = False
    """Whether it was said before this AI came: to be known, not to be counted."""


def speaker_of(sender: Participant) -> Speaker:
    """Bots of the server count as AIs: whoever answers them may be answered for ever."""
    if sender.kind is ParticipantKind.BOT or is_ai_name(sender.name):
        return Speaker.AI
    return Speaker.PERSON
