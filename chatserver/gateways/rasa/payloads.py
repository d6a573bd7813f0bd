"""What a widget says, and what it is told, as pure functions."""

from typing import Any

from chatserver.chat.commands import Text, parse
from chatserver.chat.errors import ChatError, InvalidPayload
from chatserver.chat.models import Event, EventType, Model


class Utterance(Model):
    text: Text


def asked_session(payload: object) -> str | None:
    """The session that a client names, if it does."""
    named = payload.get("session_id") if isinstance(payload, dict) else None
    return named if isinstance(named, str) and named else None


def uttered(arguments: tuple[Any, ...]) -> dict[str, Any] | None:
    """The object that a `user_uttered` carries. Raises `InvalidPayload`.

    None where there is no message in it: a widget without an `initPayload` sends one like this.
    """
    if len(arguments) != 1 or not isinstance(arguments[0], dict):
        raise InvalidPayload("a message comes in exactly one object")
    payload: dict[str, Any] = arguments[0]
    return payload if payload.get("message") is not None else None


def text_of(payload: dict[str, Any]) -> str:
    """Of what `uttered` returned. Raises `InvalidPayload` where it is no text to be stored."""
    return parse(Utterance, {"text": payload["message"]}).text


def told(event: Event, participant_id: str) -> str | None:
    """The text for the widget of `participant_id`, if it is one that it should show."""
    if event.type is EventType.REPLY_FAILED:
        return sentence(str(event.data["message"]))
    if event.type is EventType.MESSAGE_CREATED and event.sender.id != participant_id:
        text: str = event.data["text"]
        return text
    return None


def bot_uttered(text: str) -> dict[str, str]:
    """One key and no other: that is how the widget knows a text."""
    return {"text": text}


def apology(refusal: ChatError) -> str:
    return sentence(refusal.message)


def sentence(message: str) -> str:
    """An error's words, for people."""
    return f"{message[:1].upper()}{message[1:].rstrip('.')}."
