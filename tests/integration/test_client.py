"""ChatClient against a real server: nothing missed, nothing doubled, whatever happens."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from chatserver.chat import errors
from chatserver.chat.errors import QuotaExceeded
from chatserver.chat.events import ReplyStarted, Signal, TypingChanged
from chatserver.chat.models import Event, EventType
from chatserver.cli.token import issue
from chatserver.client import (
    ChatClient,
    ChatSession,
    Connected,
    Connecting,
    EventsTakenTwice,
    GaveUp,
    Lost,
    NotAcknowledged,
    NotConnected,
    ReplyFailed,
    Status,
)
from chatserver.client.backoff import Backoff
from tests.processes import ServerProcess, StartProcess
from tests.servers import RunningServer, StartServer, settings_for_test
from tests.waiting import PATIENCE, eventually

Talk = Callable[..., Any]


@pytest.fixture
async def talk() -> AsyncIterator[Talk]:
    """`await talk(server, "Ada")`: a connected client that comes back quickly."""
    async with AsyncExitStack() as stack:

        async def start(
            server: RunningServer | ServerProcess, name: str = "Ada", **options: Any
        ) -> ChatClient:
            if "token" not in options:
                options["token"] = await token_for(server, name)
            options.setdefault("backoff", Backoff(first=0.05, cap=0.2))
            return await stack.enter_async_context(ChatClient(server.url, **options))

        yield start


async def token_for(server: RunningServer | ServerProcess, name: str) -> str:
    if isinstance(server, RunningServer):
        return await server.token(name)
    (token,) = await issue(settings_for_test(server.database), [name])
    return token.token


async def take(session: ChatSession, until_seq: int) -> list[Event]:
    """The next events, up to one."""
    events: list[Event] = []
    async with asyncio.timeout(30):
        async for event in session.events():
            events.append(event)
            if event.seq >= until_seq:
                break
    return events


async def test_with_a_name_it_gets_itself_a_token(server: StartServer) -> None:
    url = (await server()).url
    async with ChatClient(url, name="Ada") as client:
        assert client.participant.name == "Ada"
        async with ChatClient(url, token=client.token) as again:
            assert again.participant == client.participant


async def test_a_name_that_the_server_refuses_is_raised(server: StartServer) -> None:
    with pytest.raises(errors.InvalidPayload):
        async with ChatClient((await server()).url, name=" "):
            pass


async def test_a_conversation(server: StartServer, talk: Talk) -> None:
    client = await talk(await server())
    session = await client.create_session(title="Tea")
    prompt = await session.send("Is there tea?")
    pieces = [piece async for piece in session.reply(prompt)]
    assert "".join(piece.text for piece in pieces) == "Is there tea?"
    events = await take(session, prompt.seq + 1)
    assert [e.seq for e in events] == [1, 2, 3, 4]
    assert events[2] == prompt
    assert events[3].data["reply_to"] == prompt.seq
    assert session.info.title == "Tea"
    assert session.info.last_seq == 4


async def test_a_reply_is_read_piece_by_piece(server: StartServer, talk: Talk) -> None:
    client = await talk(await server(words_per_second=100))
    session = await client.create_session()
    text = " ".join(f"wört{n} 🎈" for n in range(30))
    stream = session.reply(await session.send(text))
    offsets, so_far = [], ""
    async for piece in stream:
        offsets.append(piece.offset)
        so_far = so_far[: piece.offset] + piece.text
    assert so_far == text == stream.text
    assert len(offsets) > 1
    assert stream.message is not None
    assert stream.message.data["text"] == text
    assert stream.message.data["reply_id"] == stream.reply_id


async def test_a_reply_that_ended_long_ago_is_found_in_the_log(
    server: StartServer, talk: Talk
) -> None:
    running = await server()
    token = await running.token()
    client = await talk(running, token=token)
    session = await client.create_session()
    prompt = await session.send("hello")
    await session.reply(prompt).wait()
    other = await talk(running, token=token)
    seen_later = await other.join(session.id)
    message = await seen_later.reply(prompt).wait()
    assert message.data["text"] == "hello"


async def test_a_reply_joined_midway_is_continued(server: StartServer, talk: Talk) -> None:
    running = await server(words_per_second=60)
    token = await running.token()
    client, other = await talk(running, token=token), await talk(running, token=token)
    session = await client.create_session()
    text = " ".join(f"word{n}" for n in range(80))
    prompt = await session.send(text)
    first = session.reply(prompt)
    for _ in range(3):
        await anext(first)
    late = (await other.join(session.id)).reply(prompt)
    begin = await anext(late)
    assert begin.offset == 0
    assert len(begin.text) > 0
    rest = [piece async for piece in late]
    assert begin.text + "".join(piece.text for piece in rest) == text


async def test_stopping_and_retrying_a_reply(server: StartServer, talk: Talk) -> None:
    client = await talk(await server(words_per_second=60))
    session = await client.create_session()
    prompt = await session.send(" ".join(["word"] * 60))
    stream = session.reply(prompt)
    await anext(stream)
    assert stream.reply_id is not None
    await session.stop_reply(stream.reply_id)
    message = await stream.wait()
    assert message is not None
    assert stream.stopped
    again = await session.retry_reply(stream.reply_id)
    full = await session.reply(prompt, reply_id=again.reply_id).wait()
    assert full is not None
    assert full.data["text"] == prompt.data["text"]
    assert full.data["replaces"] == message.seq
    with pytest.raises(errors.Conflict):
        await session.retry_reply(stream.reply_id)
    assert (await session.keep(message.seq)).data == {"seq": message.seq}


async def test_an_edited_message_is_answered_again(server: StartServer, talk: Talk) -> None:
    client = await talk(await server())
    session = await client.create_session(bot="echo")
    prompt = await session.send("one")
    first = await session.reply(prompt).wait()
    (again,) = await session.edit_and_ask(prompt.seq, "two")
    second = await session.reply(prompt, reply_id=again.reply_id).wait()
    assert first is not None
    assert second is not None
    assert (second.data["text"], second.data["replaces"]) == ("two", first.seq)


async def test_each_of_several_bots_is_waited_for_by_name(server: StartServer, talk: Talk) -> None:
    ada = await talk(await server(), "Ada")
    session = await ada.create_session(bot="echo")
    await session.add_bot("corpus")
    prompt = await session.send("@corpus and @echo")
    for bot in ("echo", "corpus"):
        message = await session.reply(prompt, bot=bot).wait()
        assert message is not None
        assert message.sender.name == bot
    assert (await session.remove_bot("echo")).bot is None


async def test_refusals_are_the_classes_of_the_domain(server: StartServer, talk: Talk) -> None:
    running = await server(text_chars=5, sessions_per_participant=1)
    client, other = await talk(running), await talk(running, "Bob")
    session = await client.create_session(bot=None)
    with pytest.raises(errors.TextTooLong) as refused:
        await session.send("too long")
    assert refused.value.field == "text"
    with pytest.raises(errors.BlankText):
        await session.send(" ")
    with pytest.raises(errors.TooManySessions):
        await client.create_session()
    with pytest.raises(errors.NotFound):
        await other.join(session.id)
    with pytest.raises(errors.UnknownBot):
        await session.update(bot="hal")
    await session.send("one", "same")
    with pytest.raises(errors.Conflict):
        await session.send("two", "same")


async def test_a_rate_limit_is_waited_for(server: StartServer, talk: Talk) -> None:
    client = await talk(await server(events_per_second=50, events_burst=5))
    session = await client.create_session(bot=None)
    sent = [await session.send(f"message {n}") for n in range(20)]
    assert [e.seq for e in sent] == list(range(2, 22))


async def test_a_quota_is_not_waited_for(server: StartServer, talk: Talk) -> None:
    ada = await talk(await server(replies_per_participant_day=1), "Ada")
    session = await ada.create_session(bot="echo")
    await session.send("one")
    with pytest.raises(QuotaExceeded) as refused:
        await session.send("two")
    assert refused.value.retry_after_ms


async def test_a_token_that_is_not_valid_is_refused_at_once(
    server: StartServer, talk: Talk
) -> None:
    running = await server()
    with pytest.raises(errors.Unauthorized):
        await talk(running, token="nobody's")


async def test_no_server_is_said_in_time() -> None:
    with pytest.raises(NotConnected):
        async with ChatClient("http://127.0.0.1:9", token="x", connect_timeout=0.5):
            pass


async def test_a_revoked_token_ends_everything_with_its_reason(
    server: StartServer, talk: Talk
) -> None:
    running = await server()
    told: list[Status] = []
    client = await talk(running, on_status=told.append)
    session = await client.create_session(bot=None)
    await take(session, 1)
    reading = asyncio.create_task(take(session, 99))
    await running.service.revoke_token(client.token)
    with pytest.raises(errors.TokenRevoked):
        await reading
    with pytest.raises(errors.TokenRevoked):
        await session.send("too late")
    assert any(isinstance(s, GaveUp) and isinstance(s.error, errors.TokenRevoked) for s in told)


async def test_invites_members_marks_and_typing(server: StartServer, talk: Talk) -> None:
    running = await server()
    ada, bob = await talk(running, "Ada"), await talk(running, "Bob")
    mine = await ada.create_session(bot=None)
    with pytest.raises(errors.NotFound):
        await bob.join(mine.id)
    invited = await mine.create_invite()
    his = await bob.join(mine.id, invite=invited.invite)
    heard: asyncio.Queue[Signal] = asyncio.Queue()
    stop_watching = his.watch(heard.put_nowait)
    await mine.set_typing(True)
    while not isinstance(signal := await asyncio.wait_for(heard.get(), PATIENCE), TypingChanged):
        pass
    assert (signal.participant, signal.typing) == (ada.participant, True)
    stop_watching()
    said = await mine.send("read this")
    assert await his.mark_read(said.seq) == said.seq
    await eventually(lambda: mine.members[bob.participant.id].read_seq == said.seq)
    await bob.close()
    await eventually(lambda: not mine.members[bob.participant.id].online)
    await mine.update(title="New title")
    assert mine.info.title == "New title"
    await mine.revoke_invites()
    summary = await mine.summarize()
    assert (summary.total_messages, summary.method, summary.text) == (1, "extractive", None)
    edited = await mine.edit(said.seq, "read that")
    assert edited.type is EventType.MESSAGE_EDITED
    assert (await mine.delete_message(said.seq)).type is EventType.MESSAGE_DELETED
    assert (await mine.summarize()).total_messages == 0


async def test_events_end_when_a_session_was_left_or_deleted(
    server: StartServer, talk: Talk
) -> None:
    running = await server()
    ada, bob = await talk(running, "Ada"), await talk(running, "Bob")
    mine = await ada.create_session(bot=None, visibility="link")
    his = await bob.join(mine.id)
    reading = asyncio.create_task(take(his, 99))
    await mine.send("last words")
    await mine.delete()
    events = await reading
    assert events[-1].data["text"] == "last words"
    other = await ada.create_session(bot=None)
    reading = asyncio.create_task(take(other, 99))
    await other.leave()
    assert [e.type for e in await reading][:1] == [EventType.PARTICIPANT_JOINED]
    assert ada.sessions() == []


async def test_events_go_to_one_reader(server: StartServer, talk: Talk) -> None:
    client = await talk(await server())
    session = await client.create_session(bot=None)
    async for event in session.events():
        assert event.seq == 1
        break
    waiting = asyncio.create_task(take(session, 2))
    second = asyncio.create_task(take(session, 2))
    with pytest.raises(EventsTakenTwice):
        await second
    await session.send("next")
    assert [e.seq for e in await waiting] == [2]


async def test_a_reader_that_sleeps_through_thousands_gets_them_all(
    server: StartServer, talk: Talk
) -> None:
    client = await talk(await server())
    session = await client.create_session(bot=None)
    for _ in range(12):
        await asyncio.gather(*[session.send("message") for _ in range(100)])
    events = await take(session, 1201)
    assert [e.seq for e in events] == list(range(1, 1202))


async def test_older_history_is_paged(server: StartServer, talk: Talk) -> None:
    running = await server()
    ada, bob = await talk(running, "Ada"), await talk(running, "Bob")
    mine = await ada.create_session(bot=None, visibility="link")
    await asyncio.gather(*[mine.send(f"message {n}") for n in range(80)])
    his = await bob.join(mine.id)
    events = await take(his, 82)
    assert [e.seq for e in events] == list(range(33, 83))
    older = await his.history(before_seq=33, limit=200)
    assert ([e.seq for e in older.events], older.complete) == (list(range(1, 33)), True)
    listed = await bob.list_sessions()
    assert [s.id for s in listed.sessions] == [mine.id]


async def test_after_a_restart_it_comes_back_and_has_missed_nothing(
    server_process: StartProcess, talk: Talk
) -> None:
    process = await asyncio.to_thread(server_process)
    told: list[Status] = []
    ada, bob = await talk(process, "Ada", on_status=told.append), await talk(process, "Bob")
    mine = await ada.create_session(bot=None, visibility="link")
    his = await bob.join(mine.id, after_seq=0)
    await mine.send("before")
    reading = asyncio.create_task(take(his, 6))
    process.kill()
    pending = [asyncio.create_task(mine.send(f"meanwhile {n}", f"id-{n}")) for n in range(3)]
    await asyncio.to_thread(process.start)
    assert len({(await sending).seq for sending in pending}) == 3
    events = await reading
    assert [e.seq for e in events] == [1, 2, 3, 4, 5, 6]
    kinds = [type(status) for status in told]
    assert kinds[:2] == [Connected, Lost]
    assert Connecting in kinds
    assert kinds[-1] is Connected
    assert told[-1] == Connected(ada.participant, again=True)


async def test_it_comes_back_to_a_server_that_stopped_when_it_was_asked_to(
    server: StartServer, talk: Talk
) -> None:
    running = await server(reconnect_after_ms=30_000)
    told: list[Status] = []
    await talk(running, on_status=told.append)
    await running.stop()
    lost, connecting = await eventually(lambda: told[1:3] if len(told) > 2 else None)
    assert lost == Lost(draining=True)
    assert 30 <= connecting.seconds < 31


async def test_a_long_absence_is_paged_for(server_process: StartProcess, talk: Talk) -> None:
    process = await asyncio.to_thread(server_process)
    far = Backoff(first=60, cap=60)
    ada, bob = await talk(process, "Ada"), await talk(process, "Bob", backoff=far)
    mine = await ada.create_session(bot=None, visibility="link")
    his = await bob.join(mine.id, after_seq=0)
    assert len(await take(his, 2)) == 2
    process.kill()
    await asyncio.to_thread(process.start)
    await asyncio.gather(*[mine.send("message") for _ in range(450)])
    assert not bob.connected
    bob.reconnect_now()
    events = await take(his, 452)
    assert [e.seq for e in events] == list(range(3, 453))


async def test_a_reply_survives_a_kill_of_its_server(
    server_process: StartProcess, talk: Talk
) -> None:
    process = await asyncio.to_thread(server_process, words_per_second=40)
    client = await talk(process)
    session = await client.create_session()
    text = " ".join(f"word{n}" for n in range(40))
    stream = session.reply(await session.send(text))
    shown = (await anext(stream)).text
    process.kill()
    await asyncio.to_thread(process.start)
    async for piece in stream:
        shown = shown[: piece.offset] + piece.text
    assert shown == text
    assert stream.message is not None


async def test_a_send_without_answer_gives_its_id_back(
    server_process: StartProcess, talk: Talk
) -> None:
    process = await asyncio.to_thread(server_process)
    client = await talk(process)
    session = await client.create_session(bot=None)
    process.kill()
    with pytest.raises(NotAcknowledged) as refused:
        await session.send("anybody?", within=0.5)
    await asyncio.to_thread(process.start)
    sent = await session.send("anybody?", refused.value.client_message_id)
    assert [e.data.get("text") for e in await take(session, sent.seq)].count("anybody?") == 1


async def test_a_failed_reply_is_raised(
    server: StartServer, talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from chatserver.bots.echo import EchoBot
    from chatserver.chat.ports import BotError, ReplyContext

    async def fail(_self: EchoBot, context: ReplyContext) -> AsyncIterator[str]:
        for _ in context.messages:
            raise BotError("bot_unavailable", "out for tea", retryable=True)
        yield ""

    monkeypatch.setattr(EchoBot, "reply", fail)
    client = await talk(await server())
    session = await client.create_session()
    started: list[Signal] = []
    session.watch(started.append)
    with pytest.raises(ReplyFailed) as failed:
        await session.reply(await session.send("hello")).wait()
    assert (failed.value.code, failed.value.retryable) == ("bot_unavailable", True)
    assert any(isinstance(signal, ReplyStarted) for signal in started)


async def test_a_token_is_renewed_before_it_expires(server: StartServer, talk: Talk) -> None:
    running = await server(token_seconds=4)
    told: list[Status] = []
    keeper = await talk(running, "Ada", on_status=told.append)
    other = await talk_without_renewal(running)
    await eventually(lambda: other.done(), within=15, what="a token nobody renews expires")
    session = await keeper.create_session(bot=None)
    await session.send("still here")
    assert [type(status) for status in told] == [Connected]


async def talk_without_renewal(server: RunningServer) -> "asyncio.Task[None]":
    from tests.raw import RawClient

    raw = RawClient("raw")
    await raw.connect(server.url, {"token": await server.token("raw")})
    return asyncio.create_task(raw.lost())
