"""Which messages the model is shown: as many of the newest as its window and its budget allow."""

from collections.abc import Sequence

from chatserver.bots.openai.estimate import MESSAGE_TOKENS, estimate
from chatserver.bots.openai.prompt import (
    LEFT_OUT,
    Role,
    are_several,
    instructions,
    joint,
    memory_line,
    shown,
)
from chatserver.chat.models import Event


def fitting(
    system: str, events: Sequence[Event], bot: str, *, most: int, room: float, memory: str | None
) -> int:
    """How many of the newest fit, at most `most`; 0 where not even the prompt does.

    What `prompt.messages` makes of so many has at most `room` estimated tokens.
    """
    used = MESSAGE_TOKENS + estimate(instructions(system, events, bot, memory))
    several = are_several(events, bot)
    newer, fits = None, 0
    for count, turn in enumerate(reversed(shown(events, bot)[-most:]), start=1):
        role = turn["role"]
        between = estimate(joint(role, several)) if role == newer else MESSAGE_TOKENS
        used += estimate(turn["content"]) + between
        newer = role
        if used > room:
            break
        if used + _opening(role, memory, several) <= room:
            fits = count
    return fits


def _opening(first: Role, memory: str | None, several: bool) -> float:
    """What stands before the first of the messages."""
    if first == "assistant":
        return MESSAGE_TOKENS + estimate(LEFT_OUT if memory is None else memory_line(memory))
    return 0.0 if memory is None else estimate(memory_line(memory) + joint(first, several))
