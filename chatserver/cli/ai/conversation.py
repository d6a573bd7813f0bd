"""What an AI remembers of the talk, and shows to its bot."""

from collections import deque
from datetime import UTC, datetime

from chatserver.chat.bots import bot_participant
from chatserver.chat.models import (
    Event,
    EventType,
    Participant,
    ParticipantKind,
    ReplyPolicy,
    Session,
    Visibility,
)
from chatserver.chat.ports import ReplyContext
from chatserver.cli.ai.line import Line, Speaker

PROMPTER = Participant(id="prompter", name="Prompter", kind=ParticipantKind.OPERATOR)
"""Says what the bot is asked for where nobody in the room has asked it."""


class Conversation:
    """The last `size` lines, with what this AI said as its bot's own."""

    def __init__(self, bot: str, size: int) -> None:
        self._own = bot_participant(bot)
        self._size = size
        self._lines: deque[tuple[Participant, str]] = deque(maxlen=size)

    def heard(self, line: Line) -> None:
        if line.speaker is not Speaker.NOTICE:
            self._lines.append((line.sender, line.text))

    def said(self, text: str) -> None:
        self._lines.append((self._own, text))

    def answering(self) -> ReplyContext:
        """To be answered is the last line; there must be one."""
        return self._context(list(self._lines))

    def asked_for(self, instruction: str) -> ReplyContext:
        """To be answered is the instruction, as said after everything."""
        return self._context([*self._lines, (PROMPTER, instruction)][-self._size :])

    def _context(self, lines: list[tuple[Participant, str]]) -> ReplyContext:
        now = datetime.now(UTC)
        events = tuple(
            Event(
                session_id="ai",
                seq=seq,
                type=EventType.MESSAGE_CREATED,
                sender=sender,
                created_at=now,
                data={"text": text},
            )
            for seq, (sender, text) in enumerate(lines, start=1)
        )
        session = Session(
            id="ai",
            title="",
            visibility=Visibility.LINK,
            reply_policy=ReplyPolicy.ALWAYS,
            bot=self._own.name,
            created_by=PROMPTER.id,
            created_at=now,
            last_seq=len(events),
        )
        return ReplyContext(session=session, prompt=events[-1], messages=events)
