"""Sessions that doors without a choice of session lead to."""

import base64
import hashlib

from chatserver.chat.commands import CreateSession
from chatserver.chat.models import (
    Identity,
    Participant,
    ParticipantKind,
    ReplyPolicy,
    Session,
    Visibility,
)
from chatserver.chat.sessions import SessionUseCases

HOUSE = Participant(id="house", name="chatserver", kind=ParticipantKind.OPERATOR)
"""Owns what belongs to nobody. No token speaks for it."""

GUESTS, LOBBY = "guests", "lobby"
"""The ids of the public rooms: where the bot answers everybody, and where it is asked by name."""


class RoomUseCases(SessionUseCases):
    async def own_session(self, who: Identity) -> Session:
        """The session of a token, the same for its whole life: made when it is first asked for.

        Raises `NotFound` where it was deleted.
        """
        return await self.fixed_session(who.participant, session_of(who.digest), CreateSession())

    async def guests_room(self) -> Session:
        """The room that all guests share."""
        command = CreateSession(title="Guests", visibility=Visibility.PUBLIC)
        return await self.fixed_session(HOUSE, GUESTS, command)

    async def lobby(self) -> Session:
        """The room of those who give nothing but a name."""
        command = CreateSession(
            title="Lobby", visibility=Visibility.PUBLIC, reply_policy=ReplyPolicy.MENTION
        )
        return await self.fixed_session(HOUSE, LOBBY, command)


def session_of(digest: bytes) -> str:
    """The id of a token's own session, as hard to guess as the token."""
    own = hashlib.blake2b(digest, digest_size=16, person=b"own session").digest()
    return base64.urlsafe_b64encode(own).decode().rstrip("=")
