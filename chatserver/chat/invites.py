"""Use cases around invites. A code is known to whom it was given; we keep a hash."""

import hashlib
from datetime import timedelta

from chatserver.chat import access
from chatserver.chat.commands import CreateInvite, InviteCreated, Nothing, RevokeInvites
from chatserver.chat.errors import TooManyInvites
from chatserver.chat.models import Participant
from chatserver.chat.ports import Transaction
from chatserver.chat.use_cases import UseCases, membership, new_id


def invite_digest(code: str) -> bytes:
    return hashlib.sha256(code.encode()).digest()


class InviteUseCases(UseCases):
    async def create_invite(self, actor: Participant, command: CreateInvite) -> InviteCreated:
        session_id, now = command.session_id, self.clock.now()
        code, until = new_id(), now + timedelta(seconds=command.expires_in)

        def work(tx: Transaction) -> None:
            _, role = membership(tx, actor, session_id)
            access.require_owner(role)
            if tx.invites.count_valid(session_id, now) >= self.limits.invites_per_session:
                raise TooManyInvites("revoke the session's invites before making more")
            tx.invites.add(invite_digest(code), session_id, actor.id, now, until)

        await self.store.transact(work)
        return InviteCreated(invite=code, expires_at=until)

    async def revoke_invites(self, actor: Participant, command: RevokeInvites) -> Nothing:
        def work(tx: Transaction) -> None:
            _, role = membership(tx, actor, command.session_id)
            access.require_owner(role)
            tx.invites.revoke_all(command.session_id)

        await self.store.transact(work)
        return Nothing()
