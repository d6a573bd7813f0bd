"""ChatService: every use case, one method each; the only place with rules.

A method named like a client event takes `(actor, command)` and returns that event's ack. Every way
into the system (Socket.IO, REST, the other gateways) calls these and nothing below them.
"""

from chatserver.chat.invites import InviteUseCases
from chatserver.chat.listing import ListingUseCases
from chatserver.chat.messages import MessageUseCases
from chatserver.chat.replies import ReplyUseCases
from chatserver.chat.rooms import RoomUseCases
from chatserver.chat.tokens import TokenUseCases


class ChatService(
    RoomUseCases,
    ListingUseCases,
    InviteUseCases,
    MessageUseCases,
    ReplyUseCases,
    TokenUseCases,
):
    """The use cases by noun, as one."""
