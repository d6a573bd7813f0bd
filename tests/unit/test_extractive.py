"""The summary without a model: how much of a conversation it looks at, and what that costs."""

import random
from datetime import UTC, datetime

from chatserver.chat.models import Event, EventType, Participant, ParticipantKind
from chatserver.summaries.extractive import MAX_CHARS, extract
from tests.cost import cpu_seconds

ADA = Participant(id="ada", name="Ada", kind=ParticipantKind.USER)


def said(seq: int, text: str) -> Event:
    return Event(
        session_id="tea",
        seq=seq,
        type=EventType.MESSAGE_CREATED,
        sender=ADA,
        created_at=datetime.now(UTC),
        data={"text": text},
    )


def babble(chars: int, seed: int) -> str:
    """Words none of which comes twice: the most that there can be to weigh."""
    letters = random.Random(seed)
    words, length = [], 0
    while length < chars:
        words.append(
            "".join(letters.choices("abcdefghijklmnopqrstuvwxyz", k=letters.randint(3, 9)))
        )
        length += len(words[-1]) + 1
    return " ".join(words)[:chars]


def test_the_longest_conversation_takes_no_more_than_what_is_looked_at_of_it() -> None:
    extract([said(1, "The kettle whistles.")])  # What it imports takes time too, once.
    messages = [said(seq, babble(1_000, seq)) for seq in range(1, 151)]
    looked_at = MAX_CHARS // 1_000
    assert extract(messages).covers_from_seq == 151 - looked_at
    # Against itself in the same run: how fast a machine is says nothing about it.
    short = cpu_seconds(lambda: extract(messages[-looked_at:]))
    assert cpu_seconds(lambda: extract(messages)) < 2 * short


def test_of_a_message_that_alone_is_too_long_the_beginning_is_looked_at() -> None:
    digest = extract([said(1, "Tea."), said(2, "The kettle whistles. " * (MAX_CHARS // 20))])
    assert any("kettle" in topic for topic in digest.topics)
    assert digest.covers_from_seq == 2
