"""Every reply that is asked for ends once, and bots answer bots only so often."""

import asyncio
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatserver.chat.addressing import mentions
from chatserver.chat.commands import AddBot, CreateSession, SendMessage, StopReply
from chatserver.chat.models import EventType, ParticipantKind
from chatserver.chat.ports import Bot
from tests.integration.protocol.bots import SayingBot
from tests.servers import start_server
from tests.waiting import eventually

NAMES = ("a", "b", "c")
names = st.lists(st.sampled_from(NAMES), max_size=4)
saying = st.tuples(names, st.booleans())
"""Who is mentioned, and whether the newest reply is stopped just after."""


def calling(called: list[str]) -> str:
    return " ".join(["hello", *[f"@{name}" for name in called]])


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    turns=st.integers(0, 8),
    says=st.tuples(names, names, names),
    told=st.lists(saying, min_size=1, max_size=5),
)
async def test_every_reply_that_was_asked_for_ends_and_turns_stay_bounded(
    tmp_path_factory: Any, turns: int, says: Any, told: list[tuple[list[str], bool]]
) -> None:
    path: Path = tmp_path_factory.mktemp("asking") / "chat.db"
    bots: list[Bot] = [
        SayingBot(name, calling(called)) for name, called in zip(NAMES, says, strict=True)
    ]
    running = await start_server(path, bots, default_bot="a")
    try:
        service = running.service
        ada = (await service.issue_token("Ada")).participant
        made = await service.create_session(ada, CreateSession(bot="a", bot_turns=turns))
        session_id = made.session.id
        for name in NAMES[1:]:
            await service.add_bot(ada, AddBot(session_id=session_id, bot=name))
        asked: dict[int, tuple[str, ...]] = {}
        for number, (called, stop) in enumerate(told):
            text = calling(called)
            sent = await service.send_message(
                ada, SendMessage(session_id=session_id, text=text, client_message_id=f"{number}")
            )
            asked[sent.message.seq] = mentions(text, NAMES) or ("a",)
            newest = await service.reply_to(ada, session_id, sent.message.seq)
            assert newest is not None
            if stop:
                target = StopReply(session_id=session_id, reply_id=newest.reply_id)
                await service.stop_reply(ada, target)

        async def quiet() -> bool:
            return not await service.store.read(lambda tx: tx.replies.active(session_id))

        async with asyncio.timeout(30):
            await eventually(quiet, within=20)
        log = await service.store.read(lambda tx: tx.log.after(session_id, 0, 1_000))
        for seq, called_bots in asked.items():
            for bot in called_bots:
                reply = await service.store.read(
                    lambda tx, seq=seq, bot=bot: tx.replies.newest_of_prompt(session_id, seq, bot)  # type: ignore[misc]
                )
                assert reply is not None
                assert reply.state.terminal
        ends = [event.data["reply_id"] for event in log if "reply_id" in event.data]
        assert len(ends) == len(set(ends))
        assert max(turns_used(log), default=0) <= turns
    finally:
        await running.stop()


def turns_used(log: list[Any]) -> list[int]:
    """After each message of a person: the messages that answer a bot's message before the next."""
    used: list[int] = []
    stretch: dict[int, int] = {}
    for event in log:
        if event.type is not EventType.MESSAGE_CREATED:
            continue
        if event.sender.kind is not ParticipantKind.BOT:
            used.append(0)
            continue
        stretch[event.seq] = len(used) - 1
        if event.data["reply_to"] in stretch:
            used[stretch[event.data["reply_to"]]] += 1
    return used
