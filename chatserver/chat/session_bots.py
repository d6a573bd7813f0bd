"""Use cases around the bots of a session: adding, removing and exchanging them."""

from datetime import datetime

from chatserver.chat import access
from chatserver.chat.answers import cut_short
from chatserver.chat.bots import bot_participant
from chatserver.chat.commands import AddBot, RemoveBot, SessionResult
from chatserver.chat.errors import SessionFull, TooManyBots, UnknownBot
from chatserver.chat.events import ParticipantJoined, ParticipantLeft, SessionUpdated
from chatserver.chat.models import Participant, Role, Session
from chatserver.chat.ports import Transaction
from chatserver.chat.use_cases import UseCases, membership


class SessionBotUseCases(UseCases):
    async def add_bot(self, actor: Participant, command: AddBot) -> SessionResult:
        """Adding a member again changes nothing."""
        session_id, now = command.session_id, self.clock.now()
        self.require_bot(command.bot)

        def work(tx: Transaction) -> Session:
            before, role = membership(tx, actor, session_id)
            access.require_settings_right(role, {"bot"})
            if command.bot in tx.members.bots(session_id):
                return before
            self.admit_bot(tx, session_id, command.bot, now)
            return existing(tx.sessions.get(session_id))

        return SessionResult(session=await self.store.transact(work))

    async def remove_bot(self, actor: Participant, command: RemoveBot) -> SessionResult:
        """Removing who is no member changes nothing. A reply it is saying ends as stopped.

        A bot that this server no longer has can still be removed.
        """
        session_id, now = command.session_id, self.clock.now()

        def work(tx: Transaction) -> tuple[Session, list[str]]:
            before, role = membership(tx, actor, session_id)
            access.require_settings_right(role, {"bot"})
            if command.bot not in tx.members.bots(session_id):
                self.require_bot(command.bot)
                return before, []
            stopping = self.dismiss_bot(tx, session_id, command.bot, now)
            if command.bot == before.bot:
                after = before.model_copy(update={"bot": None})
                tx.sessions.save_settings(after)
                tx.log.append(session_id, actor, settings_of(after), now)
            return existing(tx.sessions.get(session_id)), stopping

        session, stopping = await self.store.transact(work)
        self.stop(stopping)
        return SessionResult(session=session)

    def require_bot(self, name: str | None) -> None:
        """Raises `UnknownBot`."""
        if name is not None and self.bots.get(name) is None:
            raise UnknownBot("this server has no bot of that name", field="bot")

    def admit(
        self, tx: Transaction, session_id: str, who: Participant, role: Role, at: datetime
    ) -> None:
        """Makes somebody a member. Raises `SessionFull`."""
        if tx.members.count(session_id) >= self.limits.members_per_session:
            raise SessionFull("the session has as many members as it may have")
        read_seq = tx.members.put(session_id, who.id, role, at)
        joined = ParticipantJoined(participant=who, role=role, read_seq=read_seq or None)
        tx.log.append(session_id, who, joined, at)

    def admit_bot(self, tx: Transaction, session_id: str, name: str, at: datetime) -> None:
        """Makes a bot a member. Raises `TooManyBots`, `SessionFull`."""
        if len(tx.members.bots(session_id)) >= self.limits.bots_per_session:
            raise TooManyBots("the session has as many bots as it may have")
        who = bot_participant(name)
        tx.tokens.ensure_participant(who, at)
        self.admit(tx, session_id, who, Role.MEMBER, at)

    def dismiss_bot(self, tx: Transaction, session_id: str, name: str, at: datetime) -> list[str]:
        """Ends a bot's membership. Returns the replies that are to be nudged: see `cut_short`."""
        who = bot_participant(name)
        tx.members.end(session_id, who.id, at)
        tx.log.append(session_id, who, ParticipantLeft(participant=who), at)
        return cut_short(tx, session_id, name)

    def exchange_bot(
        self, tx: Transaction, before: Session, new: str | None, at: datetime
    ) -> list[str]:
        """The session's own bot leaves and `new` comes, unless it is a member already.

        Returns what `dismiss_bot` does.
        """
        stopping: list[str] = []
        if before.bot is not None:
            stopping = self.dismiss_bot(tx, before.id, before.bot, at)
        if new is not None and new not in tx.members.bots(before.id):
            self.admit_bot(tx, before.id, new, at)
        return stopping


def settings_of(session: Session) -> SessionUpdated:
    return SessionUpdated(
        title=session.title,
        visibility=session.visibility,
        reply_policy=session.reply_policy,
        bot=session.bot,
        bot_turns=session.bot_turns,
    )


def existing(session: Session | None) -> Session:
    assert session is not None, "read back within the transaction that wrote it"
    return session
