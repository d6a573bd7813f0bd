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
ROUNDS = 5
"""Readings of the list, where more than a page of it moves during each."""


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
    """All of them: nobody has more than a participant may have sessions.

    A chat in which something is said moves to the front, past a reader who is further back: so the
    front is read again, until no more than a page of it has moved.
    """
    found: dict[str, SessionOverview] = {}
    for _ in range(ROUNDS):
        if await _read(call, found) == 1:
            break
    newest_first = sorted(found.values(), key=lambda chat: (chat.active_at, chat.id), reverse=True)
    return Answer(200, shapes.Chats([shapes.chat(session) for session in newest_first]))


async def _read(call: Call, found: dict[str, SessionOverview]) -> int:
    """From the front until a chat that was found before and did not move, or the end.

    Returns the number of pages. Each is one look at the store; several are not.
    """
    pages, before = 0, None
    while True:
        page = await call.chat.list_sessions(call.actor, ListSessions(before=before, limit=PAGE))
        pages, before = pages + 1, page.next
        met = any(
            each.id in found and found[each.id].active_at == each.active_at
            for each in page.sessions
        )
        found.update((each.id, each) for each in page.sessions)
        if met or before is None:
            return pages


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
