"""What an AI says, when, and what it does where its bot fails."""

import itertools
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatserver.bots.openai.prompt import messages
from chatserver.chat.models import Participant, ParticipantKind
from chatserver.chat.ports import BotError, ReplyContext
from chatserver.cli.ai.conversation import Conversation
from chatserver.cli.ai.ideas import INSTRUCTION, BotsIdeas, LinesOfText
from chatserver.cli.ai.line import Line, Speaker
from chatserver.cli.ai.pace import EverySeconds
from chatserver.cli.ai.voice import TRIES, Voice
from chatserver.client.backoff import Backoff
from chatserver.testing import ScriptedBot

ADA = Participant(id="ada", name="Ada", kind=ParticipantKind.USER)


def line(number: int, text: str, speaker: Speaker = Speaker.PERSON) -> Line:
    return Line(number, speaker, ADA, text)


def context() -> ReplyContext:
    talk = Conversation("scripted", 4)
    talk.heard(line(1, "hello"))
    return talk.answering()


@dataclass
class Spoken:
    """A voice, and what came of it besides answers."""

    bot: ScriptedBot = field(default_factory=ScriptedBot)
    told: list[str] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)

    def voice(self, chars: int = 100, seconds: float = 10) -> Voice:
        async def sleep(pause: float) -> None:
            self.slept.append(pause)

        backoff = Backoff(first=1, cap=8, rng=random.Random(1))
        return Voice(
            self.bot, self.told.append, seconds=seconds, chars=chars, backoff=backoff, sleep=sleep
        )


async def test_an_answer_is_whole_and_trimmed() -> None:
    spoken = Spoken()
    spoken.bot.say(" to be", " or not ").end()
    assert await spoken.voice().answer(context()) == "to be or not"
    assert (spoken.told, spoken.slept, spoken.bot.closed) == ([], [], 1)


async def test_half_a_character_is_made_whole() -> None:
    spoken = Spoken()
    spoken.bot.say("a\ud800b").end()
    assert await spoken.voice().answer(context()) == "a?b"


async def test_an_answer_is_cut_where_it_is_too_long() -> None:
    spoken = Spoken()
    spoken.bot.say("x" * 7, "y" * 7, "z").end()
    assert await spoken.voice(chars=10).answer(context()) == "x" * 7 + "yyy"
    assert spoken.bot.closed == 1


async def test_what_may_pass_is_tried_again_after_a_while() -> None:
    spoken = Spoken()
    spoken.bot.fail()
    spoken.bot.answers(["", "here I am"])
    assert await spoken.voice().answer(context()) == "here I am"
    assert len(spoken.slept) == 2
    assert ["model_unavailable" in spoken.told[0], "nothing" in spoken.told[1]] == [True, True]


async def test_failures_are_told_and_the_pauses_grow_until_an_answer_comes() -> None:
    spoken = Spoken()
    voice = spoken.voice()
    for _ in range(2 * TRIES):
        spoken.bot.fail()
    assert [await voice.answer(context()) for _ in range(2)] == [None, None]
    assert len(spoken.told) == 2 * TRIES
    assert len(spoken.slept) == 2 * TRIES - 1
    assert all(2**n / 4 <= pause <= 2**n for n, pause in enumerate(spoken.slept[:3]))
    spoken.bot.answers(["at last", "and again"])
    assert await voice.answer(context()) == "at last"
    pauses = len(spoken.slept)
    assert await voice.answer(context()) == "and again"
    assert len(spoken.slept) == pauses


async def test_what_will_not_pass_is_asked_once() -> None:
    spoken = Spoken()
    spoken.bot.fail(BotError("refused", "No.", retryable=False))
    assert await spoken.voice().answer(context()) is None
    assert spoken.told == ["the bot scripted failed: No. (refused)"]


