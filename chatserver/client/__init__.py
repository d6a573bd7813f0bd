"""The Python client: chat sessions over Socket.IO, made for programs that must not miss a message.

    async with ChatClient("http://127.0.0.1:8000", name="Ada") as client:
        session = await client.create_session(title="Tea")
        prompt = await session.send("Is there tea?")
        async for piece in session.reply(prompt):
            print(piece.text, end="")

It reconnects by itself, renews its token, and hands out every durable event of a session exactly
once and in order, whatever happened to the connection. Refusals of the server are raised as the
classes of `chatserver.chat.errors`; what can go wrong on the way is in `chatserver.client.errors`.
What is named here is public, and so is what it returns: the models, events and errors of
`chatserver.chat`. docs/client.md shows all of it at work.
"""

from chatserver.chat.errors import ChatError
from chatserver.chat.events import Signal
from chatserver.chat.models import Event, EventType, Member, Participant, ParticipantKind, Session
from chatserver.client.backoff import Backoff
from chatserver.client.client import ChatClient
from chatserver.client.errors import (
    BadAddress,
    ClientError,
    ConnectionLost,
    EventsTakenTwice,
    NotAcknowledged,
    NotConnected,
    ReplyFailed,
)
from chatserver.client.replies import GrowingReply
from chatserver.client.reply import Piece, ReplyStream
from chatserver.client.search import Found, spans
from chatserver.client.session import ChatSession
from chatserver.client.status import Connected, Connecting, GaveUp, Lost, Status

__all__ = [
    "Backoff",
    "BadAddress",
    "ChatClient",
    "ChatError",
    "ChatSession",
    "ClientError",
    "Connected",
    "Connecting",
    "ConnectionLost",
    "Event",
    "EventType",
    "EventsTakenTwice",
    "Found",
    "GaveUp",
    "GrowingReply",
    "Lost",
    "Member",
    "NotAcknowledged",
    "NotConnected",
    "Participant",
    "ParticipantKind",
    "Piece",
    "ReplyFailed",
    "ReplyStream",
    "Session",
    "Signal",
    "Status",
    "spans",
]
