"""Use cases around a session and its members."""

from chatserver.chat import access
from chatserver.chat.answers import cut_short
from chatserver.chat.commands import (
    CreateSession,
    DeleteSession,
    FollowSession,
    Joined,
    JoinSession,
    LeaveSession,
    Nothing,
    RenameSession,
    SessionResult,
    UpdateSession,
)
from chatserver.chat.errors import (
    InvalidPayload,
    NotFound,
    TooManySessions,
)
from chatserver.chat.events import (
    ParticipantLeft,
    SessionAdded,
    SessionDeleted,
)
from chatserver.chat.invites import invite_digest
from chatserver.chat.models import (
    Member,
    Participant,
    ParticipantKind,
    ReplyPolicy,
    ReplyState,
    Role,
    Session,
)
from chatserver.chat.ports import Transaction
from chatserver.chat.session_bots import SessionBotUseCases, existing, settings_of
from chatserver.chat.use_cases import membership, new_id

FRESH_JOIN_EVENTS = 50
"""Events that a first join brings; the rest is paged for."""
RECOVERY_EVENTS = 200
"""Events that a join after an interruption brings at most."""


class SessionUseCases(SessionBotUseCases):
    async def create_session(self, actor: Participant, command: CreateSession) -> SessionResult:
        session = self._drafted(new_id(), actor, command)

        def work(tx: Transaction) -> Session:
            self._require_room_for_session(tx, actor)
            tx.sessions.add(session)
            return self._peopled(tx, session, actor)

        created = await self.store.transact(work)
        self.feed.notify(actor.id, SessionAdded(session=created))
        return SessionResult(session=created)

    async def fixed_session(
        self, owner: Participant, session_id: str, command: CreateSession
    ) -> Session:
        """The session of this id; made, with its `owner`, where there never was one.

        However many ask at once, one is made. Raises `NotFound` where it was deleted.
        """
        session = self._drafted(session_id, owner, command)

        def find(tx: Transaction) -> Session | None:
            return tx.sessions.get(session_id)

        def work(tx: Transaction) -> tuple[Session | None, bool]:
            tx.tokens.ensure_participant(owner, session.created_at)
            self._require_room_for_session(tx, owner)
            if not tx.sessions.add_if_new(session):
                return tx.sessions.get(session_id), False
            return self._peopled(tx, session, owner), True

        found, is_new = await self.store.read(find), False
        if found is None:
            found, is_new = await self.store.transact(work)
        if found is None:
            raise NotFound("no such session")
        if is_new:
            self.feed.notify(owner.id, SessionAdded(session=found))
        return found

    def _drafted(self, session_id: str, actor: Participant, command: CreateSession) -> Session:
        """Raises `UnknownBot`."""
        bot = command.bot if "bot" in command.model_fields_set else self.bots.default
        self.require_bot(bot)
        return Session(
            id=session_id,
            title=command.title,
            visibility=command.visibility,
            reply_policy=command.reply_policy,
            bot=bot,
            bot_turns=command.bot_turns,
            created_by=actor.id,
            created_at=self.clock.now(),
            last_seq=0,
        )

    def _peopled(self, tx: Transaction, session: Session, owner: Participant) -> Session:
        self.admit(tx, session.id, owner, Role.OWNER, session.created_at)
        if session.bot is not None:
            self.admit_bot(tx, session.id, session.bot, session.created_at)
        return existing(tx.sessions.get(session.id))

    async def join_session(self, actor: Participant, command: JoinSession) -> Joined:
        """The snapshot a joiner starts from; makes them a member where they may become one."""
        await self.become_member(actor, command)
        return await self.follow_session(actor, command)

    async def become_member(self, actor: Participant, command: JoinSession) -> bool:
        """Where they are none, and may become one. False: they were one already.

        Raises `NotFound`, what `role_for_joining` raises, `SessionFull` and its kind.
        """
        session_id = command.session_id
        role = await self.store.read(lambda tx: tx.members.role(session_id, actor.id))
        if role is not None:
            return False
        added = await self.store.transact(lambda tx: self._join(tx, actor, command))
        if added is None:
            return False
        self.feed.notify(actor.id, SessionAdded(session=added))
        return True

    async def follow_session(self, actor: Participant, command: FollowSession) -> Joined:
        """The snapshot that a member starts from; makes nobody a member.

        Raises `NotFound` or `NotMember`, and `InvalidPayload` for a cursor beyond the log.
        """
        online = await self.feed.online(command.session_id)
        return await self.store.read(lambda tx: self._snapshot(tx, actor, command, online))

    def _join(self, tx: Transaction, actor: Participant, command: JoinSession) -> Session | None:
        """None: somebody was faster in making them a member."""
        session_id, now = command.session_id, self.clock.now()
        session = tx.sessions.get(session_id)
        if session is None:
            raise NotFound("no such session")
        if tx.members.role(session_id, actor.id) is not None:
            return None
        invited = command.invite is not None and tx.invites.valid(
            invite_digest(command.invite), session_id, now
        )
        role = access.role_for_joining(session, actor, invited=invited)
        self._require_room_for_session(tx, actor)
        self.admit(tx, session_id, actor, role, now)
        return existing(tx.sessions.get(session_id))

    def _snapshot(
        self,
        tx: Transaction,
        actor: Participant,
        command: FollowSession,
        online: frozenset[str],
    ) -> Joined:
        session_id = command.session_id
        session, _ = membership(tx, actor, session_id)
        after = command.after_seq
        if after is not None and after > session.last_seq:
            raise InvalidPayload("after_seq is beyond the session's last event", field="after_seq")
        wanted = (
            FRESH_JOIN_EVENTS if after is None else min(RECOVERY_EVENTS, session.last_seq - after)
        )
        events = tx.log.before(session_id, None, wanted) if wanted else []
        from_seq = session.last_seq - len(events) + 1
        return Joined(
            session=session,
            members=[with_presence(member, online) for member in tx.members.all(session_id)],
            events=events,
            from_seq=from_seq,
            to_seq=session.last_seq,
            complete=from_seq == (after or 0) + 1,
            replies=[r for r in tx.replies.active(session_id) if r.state is ReplyState.RUNNING],
        )

    async def members(self, actor: Participant, session_id: str) -> list[Member]:
        def work(tx: Transaction) -> list[Member]:
            membership(tx, actor, session_id)
            return tx.members.all(session_id)

        members = await self.store.read(work)
        online = await self.feed.online(session_id)
        return [with_presence(member, online) for member in members]

    async def session(self, actor: Participant, session_id: str) -> Session:
        def work(tx: Transaction) -> Session:
            session, _ = membership(tx, actor, session_id)
            return session

        return await self.store.read(work)

    async def leave_session(self, actor: Participant, command: LeaveSession) -> Nothing:
        session_id, now = command.session_id, self.clock.now()

        def work(tx: Transaction) -> None:
            _, role = membership(tx, actor, session_id)
            tx.members.end(session_id, actor.id, now)
            heir = _heir(tx.members.all(session_id)) if role is Role.OWNER else None
            if heir is not None:
                tx.members.put(session_id, heir.id, Role.OWNER, now)
            left = ParticipantLeft(participant=actor, new_owner=heir.id if heir else None)
            tx.log.append(session_id, actor, left, now)

        await self.store.transact(work)
        return Nothing()

    async def rename_session(self, actor: Participant, command: RenameSession) -> SessionResult:
        return await self.update_session(
            actor, UpdateSession(session_id=command.session_id, title=command.title)
        )

    async def update_session(self, actor: Participant, command: UpdateSession) -> SessionResult:
        session_id, now = command.session_id, self.clock.now()
        changed = command.model_fields_set - {"session_id"}
        for field in changed - {"bot"}:
            if getattr(command, field) is None:
                raise InvalidPayload(f"{field}: may be left out, but not null", field=field)
        if not changed:
            raise InvalidPayload("nothing to change")
        if "bot" in changed:
            self.require_bot(command.bot)

        def work(tx: Transaction) -> tuple[Session, list[str]]:
            before, role = membership(tx, actor, session_id)
            access.require_settings_right(role, changed)
            after = before.model_copy(update={field: getattr(command, field) for field in changed})
            if after == before:
                return before, []
            tx.sessions.save_settings(after)
            stopping: list[str] = []
            if after.bot != before.bot:
                stopping = self.exchange_bot(tx, before, after.bot, now)
            if after.reply_policy is ReplyPolicy.OFF:
                stopping = cut_short(tx, session_id)
            tx.log.append(session_id, actor, settings_of(after), now)
            return existing(tx.sessions.get(session_id)), stopping

        session, stopping = await self.store.transact(work)
        self.stop(stopping)
        return SessionResult(session=session)

    async def delete_session(self, actor: Participant, command: DeleteSession) -> Nothing:
        session_id, now = command.session_id, self.clock.now()

        def work(tx: Transaction) -> tuple[list[Member], list[str]]:
            _, role = membership(tx, actor, session_id)
            access.require_owner(role)
            members = tx.members.all(session_id)
            stopping = cut_short(tx, session_id)
            tx.sessions.delete(session_id, now)
            return members, stopping

        members, stopping = await self.store.transact(work)
        self.stop(stopping)
        self.feed.close_session(session_id)
        for member in members:
            self.feed.notify(member.participant.id, SessionDeleted(session_id=session_id))
        return Nothing()

    def _require_room_for_session(self, tx: Transaction, actor: Participant) -> None:
        if tx.members.count_sessions(actor.id) >= self.limits.sessions_per_participant:
            raise TooManySessions("leave or delete a session first")


def with_presence(member: Member, online: frozenset[str]) -> Member:
    """Bots are always there."""
    is_bot = member.participant.kind is ParticipantKind.BOT
    return member.model_copy(update={"online": is_bot or member.participant.id in online})


def _heir(members: list[Member]) -> Participant | None:
    """Who owns a session next: whoever has been a member longest, bots aside."""
    people = [m for m in members if m.participant.kind is not ParticipantKind.BOT]
    return min(people, key=lambda m: m.joined_at).participant if people else None
