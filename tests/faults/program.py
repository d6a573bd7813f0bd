"""What a crowd does, drawn from a seed: who is in which session, and each client's next step."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

WORDS = ("one", "two", "many", "röt", "日本", "🙂", "and", "so", "on")
PROBES = ("get_history", "send_message", "mark_read", "set_typing")
"""Whoever knows a session's id may join it, unless it is private: then that is tried as well."""
BOT_SHARE = 0.25
"""Of the sessions, those with a bot."""
PAUSE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Room:
    """A session by its number; the owner is the first of its members."""

    number: int
    members: tuple[int, ...]
    private: bool
    bot: bool


@dataclass(frozen=True, slots=True)
class Say:
    room: int
    text: str
    prompt: bool


@dataclass(frozen=True, slots=True)
class Repeat:
    """The `back`th newest acked message once more: with its body, or with another one."""

    back: int
    text: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """Edits (or, without a text, deletes) the `back`th newest acked message."""

    back: int
    text: str | None


@dataclass(frozen=True, slots=True)
class Return:
    """Leaves a session, tries to read it, and joins it again."""

    room: int


@dataclass(frozen=True, slots=True)
class Probe:
    """Tries something in a session of others."""

    room: int
    action: str


@dataclass(frozen=True, slots=True)
class Pause:
    seconds: float


Step = Say | Repeat | Change | Return | Probe | Pause


def rooms(seed: int, clients: int, sessions: int) -> list[Room]:
    """Everybody is in at least one where there are enough; some rooms are private."""
    rng = random.Random(f"{seed}/rooms")
    found = []
    for number in range(sessions):
        owner = number % clients
        others = [client for client in range(clients) if client != owner]
        # Who would own no session and be in none comes first.
        due = [client for client in others if client % sessions == number % sessions]
        guests = due[:5] or rng.sample(others, min(2, len(others)))
        guests += rng.sample(others, min(3, len(others)))
        found.append(
            Room(
                number=number,
                members=(owner, *dict.fromkeys(guests)),
                private=rng.random() < 0.5,
                bot=number == 0 or rng.random() < BOT_SHARE,
            )
        )
    return found


def steps(
    seed: int, client: int, rooms: list[Room], bot: str | None, prompts: float
) -> Iterator[Step]:
    """Without end. What a step does may depend on what went before, which steps come does not.

    `prompts` is the share of the messages that ask `bot`, where there is one.
    """
    rng = random.Random(f"{seed}/client/{client}")
    own = [room for room in rooms if client in room.members]
    guest_of = [room for room in own if room.members[0] != client]
    others = [room for room in rooms if client not in room.members]
    number = 0
    while True:
        number += 1
        chance = rng.random()
        if chance < 0.87 and own:
            room = rng.choice(own)
            prompt = bool(bot) and room.bot and rng.random() < prompts
            yield Say(room.number, _text(rng, number, bot if prompt else None), prompt)
        elif chance < 0.90:
            yield Repeat(rng.randrange(20), None)
        elif chance < 0.91:
            yield Repeat(rng.randrange(20), _text(rng, number, None))
        elif chance < 0.93:
            erase = rng.random() < 0.3
            yield Change(rng.randrange(20), None if erase else _text(rng, number, None))
        elif chance < 0.935 and guest_of:
            yield Return(rng.choice(guest_of).number)
        elif chance < 0.97 and others:
            other = rng.choice(others)
            actions = (*PROBES, "join_session") if other.private else PROBES
            yield Probe(other.number, rng.choice(actions))
        elif chance > 0.97:
            yield Pause(rng.uniform(0, PAUSE_SECONDS))


def _text(rng: random.Random, number: int, bot: str | None) -> str:
    words = " ".join(rng.choice(WORDS) for _ in range(rng.randrange(1, 8)))
    return f"@{bot} {number} {words}" if bot else f"{number} {words}"
