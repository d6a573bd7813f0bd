"""ChatClient as programs use it: several sessions, cancelled waits, listeners with defects."""

import asyncio
from contextlib import suppress

import pytest

from chatserver.chat.errors import PayloadTooLarge
from chatserver.chat.events import SessionAdded
from chatserver.client import (
    Backoff,
    ChatClient,
    ChatSession,
    Event,
    EventType,
    Lost,
    NotConnected,
    Signal,
    Status,
)
from tests.servers import StartServer
from tests.waiting import PATIENCE, eventually


async def test_a_client_is_entered_once_and_used_inside(server: StartServer) -> None:
    client = ChatClient((await server()).url, name="Ada")
    with pytest.raises(NotConnected, match="async with"):
        await client.create_session()
    async with client:
        with pytest.raises(RuntimeError, match="once"):
            await client.__aenter__()
        assert (client.connected, client.closed) == (True, False)
    assert (client.connected, client.closed) == (False, True)
    with pytest.raises(RuntimeError, match="once"):
        await client.__aenter__()
    with pytest.raises(NotConnected, match="closed"):
        await client.create_session()


async def test_an_error_inside_closes_the_client_and_comes_out(server: StartServer) -> None:
    client = ChatClient((await server()).url, name="Ada")
    with pytest.raises(ZeroDivisionError):
        async with client:
            raise ZeroDivisionError
    assert client.closed


@pytest.mark.parametrize("pause", [60.0, 0.001], ids=["long pauses", "short pauses"])
async def test_a_client_that_finds_nobody_is_closed_whatever_it_is_at(pause: float) -> None:
    for turns in range(40):
        told: list[Status] = []
        backoff = Backoff(first=pause, cap=pause)
        client = ChatClient("http://127.0.0.1:9", token="x", backoff=backoff, on_status=told.append)
        entering = asyncio.create_task(client.__aenter__())
        await eventually(lambda told=told: told)
        client.reconnect_now()
        for _ in range(turns):
            await asyncio.sleep(0)
        async with asyncio.timeout(PATIENCE):
            await client.close()
            await asyncio.wait([entering])


async def test_a_wait_that_is_cancelled_loses_no_event(server: StartServer) -> None:
    async with ChatClient((await server()).url, name="Ada") as client:
        session = await client.create_session(bot=None)
        events = session.events()
        assert (await anext(events)).seq == 1
        taken: list[int] = []
        sending = asyncio.create_task(say(session, 20))
        while len(taken) < 20:
            with suppress(TimeoutError):
                taken.append((await asyncio.wait_for(anext(events), 0.001)).seq)
        await sending
        assert taken == list(range(2, 22))


async def say(session: ChatSession, times: int) -> None:
    for number in range(times):
        await session.send(f"message {number}")


async def test_several_sessions_are_read_side_by_side(server: StartServer) -> None:
    async with ChatClient((await server()).url, name="Ada") as client:
        sessions = [await client.create_session(f"room {n}") for n in range(3)]
        heard: dict[str, list[str]] = {session.id: [] for session in sessions}

        async def read(session: ChatSession) -> None:
            async for event in session.events():
                if event.type is EventType.MESSAGE_CREATED:
                    heard[session.id].append(event.data["text"])
                    if len(heard[session.id]) == 4:
                        return

        async with asyncio.TaskGroup() as group:
            for session in sessions:
                group.create_task(read(session))
                group.create_task(session.send(f"to {session.info.title}"))
                group.create_task(session.send(f"again to {session.info.title}"))
        for session in sessions:
            title = session.info.title
            assert sorted(heard[session.id]) == sorted([f"to {title}", f"again to {title}"] * 2)
        assert {session.title for session in client.sessions()} == {"room 0", "room 1", "room 2"}


async def test_joining_twice_at_once_gives_one_session(server: StartServer) -> None:
    url = (await server()).url
    async with ChatClient(url, name="Ada") as ada, ChatClient(url, name="Bob") as bob:
        made = await ada.create_session(visibility="link", bot=None)
        first, second = await asyncio.gather(bob.join(made.id), bob.join(made.id))
        assert first is second
        assert first.info.id == made.id


async def test_listeners_that_raise_do_no_harm(server: StartServer) -> None:
    def fail(_: Status | Signal) -> None:
        raise ZeroDivisionError

    heard: list[Signal] = []
    async with ChatClient((await server()).url, name="Ada", on_status=fail) as client:
        client.watch(fail)
        session = await client.create_session()
        session.watch(fail)
        stop = session.watch(heard.append)
        assert await session.reply(await session.send("hello")).wait() is not None
        await eventually(lambda: heard)
        stop()
        stop()


async def test_sessions_that_are_joined_elsewhere_are_heard_of(server: StartServer) -> None:
    url = (await server()).url
    async with ChatClient(url, name="Ada") as desk, ChatClient(url, token=desk.token) as phone:
        heard: list[Signal] = []
        phone.watch(heard.append)
        made = await desk.create_session("Tea")
        (added,) = await eventually(lambda: [s for s in heard if isinstance(s, SessionAdded)])
        assert added.session.id == made.id


async def test_what_waits_to_be_read_is_counted(server: StartServer) -> None:
    async with ChatClient((await server()).url, name="Ada") as client:
        session = await client.create_session(bot=None)
        await say(session, 3)
        await eventually(lambda: session.waiting == 4)
        await anext(session.events())
        assert session.waiting == 3


async def test_messages_are_found_by_their_words_page_after_page(server: StartServer) -> None:
    async with ChatClient((await server()).url, name="Ada") as client:
        session = await client.create_session(bot=None)
        green = await session.send("Green TEA, please")
        await say(session, 210)
        black = await session.send("black tea")
        assert texts((await session.search("tea")).messages) == ["black tea", "Green TEA, please"]
        assert texts((await session.search("tea green")).messages) == ["Green TEA, please"]
        first = await session.search("tea", limit=1)
        assert texts(first.messages) == ["black tea"]
        assert first.next == black.seq
        bounded = await session.search("tea", before_seq=first.next, scan=100)
        assert (bounded.messages, bounded.next) == ([], black.seq - 100)
        rest = await session.search("tea", before_seq=bounded.next)
        assert (texts(rest.messages), rest.next) == (["Green TEA, please"], None)
        await session.delete_message(green.seq)
        assert (await session.search("green")).messages == []


def texts(events: list[Event]) -> list[str]:
    return [event.data["text"] for event in events]


async def test_what_does_not_fit_into_a_frame_is_refused_before_it_ends_the_connection(
    server: StartServer,
) -> None:
    running = await server(frame_bytes=8_192, text_chars=9_000, default_bot=None)
    said: list[Status] = []
    async with ChatClient(running.url, name="Ada", on_status=said.append) as ada:
        session = await ada.create_session()
        fits = await session.send("日" * 2_600)
        for text in ("日" * 2_800, "x" * 8_192):
            with pytest.raises(PayloadTooLarge, match="the server takes 8192"):
                await session.send(text, within=5)
        assert (await session.send("well")).seq == fits.seq + 1
    assert not any(isinstance(status, Lost) for status in said[:-1])
