"""The widget's vocabulary."""

from datetime import UTC, datetime
from typing import Any

import pytest

from chatserver.chat.errors import BlankText, InvalidPayload
from chatserver.chat.models import Event, EventType, Participant, ParticipantKind
from chatserver.gateways.rasa.payloads import apology, asked_session, bot_uttered, told, uttered

ADA = Participant(id="ada", name="Guest", kind=ParticipantKind.USER)
BOT = Participant(id="bot:sage", name="sage", kind=ParticipantKind.BOT)


def event(kind: EventType, sender: Participant, **data: Any) -> Event:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return Event(session_id="s", seq=1, type=kind, sender=sender, created_at=at, data=data)


def test_a_text_has_exactly_one_key() -> None:
    assert bot_uttered("Hello") == {"text": "Hello"}


def test_a_widget_is_told_what_others_say_and_what_failed() -> None:
    assert told(event(EventType.MESSAGE_CREATED, BOT, text="Hi"), "ada") == "Hi"
    assert told(event(EventType.MESSAGE_CREATED, ADA, text="Hi"), "ada") is None
    assert told(event(EventType.REPLY_FAILED, BOT, message="it is out"), "ada") == "It is out."
    assert told(event(EventType.MESSAGE_EDITED, BOT, text="Ho"), "ada") is None


@pytest.mark.parametrize(
    "payload", [None, 7, "id", [], {}, {"session_id": None}, {"session_id": 7}]
)
def test_a_request_without_an_id_names_no_session(payload: object) -> None:
    assert asked_session(payload) is None


def test_a_request_with_an_id_names_it() -> None:
    assert asked_session({"session_id": "x"}) == "x"


@pytest.mark.parametrize("arguments", [(), (7,), ("text",), ([],), ({}, {})])
def test_what_is_not_one_object_is_no_message(arguments: tuple[Any, ...]) -> None:
    with pytest.raises(InvalidPayload):
        uttered(arguments)


@pytest.mark.parametrize("payload", [{}, {"message": None}, {"session_id": "x"}])
def test_an_object_without_a_message_says_nothing(payload: dict[str, Any]) -> None:
    assert uttered((payload,)) is None


def test_an_error_reads_as_a_sentence() -> None:
    assert apology(BlankText("a message needs some text")) == "A message needs some text."
