"""Rows to begin with."""

import itertools
from datetime import UTC, datetime, timedelta

from chatserver.chat.bots import bot_participant
from chatserver.chat.models import (
    Participant,
    ParticipantKind,
    Reply,
    ReplyPolicy,
    ReplyState,
    Role,
    Session,
    Visibility,
)
from chatserver.chat.ports import Appended, MessageDraft, Store, Transaction

NOW = datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)
ADA = Participant(id="ada", name="Ada", kind=ParticipantKind.USER)
BOB = Participant(id="bob", name="Bob", kind=ParticipantKind.USER)
EVE = Participant(id="eve", name="Eve", kind=ParticipantKind.USER)
ECHO = Participant(id="bot:echo", name="echo", kind=ParticipantKind.BOT)

_numbers = itertools.count()


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


async def seed(
    store: Store,
    session_id: str = "s",
    *,
    bot: str | None = None,
    visibility: Visibility = Visibility.PRIVATE,
    members: tuple[Participant, ...] = (ADA, BOB),
    at: datetime = NOW,
) -> str:
    """A session with these members and an empty log."""
    session = Session(
        id=session_id,
        title="a title",
        visibility=visibility,
        reply_policy=ReplyPolicy.ALWAYS,
        bot=bot,
        created_by=members[0].id,
        created_at=at,
        last_seq=0,
    )

    def work(tx: Transaction) -> None:
        for who in (*members, ECHO):
            tx.tokens.ensure_participant(who, at)
        tx.sessions.add(session)
        for who in members:
            role = Role.OWNER if who is members[0] else Role.MEMBER
            tx.members.put(session_id, who.id, role, at)

    await store.transact(work)
    return session_id


def draft(
    session_id: str = "s",
    text: str = "hello",
    *,
    sender: Participant = ADA,
    id: str = "",
    reply_to: int | None = None,
    at: datetime = NOW,
) -> MessageDraft:
    return MessageDraft(session_id, sender, text, id or f"id-{next(_numbers)}", reply_to, at)


async def say(store: Store, session_id: str = "s", text: str = "hello", **more: object) -> Appended:
    return await store.append_message(draft(session_id, text, **more))  # type: ignore[arg-type]


def queued(session_id: str, reply_id: str, prompt_seq: int) -> Reply:
    return Reply(
        reply_id=reply_id,
        session_id=session_id,
        prompt_seq=prompt_seq,
        bot="echo",
        state=ReplyState.QUEUED,
        attempt=0,
    )


async def join_bots(store: Store, *names: str, session_id: str = "s") -> None:
    """Makes bots members, in this order."""

    def work(tx: Transaction) -> None:
        for number, name in enumerate(names):
            who = bot_participant(name)
            tx.tokens.ensure_participant(who, NOW)
            tx.members.put(session_id, who.id, Role.MEMBER, later(number))

    await store.transact(work)