async def test_a_crash_is_told_without_its_words() -> None:
    spoken = Spoken()
    for _ in range(TRIES):
        spoken.bot.fail(ZeroDivisionError("secret"))
    assert await spoken.voice().answer(context()) is None
    assert len(spoken.told) == TRIES
    assert "secret" not in "".join(spoken.told)


async def test_a_bot_that_takes_too_long_is_given_up() -> None:
    spoken = Spoken()
    assert await spoken.voice(seconds=0.001).answer(context()) is None
    assert "took longer" in spoken.told[0]


@given(st.lists(st.text(min_size=1), min_size=2, max_size=8, unique=True), st.integers())
async def test_no_line_comes_again_before_all_have_come_nor_twice_in_a_row(
    corpus: list[str], seed: int
) -> None:
    ideas = LinesOfText([*corpus, corpus[0]], random.Random(seed))
    said = [await ideas.next() for _ in range(3 * len(corpus))]
    for round_ in range(3):
        part = said[round_ * len(corpus) : (round_ + 1) * len(corpus)]
        assert sorted(map(str, part)) == sorted(corpus)
    assert all(one != other for one, other in itertools.pairwise(said))


async def test_a_single_line_is_said_once() -> None:
    ideas = LinesOfText(["only this"])
    assert [await ideas.next() for _ in range(3)] == ["only this", None, None]


async def test_a_bot_that_repeats_itself_is_asked_again_and_then_silent() -> None:
    spoken = Spoken()
    ideas = BotsIdeas(spoken.voice(), Conversation("scripted", 4), spoken.told.append)
    spoken.bot.answers(["one", "one", "two", "two", "two", "two", "three"])
    assert [await ideas.next() for _ in range(4)] == ["one", "two", None, "three"]
    assert spoken.told == ["the bot repeats itself; this time nothing is said"]


async def test_the_bot_is_shown_the_last_lines_with_its_own_as_its_own() -> None:
    talk = Conversation("scripted", 3)
    talk.heard(line(1, "forgotten"))
    talk.heard(line(2, "Server: Client X joined the chat", Speaker.NOTICE))
    talk.heard(line(3, "one"))
    talk.said("two")
    talk.heard(line(4, "three"))
    shown = talk.answering()
    assert [event.data["text"] for event in shown.messages] == ["one", "two", "three"]
    assert shown.prompt == shown.messages[-1]
    sent = messages("system", shown.messages, "scripted", 3)
    assert [each["role"] for each in sent] == ["system", "user", "assistant", "user"]


async def test_of_its_own_accord_the_bot_is_asked_for_something_new_behind_the_last_lines() -> None:
    talk = Conversation("scripted", 3)
    assert [event.data["text"] for event in talk.asked_for(INSTRUCTION).messages] == [INSTRUCTION]
    for number, text in enumerate(("one", "two", "three")):
        talk.heard(line(number, text))
    shown = [event.data["text"] for event in talk.asked_for(INSTRUCTION).messages]
    assert shown == ["two", "three", INSTRUCTION]


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def read(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now += seconds


async def times(pace: EverySeconds, time: Time, busy: list[float]) -> AsyncIterator[float]:
    for seconds in busy:
        await pace.next()
        yield time.now
        time.now += seconds


async def test_the_cadence_does_not_drift_and_nothing_is_caught_up_on() -> None:
    time = Time()
    pace = EverySeconds(0.5, time.read, time.sleep)
    spoken = [now async for now in times(pace, time, [0, 0.1, 0.4, 1.2, 0, 0])]
    assert spoken == pytest.approx([100.5, 101.0, 101.5, 102.0, 103.5, 104.0])


async def test_every_time_has_a_number_of_its_own() -> None:
    time = Time()
    pace = EverySeconds(2, time.read, time.sleep)
    numbers = []
    for busy in (0.0, 1.0, 7.0, 0.5):
        numbers.append(await pace.next())
        time.now += busy
    assert numbers == [1, 2, 3, 7]
