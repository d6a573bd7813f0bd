"""Replies: the answer to a message, stopping one and asking for another."""

from chatserver.chat.commands import KeepMessage, RetryReply, StopReply
from chatserver.chat.errors import Busy, Conflict, NotFound, QuotaExceeded, TooManyInFlight
from chatserver.chat.models import Model, ReplyOutcome
from chatserver.chat.service import ChatService
from chatserver.gateways.rest.messages import Waiting, waiting_place
from chatserver.gateways.rest.routes import Answer, Call, Route, use_case
from chatserver.gateways.rest.sessions import UNSEEN


class ReplyToMessage(Model):
    reply: ReplyOutcome


async def answer_to(call: Call) -> Answer:
    values = call.values
    with waiting_place(call):
        reply = await call.services.waiting.outcome(
            call.actor, values["session_id"], values["seq"], values.get("wait", 0.0)
        )
    if reply is None:
        raise NotFound("the message asks for no reply")
    return Answer(200 if reply.state.terminal else 202, ReplyToMessage(reply=reply))


ROUTES = (
    Route(
        "GET",
        "/sessions/{session_id}/messages/{seq}/reply",
        "get_reply",
        "the newest reply to a message: 200 when it has ended, 202 while it waits or runs",
        answer_to,
        answers={200: ReplyToMessage, 202: ReplyToMessage},
        errors=(*UNSEEN, TooManyInFlight),
        query=Waiting,
    ),
    use_case(
        "POST",
        "/sessions/{session_id}/replies/{reply_id}/stop",
        StopReply,
        ChatService.stop_reply,
        errors=UNSEEN,
    ),
    use_case(
        "POST",
        "/sessions/{session_id}/replies/{reply_id}/retry",
        RetryReply,
        ChatService.retry_reply,
        errors=(*UNSEEN, Conflict, Busy, QuotaExceeded),
    ),
    use_case(
        "PUT",
        "/sessions/{session_id}/messages/{seq}/kept",
        KeepMessage,
        ChatService.keep_message,
        errors=(*UNSEEN, Conflict),
    ),
)
