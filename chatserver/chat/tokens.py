"""Use cases around tokens. The text of a token is known to its holder only; we keep a hash."""

import hashlib
import secrets
from datetime import timedelta

from chatserver.chat.errors import InvalidPayload, TokenExpired, TokenRevoked, Unauthorized
from chatserver.chat.models import Identity, Participant, ParticipantKind, Token
from chatserver.chat.ports import Transaction
from chatserver.chat.use_cases import UseCases, new_id


def token_digest(token: str) -> bytes:
    # The token has 256 random bits: nothing to guess, so nothing that a slow hash would add.
    return hashlib.sha256(token.encode(errors="replace")).digest()


class TokenUseCases(UseCases):
    async def issue_token(
        self,
        name: str,
        kind: ParticipantKind = ParticipantKind.USER,
        lifetime: timedelta | None = None,
    ) -> Token:
        """A new participant with a token of its own."""
        if kind is ParticipantKind.BOT:
            raise InvalidPayload("bots need no token", field="kind")
        participant = Participant(id=new_id(), name=name, kind=kind)
        now = self.clock.now()
        until = now + (lifetime or self._lifetime)
        token = secrets.token_urlsafe(32)
        await self.store.transact(
            lambda tx: tx.tokens.add(token_digest(token), participant, now, until)
        )
        return Token(token=token, participant=participant, expires_at=until)

    async def authenticate(self, token: object) -> Identity:
        """Whose token it is. Raises `Unauthorized`, `TokenExpired`, `TokenRevoked`."""
        if not isinstance(token, str) or not token:
            raise Unauthorized("a token is needed")
        return await self.identify(token_digest(token))

    async def identify(self, digest: bytes) -> Identity:
        """The same for a token that was seen before, by its hash."""
        return await self.store.read(lambda tx: self._identify(tx, digest))

    async def renew_token(self, token: str) -> Token:
        """The same token with a full life ahead. Safe to repeat."""
        digest, until = token_digest(token), self.clock.now() + self._lifetime

        def work(tx: Transaction) -> Identity:
            identity = self._identify(tx, digest)
            if until > identity.expires_at:
                tx.tokens.extend(digest, until)
            return identity

        identity = await self.store.transact(work)
        return Token(
            token=token,
            participant=identity.participant,
            expires_at=max(until, identity.expires_at),
        )

    async def revoke_token(self, token: str) -> None:
        """Makes the token worthless and ends the connections that came with it."""
        digest, now = token_digest(token), self.clock.now()

        def work(tx: Transaction) -> None:
            self._identify(tx, digest)
            tx.tokens.revoke(digest, now)

        await self.store.transact(work)
        self.feed.drop_token(digest)

    @property
    def _lifetime(self) -> timedelta:
        return timedelta(seconds=self.limits.token_seconds)

    def _identify(self, tx: Transaction, digest: bytes) -> Identity:
        record = tx.tokens.find(digest)
        if record is None:
            raise Unauthorized("the token is not known")
        if record.revoked:
            raise TokenRevoked("the token was revoked")
        if record.expires_at <= self.clock.now():
            raise TokenExpired("the token has expired")
        return Identity(participant=record.participant, digest=digest, expires_at=record.expires_at)
