"""Messages: sending (and waiting for the answer), editing, deleting, paging the log, read marks."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Annotated

from pydantic import Field

from chatserver.chat.commands import (
    DeleteMessage,
    EditMessage,
    GetHistory,
    Id,
    MarkRead,
    MessageSent,
    SendMessage,
)
from chatserver.chat.errors import (
    BlankText,
    Busy,
    Conflict,
    Forbidden,
    QuotaExceeded,
    TextTooLong,
    TooManyInFlight,
)
from chatserver.chat.models import ReplyOutcome
from chatserver.chat.service import ChatService
from chatserver.chat.use_cases import new_id
from chatserver.gateways.rest.live import EVENTS
from chatserver.gateways.rest.parts import Words, body_part, unset
from chatserver.gateways.rest.routes import Answer, Call, Route, use_case
from chatserver.gateways.rest.sessions import UNSEEN

MAX_WAIT = 60


class Waiting(Words):
    wait: Annotated[float, Field(ge=0, le=MAX_WAIT, allow_inf_nan=False)] = Field(
        0, description="seconds to wait for the reply to end; 0: do not wait"
    )


class MessageAnswered(MessageSent):
    reply: ReplyOutcome | None = Field(
        description="null where no reply was waited for, or the message asks for none"
    )


async def send(call: Call) -> Answer:
    command = call.command(SendMessage, client_message_id=new_id())
    with waiting_place(call):
        sent = await call.chat.send_message(call.actor, command)
        reply = await _reply(call, sent.message.seq)
    answered = MessageAnswered(message=sent.message, duplicate=sent.duplicate, reply=reply)
    if reply is not None and not reply.state.terminal:
        location = f"/sessions/{command.session_id}/messages/{sent.message.seq}/reply"
        return Answer(202, answered, location=location)
    return Answer(200 if sent.duplicate else 201, answered)


@contextmanager
def waiting_place(call: Call) -> Iterator[None]:
    """Take it before the message is stored: a refusal must leave nothing behind."""
    if not call.values.get("wait"):
        yield
        return
    with call.services.waiting.place(call.counted_as):
        yield


async def _reply(call: Call, prompt_seq: int) -> ReplyOutcome | None:
    seconds = call.values.get("wait")
    if not seconds:
        return None
    session_id = call.values["session_id"]
    return await call.services.waiting.outcome(call.actor, session_id, prompt_seq, seconds)


ROUTES = (
    Route(
        "POST",
        "/sessions/{session_id}/messages",
        SendMessage.name,
        "say something, and wait for the reply where `wait` is given: 201 once it has ended (or at "
        "once where nothing was waited for), 200 for a repeated client_message_id, 202 where the "
        "reply has not ended in time",
        send,
        answers={200: MessageAnswered, 201: MessageAnswered, 202: MessageAnswered},
        errors=(*UNSEEN, BlankText, TextTooLong, Conflict, Busy, QuotaExceeded, TooManyInFlight),
        query=Waiting,
        body=body_part(SendMessage, ("session_id",), {"client_message_id": unset(Id)}),
        located=(202,),
    ),
    use_case(
        "PATCH",
        "/sessions/{session_id}/messages/{seq}",
        EditMessage,
        ChatService.edit_message,
        errors=(
            *UNSEEN,
            BlankText,
            TextTooLong,
            Forbidden,
            Conflict,
            Busy,
            QuotaExceeded,
        ),
    ),
    use_case(
        "DELETE",
        "/sessions/{session_id}/messages/{seq}",
        DeleteMessage,
        ChatService.delete_message,
        errors=(*UNSEEN, Forbidden, Conflict),
    ),
    replace(
        use_case(
            "GET",
            "/sessions/{session_id}/events",
            GetHistory,
            ChatService.get_history,
            errors=UNSEEN,
        ),
        stream=EVENTS,
    ),
    use_case(
        "PUT",
        "/sessions/{session_id}/read",
        MarkRead,
        ChatService.mark_read,
        errors=UNSEEN,
    ),
)
