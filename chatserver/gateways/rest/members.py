"""Members of a session: joining, leaving, who is there, and the codes that let people in."""

from chatserver.chat.commands import (
    AddBot,
    CreateInvite,
    JoinSession,
    LeaveSession,
    RemoveBot,
    RevokeInvites,
)
from chatserver.chat.errors import (
    Forbidden,
    NotFound,
    SessionFull,
    TooManyBots,
    TooManyInvites,
    TooManySessions,
    UnknownBot,
)
from chatserver.chat.models import Member, Model
from chatserver.chat.service import ChatService
from chatserver.gateways.rest.routes import Answer, Call, Route, use_case
from chatserver.gateways.rest.sessions import UNSEEN


class Members(Model):
    members: list[Member]


async def everyone(call: Call) -> Answer:
    members = await call.chat.members(call.actor, call.values["session_id"])
    return Answer(200, Members(members=members))


ROUTES = (
    use_case(
        "POST",
        "/sessions/{session_id}/join",
        JoinSession,
        ChatService.join_session,
        errors=(NotFound, TooManySessions, SessionFull),
    ),
    use_case(
        "POST",
        "/sessions/{session_id}/leave",
        LeaveSession,
        ChatService.leave_session,
        errors=UNSEEN,
        status=204,
    ),
    Route(
        "GET",
        "/sessions/{session_id}/members",
        "list_members",
        "who is a member, bots included",
        everyone,
        answers={200: Members},
        errors=UNSEEN,
    ),
    use_case(
        "PUT",
        "/sessions/{session_id}/bots/{bot}",
        AddBot,
        ChatService.add_bot,
        errors=(*UNSEEN, UnknownBot, Forbidden, TooManyBots, SessionFull),
    ),
    use_case(
        "DELETE",
        "/sessions/{session_id}/bots/{bot}",
        RemoveBot,
        ChatService.remove_bot,
        errors=(*UNSEEN, UnknownBot, Forbidden),
    ),
    use_case(
        "POST",
        "/sessions/{session_id}/invites",
        CreateInvite,
        ChatService.create_invite,
        errors=(*UNSEEN, Forbidden, TooManyInvites),
        status=201,
    ),
    use_case(
        "DELETE",
        "/sessions/{session_id}/invites",
        RevokeInvites,
        ChatService.revoke_invites,
        errors=(*UNSEEN, Forbidden),
        status=204,
    ),
)
