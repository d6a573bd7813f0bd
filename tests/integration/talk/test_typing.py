"""What is typed at a terminal's prompt while the server is away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput

from chatserver.cli.talk import beside, terminal
from chatserver.cli.talk.beside import Beside
from chatserver.cli.talk.place import Place
from chatserver.cli.talk.terminal import Terminal
from chatserver.client import ChatClient, ChatSession
from chatserver.client.backoff import Backoff
from tests.gate import Gate
from tests.servers import RunningServer, StartServer
from tests.waiting import PATIENCE, eventually


class Prompt:
    """Ada's, who is behind a gate; what it shows."""

    def __init__(self, gate: Gate, client: ChatClient, session: ChatSession) -> None:
        self.gate = gate
        self.session = session
        self.shown: list[object] = []
        self._client = client

    def type(self, *lines: str) -> None:
        self._keys.send_text("".join(f"{line}\r" for line in lines))

    def shows(self, text: str) -> bool:
        return any(text in str(each) for each in self.shown)

    async def lose_the_connection(self) -> None:
        self.gate.cut()
        await eventually(lambda: not self._client.connected)

    async def said(self) -> list[str]:
        page = await self.session.history()
        return [event.data["text"] for event in page.events if "text" in event.data]

    async def ended(self) -> None:
        self.type("/quit")
        await asyncio.wait_for(self._running, PATIENCE)

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Prompt"]:
        with create_pipe_input() as keys, create_app_session(input=keys, output=DummyOutput()):
            self._keys: PipeInput = keys
            place = Place("http://127.0.0.1", self.session.id)
            at = Terminal(self._client, place, None)
            self._running = asyncio.create_task(at.run(""))
            try:
                await eventually(lambda: self.shows("Ada joined"))
                yield self
            finally:
                self._running.cancel()
                await asyncio.gather(self._running, return_exceptions=True)


@asynccontextmanager
async def prompt(running: RunningServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Prompt]:
    async with AsyncExitStack() as stack:
        gate = Gate(running.address[1])
        await gate.start()
        stack.push_async_callback(gate.stop)
        backoff = Backoff(first=0.05, cap=0.2)
        url = f"http://127.0.0.1:{gate.port}"
        ada = await stack.enter_async_context(ChatClient(url, name="Ada", backoff=backoff))
        seen = Prompt(gate, ada, await ada.create_session("Tea"))
        monkeypatch.setattr(terminal, "show", seen.shown.append)
        yield await stack.enter_async_context(seen.open())


@pytest.fixture
def repeats(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Grows with each call that has to be repeated; in 0.3 s it is."""
    begun: list[float] = []

    class Pause(Backoff):
        def next(self, at_least: float = 0.0) -> float:
            begun.append(at_least)
            return 0.3

    monkeypatch.setattr("chatserver.client.calls.Backoff", Pause)
    return begun


async def test_what_was_typed_first_is_stored_first_after_an_outage(
    server: StartServer, monkeypatch: pytest.MonkeyPatch, repeats: list[float]
) -> None:
    async with prompt(await server(default_bot=None), monkeypatch) as ada:
        await ada.lose_the_connection()
        with monkeypatch.context() as hurried:
            hurried.setattr("chatserver.client.calls.CALL_SECONDS", 0.01)
            ada.type("first")
            await eventually(lambda: repeats)
        ada.type("second", "third", "/help")
        await eventually(lambda: ada.shows("/help"), what="commands wait for no message")
        ada.gate.open()
        await ada.ended()
        assert await ada.said() == ["first", "second", "third"]


async def test_a_message_that_takes_too_long_is_named_and_the_next_one_is_sent(
    server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with prompt(await server(default_bot=None, text_chars=20), monkeypatch) as ada:
        await ada.lose_the_connection()
        with monkeypatch.context() as hurried:
            hurried.setattr(beside, "SEND_SECONDS", 0.05)
            ada.type("//first")
            await eventually(lambda: ada.shows("* not sent: //first: no answer"))
        ada.type("//second", "x" * 21)
        ada.gate.open()
        await eventually(lambda: ada.shows("at most 20 characters"))
        await ada.ended()
        assert await ada.said() == ["/second"]


async def test_only_so_many_messages_wait(
    server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beside, "MOST", 1)
    async with prompt(await server(default_bot=None), monkeypatch) as ada:
        await ada.lose_the_connection()
        ada.type("first", "second")
        await eventually(lambda: ada.shows("* not sent: second: too much is waiting"))
        ada.gate.open()
        await ada.ended()
        assert await ada.said() == ["first"]


async def test_what_waits_in_one_session_holds_up_no_other(
    server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = await server(default_bot=None)
    async with ChatClient(running.url, name="Ada") as ada:
        tea, coffee = await ada.create_session("Tea"), await ada.create_session("Coffee")
        shown = list[object]()
        sending = Beside(shown.append)
        waiting = asyncio.Event()

        async def wait(text: str) -> None:
            waiting.set()
            await asyncio.Event().wait()

        monkeypatch.setattr(tea, "send", wait)
        sending.send(tea, "green")
        await asyncio.wait_for(waiting.wait(), PATIENCE)
        sending.send(coffee, "black")
        await eventually(lambda: coffee.info.last_seq > 1)
        await sending.give_up()
        assert shown == ["* not sent: green: no answer"]


async def test_what_could_not_be_sent_is_named_in_the_end(
    server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beside, "LAST_SECONDS", 0.05)
    async with prompt(await server(default_bot=None), monkeypatch) as ada:
        await ada.lose_the_connection()
        ada.type("first", "second")
        await ada.ended()
        assert ada.shown[-2:] == ["* not sent: first: no answer", "* not sent: second: no answer"]
        ada.gate.open()
        assert await ada.said() == []
