"""Saying something and waiting for the answer; reading what was said."""

from typing import Annotated

from pydantic import ConfigDict, Field

from chatserver.chat.addressing import answering
from chatserver.chat.commands import SendMessage, Text
from chatserver.chat.errors import (
    BlankText,
    Busy,
    Conflict,
    Draining,
    InvalidPayload,
    NotFound,
    QuotaExceeded,
    TextTooLong,
    TooManyInFlight,
)
from chatserver.chat.models import MAX_SEQ, Event, ReplyOutcome
from chatserver.chat.use_cases import new_id
from chatserver.gateways.chats import shapes
from chatserver.gateways.chats.errors import AnswerFailed, AnswerLate
from chatserver.gateways.rest.parts import Body, Words
from chatserver.gateways.rest.routes import Answer, Call, Route

ANSWER_SECONDS = 60.0
"""How long a request waits for its answer."""

MAX_PAGE = 500

STORED = "your message is stored, and the answer will be among the chat's messages"


class NewMessage(Body):
    model_config = ConfigDict(extra="ignore")

    content: Text


class Page(Words):
    before: str | None = Field(None, max_length=100, description="id of a message: older ones")
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE)] = MAX_PAGE


async def say(call: Call) -> Answer:
    chat_id, content = call.values["chat_id"], call.values["content"]
    waiting = call.services.waiting
    if waiting.is_closed():
        raise Draining("this server is about to stop; try again")
    with waiting.place(call.counted_as):
        await _require_answer(call, chat_id, content)
        command = SendMessage(session_id=chat_id, text=content, client_message_id=new_id())
        sent = await call.chat.send_message(call.actor, command)
        reply = await waiting.outcome(call.actor, chat_id, sent.message.seq, ANSWER_SECONDS)
    if waiting.is_closed() and not (reply and reply.state.terminal):
        raise Draining(f"this server is about to stop; {STORED}")
    return Answer(201, shapes.message(_answer(reply)))


async def _require_answer(call: Call, chat_id: str, content: str) -> None:
    """Raises `Conflict`, before anything is stored, where nobody would answer."""
    session = await call.chat.session(call.actor, chat_id)
    bots = [session.bot] if session.bot is not None else []
    if not answering(session, call.actor, content, bots):
        raise Conflict("no bot answers you in this chat")


def _answer(reply: ReplyOutcome | None) -> Event:
    """Raises `AnswerLate`, `AnswerFailed`."""
    if reply is None:  # the bot was sent away meanwhile
        raise AnswerFailed("no bot answers in this chat any more")
    if not reply.state.terminal:
        raise AnswerLate(f"no answer within {ANSWER_SECONDS:g} s; {STORED}")
    if reply.error is not None:
        raise AnswerFailed(reply.error.message)
    if reply.message is None:
        raise AnswerFailed("the answer was stopped before its first word")
    return reply.message


async def messages(call: Call) -> Answer:
    chat_id, before = call.values["chat_id"], call.values.get("before")
    found = await call.chat.messages(
        call.actor,
        chat_id,
        None if before is None else _seq(chat_id, before),
        call.values.get("limit", MAX_PAGE),
    )
    return Answer(200, shapes.ChatMessages([shapes.message(event) for event in found]))


def _seq(chat_id: str, message_id: str) -> int:
    given, _, seq = message_id.rpartition(":")
    if given != chat_id or not (seq.isascii() and seq.isdigit() and int(seq) <= MAX_SEQ):
        raise InvalidPayload("before: not the id of a message of this chat", field="before")
    return int(seq)


ROUTES = (
    Route(
        "POST",
        "/{chat_id}/messages",
        "say_in_chat",
        "say something and get the assistant's answer, which may take a minute; unknown fields "
        "are ignored",
        say,
        answers={201: shapes.ChatMessage},
        errors=(
            NotFound,
            BlankText,
            TextTooLong,
            Conflict,
            Busy,
            QuotaExceeded,
            TooManyInFlight,
            Draining,
            AnswerFailed,
            AnswerLate,
        ),
        body=NewMessage,
    ),
    Route(
        "GET",
        "/{chat_id}/messages",
        "read_chat",
        "what was said, in order; of more than `limit` messages the newest",
        messages,
        answers={200: shapes.ChatMessages},
        errors=(NotFound,),
        query=Page,
    ),
)
