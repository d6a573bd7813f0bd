"""Use cases around messages: sending, editing, deleting, paging, reading, typing, summing up."""

import hashlib
from datetime import datetime

from chatserver.chat import access
from chatserver.chat.asking import ask_again
from chatserver.chat.commands import (
    DeleteMessage,
    EditMessage,
    EventResult,
    GetHistory,
    History,
    MarkRead,
    MessageChanged,
    MessageSent,
    Nothing,
    ReadMark,
    SendMessage,
    SetTyping,
    SummarizeSession,
    SummaryResult,
)
from chatserver.chat.errors import BlankText, Conflict, InvalidPayload, TextTooLong
from chatserver.chat.events import MessageDeleted, MessageEdited, ReadChanged, TypingChanged
from chatserver.chat.models import Event, EventType, Participant, Role, Session
from chatserver.chat.ports import MessageDraft, ParticipantCount, Transaction
from chatserver.chat.summary import ParticipantMessages, Summary
from chatserver.chat.use_cases import UseCases, membership

SUMMARIZED_MESSAGES = 500
"""A summary looks at this many of the newest messages, beyond the counts."""


def body_digest(text: str, reply_to: int | None) -> bytes:
    """What makes two sends with one client_message_id the same; forgotten when the text is."""
    return hashlib.blake2b(f"{reply_to or 0}:{text}".encode(), digest_size=16).digest()


def admit(session: Session | None, role: Role | None) -> Session:
    """Whether a message may enter the log.

    Part of every store's `append_message`, on rows read in the same transaction.
    Raises `NotFound`, `NotMember`.
    """
    session, _ = access.require_member(session, role)
    return session


def require_target(reply_to: int, type_there: str | None) -> None:
    """A message may answer only a message of its own session."""
    if type_there != EventType.MESSAGE_CREATED:
        raise InvalidPayload(f"reply_to: there is no message {reply_to}", field="reply_to")


def require_same_body(stored: bytes | None, sent: bytes) -> None:
    """A repeated client_message_id must repeat the message. (`stored` None: it was deleted.)"""
    if stored is not None and stored != sent:
        raise Conflict("this client_message_id was used for another message")


