"""Which lines an AI answers, without sockets and without time."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatserver.bots.echo import EchoBot
from chatserver.chat.models import Participant, ParticipantKind
from chatserver.cli.ai.behaviour import answer_lines
from chatserver.cli.ai.conversation import Conversation
from chatserver.cli.ai.line import Line, Speaker, speaker_of
from chatserver.cli.ai.turns import Turns
from chatserver.cli.ai.voice import Voice

PEOPLE, AIS = ("Ada", "Aisha", "ai", "Server"), ("AI-1", "ai_bot")


def line(number: int, name: str = "Ada", *, notice: bool = False, past: bool = False) -> Line:
    sender = Participant(id=name, name=name, kind=ParticipantKind.USER)
    speaker = Speaker.NOTICE if notice else speaker_of(sender)
    return Line(number, speaker, sender, f"line {number}", past)


lines = st.lists(
    st.one_of(
        st.sampled_from(PEOPLE).map(lambda name: (name, False)),
        st.sampled_from(AIS).map(lambda name: (name, False)),
        st.just(("Server", True)),
    ),
    max_size=40,
).map(lambda said: [line(n, name, notice=notice) for n, (name, notice) in enumerate(said, 1)])


@st.composite
def heard(draw: st.DrawFn) -> tuple[list[Line], list[Line]]:
    """What was said, and what an AI heard of it: after each restart some of it again."""
    said = draw(lines)
    told: list[Line] = []
    restarts = draw(st.lists(st.integers(0, len(said)), max_size=4))
    for end in [*sorted(restarts), len(said)]:
        begin = draw(st.integers(0, told[-1].number)) if told else 0
        told += said[begin:end]
    return said, told


@dataclass
class Room:
    """A `Door` where everything that will be said is known."""

    lines: Sequence[Line]
    said: list[tuple[str, str]] = field(default_factory=list)

    async def heard(self) -> AsyncIterator[Line]:
        for each in self.lines:
            yield each

    async def say(self, text: str, key: str) -> None:
        self.said.append((text, key))


async def answers(told: Sequence[Line], n: int) -> list[tuple[str, str]]:
    room = Room(told)
    bot = EchoBot(1e9)
    voice = Voice(bot, pytest.fail, seconds=10, chars=1000)
    await answer_lines(room, Turns(n), Conversation("echo", 4), voice)
    return room.said


@given(heard(), st.integers(1, 7))
async def test_every_nth_line_of_people_is_answered_once_whatever_else_is_heard(
    both: tuple[list[Line], list[Line]], n: int
) -> None:
    said, told = both
    of_people = [each for each in said if each.speaker is Speaker.PERSON]
    answered = await answers(told, n)
    assert len(answered) == len(of_people) // n
    assert answered == [(each.text, f"ai-{each.number}") for each in of_people[n - 1 :: n]]


@given(lines, lines, st.integers(1, 3))
async def test_what_was_said_before_it_came_does_not_count(
    past: list[Line], said: list[Line], n: int
) -> None:
    before = [line(each.number, each.sender.name, past=True) for each in past]
    after = [Line(len(past) + each.number, each.speaker, each.sender, each.text) for each in said]
    assert len(await answers([*before, *after], n)) == len(await answers(said, n))


@pytest.mark.parametrize("name", ["AI-1", "ai-lene", "AI_bot"])
def test_whose_name_begins_like_an_ais_is_one(name: str) -> None:
    assert line(1, name).speaker is Speaker.AI


@pytest.mark.parametrize("name", ["Aisha", "AI", "Ai Weiwei", "aida-2", "x AI-1"])
def test_other_names_are_peoples(name: str) -> None:
    assert line(1, name).speaker is Speaker.PERSON


def test_bots_of_the_server_are_as_good_as_ais() -> None:
    bot = Participant(id="bot:echo", name="echo", kind=ParticipantKind.BOT)
    assert speaker_of(bot) is Speaker.AI
