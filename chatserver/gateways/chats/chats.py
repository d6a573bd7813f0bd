"""Starting, listing, removing and summing up chats."""

from pydantic import ConfigDict

from chatserver.chat.commands import (
    CreateSession,
    DeleteSession,
    ListSessions,
    SummarizeSession,
    Title,
)
from chatserver.chat.errors import Forbidden, NotFound, TooManySessions
from chatserver.chat.models import SessionOverview
from chatserver.chat.use_cases import new_id
from chatserver.gateways.chats import shapes
from chatserver.gateways.chats.errors import NobodyAnswers
from chatserver.gateways.rest.parts import Body
from chatserver.gateways.rest.routes import Answer, Call, Route

PAGE = 100


class NewChat(Body):
    model_config = ConfigDict(extra="ignore")

    title: Title = ""


async def start(call: Call) -> Answer:
    if call.chat.bots.default is None:
        raise NobodyAnswers("this server has no bot that answers in chats")
    # Whoever has no token may have nothing stored yet, not even who they are.
    session = await call.chat.fixed_session(call.actor, new_id(), call.command(CreateSession))
    return Answer(201, shapes.started(session))


async def chats(call: Call) -> Answer:
    """All of them: nobody has more than a participant may have sessions."""
    found: list[SessionOverview] = []
    before: str | None = None
    while True:
        page = await call.chat.list_sessions(call.actor, ListSessions(before=before, limit=PAGE))
        found += page.sessions
        before = page.next
        if before is None:
            return Answer(200, shapes.Chats([shapes.chat(session) for session in found]))


async def delete(call: Call) -> Answer:
    await call.chat.delete_session(call.actor, DeleteSession(session_id=call.values["chat_id"]))
    return Answer(204)


async def summarize(call: Call) -> Answer:
    command = SummarizeSession(session_id=call.values["chat_id"])
    found = await call.chat.summarize_session(call.actor, command)
    return Answer(200, shapes.summary(found.summary))


ROUTES = (
    Route(
        "POST",
        "",
        "start_chat",
        "a new chat, in which the default bot answers; unknown fields are ignored",
        start,
        answers={201: shapes.StartedChat},
        errors=(TooManySessions, NobodyAnswers),
        body=NewChat,
    ),
    Route(
        "GET",
        "",
        "list_chats",
        "one's own chats, those with the newest activity first",
        chats,
        answers={200: shapes.Chats},
    ),
    Route(
        "DELETE",
        "/{chat_id}",
        "delete_chat",
        "removes a chat with all it holds",
        delete,
        answers={204: None},
        errors=(NotFound, Forbidden),
    ),
    Route(
        "GET",
        "/{chat_id}/summary",
        "summarize_chat",
        "how much was said, what about, and in what mood",
        summarize,
        answers={200: shapes.ChatSummary},
        errors=(NotFound,),
    ),
)