class MessageUseCases(UseCases):
    async def send_message(self, actor: Participant, command: SendMessage) -> MessageSent:
        self.check_text(command.text)
        appended = await self.store.append_message(
            MessageDraft(
                session_id=command.session_id,
                sender=actor,
                text=command.text,
                client_message_id=command.client_message_id,
                reply_to=command.reply_to,
                created_at=self.clock.now(),
            )
        )
        return MessageSent(message=appended.message, duplicate=appended.duplicate)

    async def edit_message(self, actor: Participant, command: EditMessage) -> MessageChanged:
        """With `ask_again`, whoever the new text asks answers it; see `asking.ask_again`."""
        self.check_text(command.text)
        session_id, now = command.session_id, self.clock.now()
        stopping: list[str] = []

        def work(tx: Transaction) -> MessageChanged:
            session, _ = membership(tx, actor, session_id)
            message = access.require_own_message(tx.log.get(session_id, command.seq), actor)
            if message.data.get("deleted_at"):
                raise Conflict("the message was deleted")
            tx.log.edit(session_id, command.seq, command.text, now)
            edited = MessageEdited(seq=command.seq, text=command.text, edited_at=now)
            event = tx.log.append(session_id, actor, edited, now)
            if not command.ask_again:
                return MessageChanged(event=event, replies=[])
            asked = ask_again(tx, session, actor, command.seq, command.text, now, self.limits)
            stopping[:] = asked.stopping
            return MessageChanged(event=event, replies=asked.replies)

        changed = await self.store.transact(work)
        self.stop(stopping)
        return changed

    async def delete_message(self, actor: Participant, command: DeleteMessage) -> EventResult:
        session_id, now = command.session_id, self.clock.now()

        def work(tx: Transaction) -> Event:
            _, role = membership(tx, actor, session_id)
            message = access.require_erasable(tx.log.get(session_id, command.seq), actor, role)
            if message.data.get("deleted_at"):
                raise Conflict("the message was deleted already")
            tx.log.erase(session_id, command.seq, now)
            return tx.log.append(
                session_id, actor, MessageDeleted(seq=command.seq, deleted_at=now), now
            )

        return EventResult(event=await self.store.transact(work))

    async def get_history(self, actor: Participant, command: GetHistory) -> History:
        if command.before_seq is not None and command.after_seq is not None:
            raise InvalidPayload("give before_seq or after_seq, not both", field="after_seq")
        session_id, limit = command.session_id, command.limit

        def work(tx: Transaction) -> History:
            membership(tx, actor, session_id)
            if command.after_seq is not None:
                found = tx.log.after(session_id, command.after_seq, limit + 1)
                return History(events=found[:limit], complete=len(found) <= limit)
            found = tx.log.before(session_id, command.before_seq, limit + 1)
            return History(events=found[-limit:], complete=len(found) <= limit)

        return await self.store.read(work)

    async def messages(
        self, actor: Participant, session_id: str, before_seq: int | None, limit: int
    ) -> list[Event]:
        """Those that were not deleted: the newest below `before_seq` (None: of all), ascending."""

        def work(tx: Transaction) -> list[Event]:
            membership(tx, actor, session_id)
            return tx.log.messages(session_id, before_seq, limit)

        return await self.store.read(work)

    async def set_typing(self, actor: Participant, command: SetTyping) -> Nothing:
        await self.store.read(lambda tx: membership(tx, actor, command.session_id))
        self.feed.signal(
            command.session_id,
            TypingChanged(session_id=command.session_id, participant=actor, typing=command.typing),
        )
        return Nothing()

    async def mark_read(self, actor: Participant, command: MarkRead) -> ReadMark:
        session_id = command.session_id

        def work(tx: Transaction) -> int:
            # Of a member no more is asked: marks must not wait for whoever holds the session.
            if tx.members.role(session_id, actor.id) is None:
                membership(tx, actor, session_id)
            return tx.members.mark_read(session_id, actor.id, command.seq)

        seq = await self.store.transact(work)
        self.feed.signal(
            session_id, ReadChanged(session_id=session_id, participant_id=actor.id, seq=seq)
        )
        return ReadMark(seq=seq)

    async def summarize_session(
        self, actor: Participant, command: SummarizeSession
    ) -> SummaryResult:
        session_id = command.session_id

        def work(
            tx: Transaction,
        ) -> tuple[list[ParticipantCount], tuple[datetime, datetime] | None, list[Event]]:
            membership(tx, actor, session_id)
            return (
                tx.log.counts(session_id),
                tx.log.message_span(session_id),
                tx.log.messages(session_id, None, SUMMARIZED_MESSAGES),
            )

        counts, span, newest = await self.store.read(work)
        digest = await self.summarizer.digest(newest, actor.id)
        by_kind: dict[str, int] = {"user": 0, "bot": 0, "operator": 0}
        for count in counts:
            by_kind[count.participant.kind] += count.messages
        first, last = span or (None, None)
        return SummaryResult(
            summary=Summary(
                session_id=session_id,
                total_messages=sum(by_kind.values()),
                messages_by_participant=[
                    ParticipantMessages(participant=c.participant, messages=c.messages)
                    for c in counts
                ],
                messages_by_kind=by_kind,
                first_message_at=first,
                last_message_at=last,
                **dict(digest),
            )
        )

    def check_text(self, text: str) -> None:
        """Raises `BlankText`, `TextTooLong`: what nobody can say anywhere."""
        if not text.strip():
            raise BlankText("a message needs some text", field="text")
        if len(text) > self.limits.text_chars:
            raise TextTooLong(
                f"a message may have at most {self.limits.text_chars} characters", field="text"
            )
