"""Which messages of a log make a conversation, and in which order they are read."""

from typing import Any

import pytest

from chatserver.chat.bots import bot_participant
from chatserver.chat.conversation import standing
from chatserver.chat.models import Event, EventType, Participant, ParticipantKind
from tests.talks import AT

EVE = Participant(id="eve", name="Eve", kind=ParticipantKind.USER)


def message(seq: int, sender: Participant = EVE, **data: Any) -> Event:
    return Event(
        session_id="s",
        seq=seq,
        type=EventType.MESSAGE_CREATED,
        sender=sender,
        created_at=AT,
        data={"text": f"message {seq}", **data},
    )


def answer(seq: int, to: int, bot: str = "ada", **data: Any) -> Event:
    return message(seq, bot_participant(bot), reply_to=to, reply_id=f"reply {seq}", **data)


def read(*messages: Event, prompt_seq: int | None = None) -> list[int]:
    return [event.seq for event in standing(messages, prompt_seq)]


@pytest.mark.parametrize(
    "gone", [{"stopped": True}, {"failed": True}, {"deleted_at": "2026-01-01T00:00:00Z"}]
)
def test_what_was_deleted_or_cut_short_is_left_out(gone: dict[str, Any]) -> None:
    assert read(message(1), answer(2, 1, **gone), message(3)) == [1, 3]


def test_what_was_cut_short_and_kept_is_read() -> None:
    assert read(message(1), answer(2, 1, stopped=True, kept=True)) == [1, 2]


def test_the_newest_of_a_bots_answers_stands_where_the_first_stood() -> None:
    assert read(message(1), answer(2, 1), message(3), answer(4, 1, replaces=2)) == [1, 4, 3]
    again = answer(6, 1, replaces=4)
    assert read(message(1), answer(2, 1), message(3), answer(4, 1, replaces=2), again) == [1, 6, 3]


def test_answers_of_two_bots_stand_side_by_side() -> None:
    assert read(message(1), answer(2, 1), answer(3, 1, "bob"), message(4)) == [1, 2, 3, 4]


def test_an_answer_that_was_cut_short_does_not_take_the_place_of_a_whole_one() -> None:
    cut = answer(4, 1, replaces=2, stopped=True)
    assert read(message(1), answer(2, 1), message(3), cut) == [1, 2, 3]
    assert read(message(1), answer(2, 1), message(3), cut, answer(5, 1, replaces=4)) == [1, 5, 3]


def test_an_answer_whose_first_version_is_not_there_stands_behind_its_prompt() -> None:
    assert read(message(1), message(3), answer(4, 1, replaces=2)) == [1, 4, 3]
    assert read(message(3), answer(4, 1, replaces=2)) == [4, 3]


def test_an_answer_that_came_after_the_prompt_is_read_behind_what_it_answers() -> None:
    assert read(message(1), message(2), message(3), answer(4, 1), prompt_seq=3) == [1, 4, 2, 3]
    assert read(message(1), message(2), answer(3, 1), message(4)) == [1, 2, 3, 4]
