"""Errors as `{"detail": …}`, and those that only a wait for an answer can end in."""

from http import HTTPStatus

from chatserver.chat.errors import ChatError, NotMember, Temporary
from chatserver.chat.models import Model
from chatserver.gateways.rest.problems import STATUS
from chatserver.gateways.rest.refusals import Malformed
from chatserver.gateways.rest.styles import ErrorStyle


class NobodyAnswers(Temporary):
    """The server has no bot for chats; nothing was stored."""

    code = "nobody_answers"


class AnswerFailed(ChatError):
    """The message is stored, and its reply ended without an answer."""

    code = "answer_failed"


class AnswerLate(ChatError):
    """The message is stored; its answer will be among the chat's messages."""

    code = "answer_late"


class Detail(Model):
    """What went wrong, for people."""

    detail: str


def _detail(error: ChatError, _: HTTPStatus) -> Detail:
    return Detail(detail=error.message)


DETAILS = ErrorStyle(
    Detail,
    "application/json",
    STATUS
    | {
        Malformed: HTTPStatus.UNPROCESSABLE_ENTITY,
        # A chat is one's own, or there is none.
        NotMember: HTTPStatus.NOT_FOUND,
        AnswerFailed: HTTPStatus.BAD_GATEWAY,
        AnswerLate: HTTPStatus.GATEWAY_TIMEOUT,
    },
    _detail,
)
