"""The session that a terminal shows, while the connection comes and goes."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from chatserver.cli.talk import room
from chatserver.cli.talk.room import Room
from chatserver.client import ChatClient, ChatSession, ConnectionLost
from chatserver.client.backoff import Backoff
from chatserver.testing import ScriptedBot
from tests.gate import Gate
from tests.servers import RunningServer, StartServer
from tests.waiting import eventually


class Screen:
    """What a terminal would show of Ada's session; she is behind a gate, and Bob is not."""

    def __init__(self, gate: Gate, ada: ChatSession, bob: ChatSession) -> None:
        self.gate = gate
        self.ada = ada
        self.bob = bob
        self.shown: list[object] = []
        self.room = Room(ada, self.shown.append, lambda: None, lambda: 80)

    async def say(self, text: str) -> int:
        return (await self.bob.send(text)).seq

    async def come_back(self) -> None:
        """Returns once the connection is there again."""
        self.gate.open()
        await self.ada.mark_read(0)


@asynccontextmanager
async def screen(running: RunningServer) -> AsyncIterator[Screen]:
    async with AsyncExitStack() as stack:
        gate = Gate(running.address[1])
        await gate.start()
        stack.push_async_callback(gate.stop)
        backoff = Backoff(first=0.05, cap=0.2)
        url = f"http://127.0.0.1:{gate.port}"
        ada = await stack.enter_async_context(ChatClient(url, name="Ada", backoff=backoff))
        bob = await stack.enter_async_context(ChatClient(running.url, name="Bob"))
        session = await ada.create_session("Tea", visibility="link")
        shown = Screen(gate, session, await bob.join(session.id))
        yield shown
        await shown.room.stop()


async def test_what_is_read_while_the_connection_is_away_is_marked_later(
    server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "MARK_AGAIN_SECONDS", 0.05)
    async with screen(await server(default_bot=None)) as seen:
        seq = await seen.say("hello")
        await eventually(lambda: seen.ada.info.last_seq == seq)
        lost = _lost(monkeypatch, seen.ada)
        with monkeypatch.context() as hurried:
            hurried.setattr("chatserver.client.calls.CALL_SECONDS", 0.1)
            seen.gate.cut()
            seen.room.start()
            await eventually(lambda: lost)
        await seen.come_back()
        me = next(id for id, m in seen.bob.members.items() if m.participant.name == "Ada")
        await eventually(lambda: seen.bob.members[me].read_seq == seq)


def _lost(monkeypatch: pytest.MonkeyPatch, session: ChatSession) -> list[Exception]:
    """The marks that do not reach the server."""
    lost: list[Exception] = []
    mark_read = session.mark_read

    async def marking(seq: int) -> int:
        try:
            return await mark_read(seq)
        except Exception as error:
            lost.append(error)
            raise

    monkeypatch.setattr(session, "mark_read", marking)
    return lost


async def test_a_reply_that_began_while_one_was_away_can_be_stopped(server: StartServer) -> None:
    bot = ScriptedBot("scripted")
    async with screen(await server(bots=[bot], default_bot="scripted")) as seen:
        seen.room.start()
        seen.gate.cut()
        await seen.say("begin")
        bot.say("one ", "two ")
        await eventually(lambda: [r for r in seen.bob.running_replies() if r.text == "one two "])
        assert not seen.room.interruptible()
        await seen.come_back()
        assert seen.room.interruptible()
        (growing,) = seen.room.growing()
        assert growing.startswith("scripted: one")
        await seen.room.stop_replies()
        await eventually(lambda: not seen.room.growing())
        assert not seen.room.interruptible()


async def test_a_reply_that_was_stopped_before_its_first_word_while_one_was_away_is_forgotten(
    server: StartServer,
) -> None:
    bot = ScriptedBot("scripted")
    async with screen(await server(bots=[bot], default_bot="scripted")) as seen:
        seen.room.start()
        await seen.say("begin")
        await eventually(lambda: seen.room.growing() == ["scripted is thinking…"])
        seen.gate.cut()
        (reply,) = seen.bob.running_replies()
        await seen.bob.stop_reply(reply.reply_id)
        await seen.come_back()
        await eventually(lambda: not seen.room.growing())
        assert not seen.room.interruptible()


async def test_a_stop_that_did_not_arrive_can_be_asked_for_again(
    server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    bot = ScriptedBot("scripted")
    async with screen(await server(bots=[bot], default_bot="scripted")) as seen:
        seen.room.start()
        await seen.say("begin")
        bot.say("one ")
        await eventually(lambda: seen.room.growing())
        with monkeypatch.context() as hurried:
            hurried.setattr("chatserver.client.calls.CALL_SECONDS", 0.1)
            seen.gate.cut()
            with pytest.raises(ConnectionLost):
                await seen.room.stop_replies()
        assert seen.room.interruptible()
        await seen.come_back()
        await seen.room.stop_replies()
        await eventually(lambda: not seen.room.growing())
