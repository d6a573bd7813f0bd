"""Sessions that doors without a choice of session lead to."""

import base64
import hashlib
from datetime import timedelta

from chatserver.chat.commands import CreateSession
from chatserver.chat.events import ParticipantLeft
from chatserver.chat.models import (
    Identity,
    Participant,
    ParticipantKind,
    ReplyPolicy,
    Role,
    Session,
    Visibility,
)
from chatserver.chat.ports import Transaction
from chatserver.chat.sessions import SessionUseCases

HOUSE = Participant(id="house", name="chatserver", kind=ParticipantKind.OPERATOR)
"""Owns what belongs to nobody. No token speaks for it."""

ANYBODY = Participant(id="anybody", name="Guest", kind=ParticipantKind.USER)
"""Owns the chats of all who need no token at a door. No token speaks for it, so whoever acts as it
reaches those and nothing else."""

GUESTS, LOBBY = "guests", "lobby"
"""The ids of the public rooms: where the bot answers everybody, and where it is asked by name."""

ARRIVING = timedelta(minutes=1)
"""Who became a member so recently may not have got as far as to be seen online."""
DISMISSED = 100
"""The most that one transaction dismisses."""


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

    async def make_room(self, session_id: str) -> int:
        """Ends the membership of people who are away from a public room that belongs to nobody.

        They lose nothing: they may come back at any time, to where they had read. Without this
        whoever went without a word, or with a server, would keep a place for ever. Returns how many
        were dismissed, those first who came first; none where somebody may be here unheard of.
        """
        online = await self.feed.all_online(session_id)
        if online is None:
            return 0
        now = self.clock.now()

        def work(tx: Transaction) -> int:
            if tx.sessions.get(session_id) is None:  # locks it, as whoever leaves does at first
                return 0
            away = [
                member.participant
                for member in tx.members.all(session_id)
                if member.participant.id not in online
                and member.participant.kind is not ParticipantKind.BOT
                and member.role is not Role.OWNER
                and now - member.joined_at > ARRIVING
            ][:DISMISSED]
            for who in away:
                tx.members.end(session_id, who.id, now)
                tx.log.append(session_id, who, ParticipantLeft(participant=who), now)
            return len(away)

        return await self.store.transact(work)


def session_of(digest: bytes) -> str:
    """The id of a token's own session, as hard to guess as the token."""
    own = hashlib.blake2b(digest, digest_size=16, person=b"own session").digest()
    return base64.urlsafe_b64encode(own).decode().rstrip("=")
