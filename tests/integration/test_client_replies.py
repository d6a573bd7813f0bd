"""How ChatClient learns what became of replies that ended while it was not there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from chatserver.chat.commands import GetReply, ReplyFound
from chatserver.chat.models import Participant, ReplyState
from chatserver.chat.service import ChatService
from chatserver.client import ChatClient, ChatSession, ConnectionLost, ReplyFailed, calls
from chatserver.client.backoff import Backoff
from chatserver.testing import ScriptedBot
from tests.conftest import Connect
from tests.raw import RawClient
from tests.servers import RunningServer, StartServer
from tests.waiting import PATIENCE, eventually
from tests.wire import Wire


class Household:
    """Ada at one place, raw, and at another that can be cut off; `bot` answers her."""

    def __init__(self, stack: AsyncExitStack) -> None:
        self.bot = ScriptedBot("bot")
        self._stack = stack

    async def begin(self, server: StartServer, connect: Connect) -> None:
        self.running: RunningServer = await server(bots=[self.bot], default_bot="bot")
        self.token = await self.running.token()
        self.raw: RawClient = await connect(self.running, token=self.token)
        self.session_id = (await self.raw.do("create_session"))["session"]["id"]
        self.wire = await self._stack.enter_async_context(Wire(self.running.url))

    async def away(self) -> ChatSession:
        """The session over the wire that can be cut."""
        backoff = Backoff(first=0.05, cap=0.1)
        client = ChatClient(self.wire.url, token=self.token, backoff=backoff)
        return await (await self._stack.enter_async_context(client)).join(self.session_id)

    async def do(self, event: str, **payload: Any) -> Any:
        return await self.raw.do(event, session_id=self.session_id, **payload)


@pytest.fixture
async def house(server: StartServer, connect: Connect) -> AsyncIterator[Household]:
    async with AsyncExitStack() as stack:
        house = Household(stack)
        await house.begin(server, connect)
        yield house


async def test_a_reply_that_was_retried_long_ago_is_found_by_its_id_and_by_its_prompt(
    house: Household,
) -> None:
    house.bot.answers(["old", "new"])
    prompt = (await house.raw.say(house.session_id, "Tea?"))["seq"]
    old = (await house.raw.told("reply_finished"))["reply_id"]
    new = (await house.do("retry_reply", reply_id=old))["reply"]["reply_id"]
    await house.raw.told("reply_finished", reply_id=new)
    await house.do("update_session", reply_policy="off")
    for number in range(55):
        await house.raw.say(house.session_id, f"later {number}")
    for reply_id, text in ((old, "old"), (new, "new"), (None, "new")):
        session = await house.away()
        message = await session.reply(prompt, reply_id=reply_id, timeout=PATIENCE).wait()
        assert message is not None
        assert message.data["text"] == text


async def test_the_failure_of_a_reply_long_ago_is_raised(house: Household) -> None:
    house.bot.say("so far").fail()
    prompt = (await house.raw.say(house.session_id, "Tea?"))["seq"]
    await house.raw.told("reply_failed")
    await house.do("update_session", reply_policy="off")
    for number in range(55):
        await house.raw.say(house.session_id, f"later {number}")
    stream = (await house.away()).reply(prompt, timeout=PATIENCE)
    with pytest.raises(ReplyFailed) as failed:
        await stream.wait()
    assert (failed.value.code, stream.text) == ("model_unavailable", "so far")


@pytest.mark.parametrize("ending", ["stopped", "switched off"])
async def test_a_reply_that_ended_without_a_word_while_one_was_away_ends(
    house: Household, ending: str
) -> None:
    session = await house.away()
    prompt = await session.send("Tea?")
    reply_id = (await house.raw.told("reply_started"))["reply_id"]
    waiting = asyncio.create_task(session.reply(prompt, timeout=PATIENCE).wait())
    await eventually(lambda: session.running_replies() != [])
    house.wire.cut()
    if ending == "stopped":
        await house.do("stop_reply", reply_id=reply_id)
    else:
        await house.do("update_session", reply_policy="off")
        house.bot.answers(["unheard"])
    assert (await house.raw.told("reply_stopped"))["seq"] is None
    await house.wire.mend()
    assert await waiting is None
    assert session.running_replies() == []


async def test_a_reply_that_was_never_heard_of_and_said_nothing_ends(house: Household) -> None:
    prompt = await ended_unheard(house)
    stream = (await house.away()).reply(prompt, timeout=PATIENCE)
    assert await stream.wait() is None
    assert stream.stopped


@pytest.mark.parametrize("ending", ["stopped", "switched off", "bot removed", "prompt deleted"])
async def test_a_reply_that_ends_before_its_turn_ends_for_who_waits_for_it(
    house: Household, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    session = await house.away()
    await session.send("Tea?")
    await house.raw.told("reply_started")
    prompt = await session.send("Or coffee?")
    get = ChatService.get_reply
    queued: asyncio.Queue[str] = asyncio.Queue()

    async def get_and_tell(
        service: ChatService, actor: Participant, command: GetReply
    ) -> ReplyFound:
        found = await get(service, actor, command)
        assert found.reply is not None
        if found.reply.state is ReplyState.QUEUED:
            queued.put_nowait(found.reply.reply_id)
        return found

    monkeypatch.setattr(ChatService, "get_reply", get_and_tell)
    stream = session.reply(prompt, timeout=PATIENCE)
    waiting = asyncio.create_task(stream.wait())
    reply_id = await asyncio.wait_for(queued.get(), PATIENCE)
    match ending:
        case "stopped":
            await house.do("stop_reply", reply_id=reply_id)
        case "switched off":
            await house.do("update_session", reply_policy="off")
        case "bot removed":
            await house.do("remove_bot", bot="bot")
        case _:
            await house.do("delete_message", seq=prompt.seq)
    house.bot.say("yes").end()
    assert await waiting is None
    assert (stream.reply_id, stream.stopped) == (reply_id, True)


async def test_a_reply_that_still_runs_when_one_comes_back_goes_on(house: Household) -> None:
    session = await house.away()
    prompt = await session.send("Tea?")
    await house.raw.told("reply_started")
    waiting = asyncio.create_task(session.reply(prompt, timeout=PATIENCE).wait())
    house.bot.say("Green ")
    await eventually(lambda: [r.text for r in session.running_replies()] == ["Green "])
    house.wire.cut()
    house.bot.say("tea, ")
    await house.raw.told("reply_delta", text="tea, ")
    await house.wire.mend()
    await eventually(lambda: [r.text for r in session.running_replies()] == ["Green tea, "])
    house.bot.say("please").end()
    message = await waiting
    assert message is not None
    assert message.data["text"] == "Green tea, please"


async def test_a_wait_for_a_reply_that_was_cancelled_may_be_repeated(
    house: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompt = await ended_unheard(house)
    session = await house.away()
    get, asked, go_on = ChatService.get_reply, asyncio.Event(), asyncio.Event()

    async def get_late(service: ChatService, actor: Participant, command: GetReply) -> ReplyFound:
        asked.set()
        await go_on.wait()
        return await get(service, actor, command)

    monkeypatch.setattr(ChatService, "get_reply", get_late)
    stream = session.reply(prompt, timeout=PATIENCE)
    waiting = asyncio.create_task(stream.wait())
    await asyncio.wait_for(asked.wait(), PATIENCE)
    waiting.cancel()
    await asyncio.wait([waiting])
    go_on.set()
    assert await stream.wait() is None
    assert stream.stopped


async def test_an_outage_that_lasts_does_not_end_a_wait_for_a_reply(
    house: Household, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompt = await ended_unheard(house)
    session = await house.away()
    monkeypatch.setattr(calls, "CALL_SECONDS", 0.1)
    house.wire.cut()
    stream = session.reply(prompt, timeout=PATIENCE)
    waiting = asyncio.create_task(stream.wait())
    for _ in range(3):
        with pytest.raises(ConnectionLost):
            await session.history()
    assert not waiting.done()
    monkeypatch.undo()
    await house.wire.mend()
    assert await waiting is None
    assert stream.stopped


async def ended_unheard(house: Household) -> int:
    """The seq of a prompt whose reply was stopped before it said anything."""
    prompt = (await house.raw.say(house.session_id, "Tea?"))["seq"]
    reply_id = (await house.raw.told("reply_started"))["reply_id"]
    await house.do("stop_reply", reply_id=reply_id)
    await house.raw.told("reply_stopped")
    return int(prompt)
