"""An old snapshot + the events since == a new snapshot."""

from contextlib import suppress
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatserver.chat.commands import (
    AddBot,
    CreateSession,
    JoinSession,
    LeaveSession,
    RemoveBot,
    SendMessage,
    UpdateSession,
)
from chatserver.chat.errors import ChatError
from chatserver.chat.models import Participant, ReplyPolicy, Visibility
from chatserver.chat.service import ChatService
from chatserver.chat.sessions import with_presence
from chatserver.chat.snapshots import brought_up
from tests.servers import start_server

PEOPLE = 3
ops = st.tuples(
    st.sampled_from(["join", "leave", "say", "title", "bot", "no bot", "policy", "add", "remove"]),
    st.integers(0, PEOPLE - 1),
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(before=st.lists(ops, max_size=8), since=st.lists(ops, max_size=12))
async def test_a_snapshot_is_brought_up_to_date_by_the_events_since(
    tmp_path_factory: Any, before: list[tuple[str, int]], since: list[tuple[str, int]]
) -> None:
    database: Path = tmp_path_factory.mktemp("snapshots") / "chat.db"
    running = await start_server(database)
    try:
        service = running.service
        people = [(await service.issue_token(f"P{n}")).participant for n in range(PEOPLE)]
        # A member of every session who does nothing: can always look.
        watcher = (await service.issue_token("Watcher")).participant
        made = await service.create_session(
            people[0], CreateSession(visibility=Visibility.LINK, reply_policy=ReplyPolicy.OFF)
        )
        look = JoinSession(session_id=made.session.id)
        await service.join_session(watcher, look)
        for op, who in before:
            await perform(service, made.session.id, op, people[who])
        old = await service.join_session(watcher, look)
        for op, who in since:
            await perform(service, made.session.id, op, people[who])
        new = await service.join_session(watcher, look)
        missed = [event for event in new.events if event.seq > old.to_seq]
        brought = brought_up(old, missed)
        nobody: frozenset[str] = frozenset()
        members = [with_presence(member, nobody) for member in brought.members]
        assert brought.model_copy(update={"members": members}) == new
    finally:
        await running.stop()


async def perform(service: ChatService, session_id: str, op: str, who: Participant) -> None:
    changes: dict[str, dict[str, Any]] = {
        "title": {"title": f"by {who.name}"},
        "bot": {"bot": "corpus"},
        "no bot": {"bot": None},
        "policy": {"reply_policy": "mention"},
    }
    with suppress(ChatError):
        if op == "join":
            await service.join_session(who, JoinSession(session_id=session_id))
        elif op == "leave":
            await service.leave_session(who, LeaveSession(session_id=session_id))
        elif op == "say":
            message = SendMessage(session_id=session_id, text="hi", client_message_id="1")
            await service.send_message(who, message)
        elif op == "add":
            await service.add_bot(who, AddBot(session_id=session_id, bot="echo"))
        elif op == "remove":
            await service.remove_bot(who, RemoveBot(session_id=session_id, bot="echo"))
        else:
            await service.update_session(who, UpdateSession(session_id=session_id, **changes[op]))
