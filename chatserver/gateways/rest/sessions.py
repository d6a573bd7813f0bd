"""Sessions: making, listing, reading, changing and removing them."""

from chatserver.chat.commands import (
    BotTurns,
    CreateSession,
    DeleteSession,
    ListSessions,
    SessionResult,
    SummarizeSession,
    Title,
    UpdateSession,
)
from chatserver.chat.errors import (
    Forbidden,
    NotFound,
    NotMember,
    SessionFull,
    TooManyBots,
    TooManySessions,
    UnknownBot,
)
from chatserver.chat.models import ReplyPolicy, Visibility
from chatserver.chat.service import ChatService
from chatserver.gateways.rest.parts import body_part, unset
from chatserver.gateways.rest.routes import Answer, Call, Route, use_case

UNSEEN = (NotFound, NotMember)
"""Every route of one session may end in these."""


async def create(call: Call) -> Answer:
    made = await call.chat.create_session(call.actor, call.command(CreateSession))
    return Answer(201, made, location=f"/sessions/{made.session.id}")


async def read(call: Call) -> Answer:
    session = await call.chat.session(call.actor, call.values["session_id"])
    return Answer(200, SessionResult(session=session))


ROUTES = (
    Route(
        "POST",
        "/sessions",
        CreateSession.name,
        CreateSession.doc,
        create,
        answers={201: SessionResult},
        errors=(UnknownBot, TooManySessions),
        body=body_part(CreateSession, ()),
        located=(201,),
    ),
    use_case("GET", "/sessions", ListSessions, ChatService.list_sessions),
    Route(
        "GET",
        "/sessions/{session_id}",
        "get_session",
        "a session that one is a member of",
        read,
        answers={200: SessionResult},
        errors=UNSEEN,
    ),
    use_case(
        "PATCH",
        "/sessions/{session_id}",
        UpdateSession,
        ChatService.update_session,
        errors=(*UNSEEN, UnknownBot, Forbidden, TooManyBots, SessionFull),
        changed={
            "title": unset(Title),
            "visibility": unset(Visibility),
            "reply_policy": unset(ReplyPolicy),
            "bot_turns": unset(BotTurns),
        },
    ),
    use_case(
        "DELETE",
        "/sessions/{session_id}",
        DeleteSession,
        ChatService.delete_session,
        errors=(*UNSEEN, Forbidden),
        status=204,
    ),
    use_case(
        "GET",
        "/sessions/{session_id}/summary",
        SummarizeSession,
        ChatService.summarize_session,
        errors=UNSEEN,
    ),
)
