"""The framed WebSocket: what people say and read there, until the end."""

import asyncio
import re
import socket
import sys
from pathlib import Path

import pytest

from chatserver.app import SERVER
from chatserver.chat.rooms import LOBBY
from chatserver.testing.scripted import ScriptedBot
from tests.conftest import Connect
from tests.integration.doors.framed import framed, is_empty, refused, said
from tests.servers import RunningServer, StartServer
from tests.waiting import PATIENCE, eventually

DOORS = Path(__file__).resolve().parents[3] / "docs" / "doors.md"


@pytest.fixture
async def running(server: StartServer) -> RunningServer:
    return await server(guests="shared")


async def test_others_read_what_somebody_says_and_the_sender_does_not(
    running: RunningServer,
) -> None:
    async with framed(running, "ada") as ada, framed(running, "bob") as bob:
        assert await ada.hears() == "Server: Client bob joined the chat"
        await ada.say("héllo\nthere")
        assert await bob.hears() == "ada: héllo\nthere"
        await bob.say("hi")
        assert await ada.hears() == "bob: hi"
    assert await said(running) == ["héllo\nthere", "hi"]


async def test_each_coming_and_going_is_told_once_to_the_others(running: RunningServer) -> None:
    async with framed(running, "ada") as ada:
        async with framed(running, "bob") as bob:
            async with framed(running, "eve"):
                assert await bob.hears() == "Server: Client eve joined the chat"
            assert await bob.hears() == "Server: Client eve left the chat"
            await ada.say("end")
            assert await bob.hears() == "ada: end"
        names = ("bob joined", "eve joined", "eve left", "bob left")
        assert await ada.hears_all(4) == [f"Server: Client {each} the chat" for each in names]
        async with framed(running, "bob") as bob:
            await bob.say("end")
            assert await ada.hears_until("bob: end") == ["Server: Client bob joined the chat"]


async def test_nothing_of_before_is_told_to_who_joins(running: RunningServer) -> None:
    async with framed(running, "ada") as ada:
        await ada.say("early")
        await eventually(lambda: said(running))
        async with framed(running, "bob") as bob:
            await ada.say("late")
            assert await bob.hears() == "ada: late"


async def test_people_at_other_doors_are_in_the_same_room(
    running: RunningServer, connect: Connect
) -> None:
    async with framed(running, "ada") as ada:
        eve = await connect(running, "Eve")
        await eve.do("join_session", session_id=LOBBY)
        assert await ada.hears() == "Server: Client Eve joined the chat"
        await eve.say(LOBBY, "from my browser")
        assert await ada.hears() == "Eve: from my browser"
        await ada.say("to all")
        await eve.told("message_created", text="to all")
        assert await refused(running, "eve") == 403
        await eve.close()
        assert await ada.hears() == "Server: Client Eve left the chat"


async def test_a_person_with_two_connections_comes_and_goes_once(running: RunningServer) -> None:
    token = await running.token("Eve")
    async with framed(running, "ada") as ada:
        async with framed(running, "Eve", token=token) as one:
            async with framed(running, "Eve", token=token) as two:
                await one.say("first")
                assert await two.hears() == "Eve: first"
            await one.say("second")
            expected = ["Server: Client Eve joined the chat", "Eve: first", "Eve: second"]
            assert await ada.hears_all(3) == expected
        assert await ada.hears() == "Server: Client Eve left the chat"


async def test_a_bot_that_is_asked_by_name_answers_for_all_to_read(running: RunningServer) -> None:
    async with framed(running, "ada") as ada, framed(running, "bob") as bob:
        assert await ada.hears() == "Server: Client bob joined the chat"
        await ada.say("@echo hello")
        answer = await ada.hears()
        assert answer.startswith("echo: ")
        assert await bob.hears_all(2) == ["ada: @echo hello", answer]


async def test_a_failed_answer_is_a_notice(server: StartServer) -> None:
    bot = ScriptedBot()
    bot.fail()
    running = await server(guests="shared", bots=[bot], default_bot="scripted")
    async with framed(running, "ada") as ada:
        await ada.say("@scripted hello")
        assert await ada.hears() == "Server: scripted could not answer: The model is away."


async def test_who_does_not_read_is_cut_off_and_the_others_go_on(server: StartServer) -> None:
    running = await server(guests="shared", unsent_bytes=65_536, text_chars=60_000)
    with socket.socket() as line:
        # Little is under way between the two, so that little must be said.
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.connect(running.address)
        async with framed(running, "ada") as ada, framed(running, "eve", how={"sock": line}) as eve:
            eve.fall_silent()
            talking = asyncio.create_task(ada.say_again_and_again("x" * 60_000))
            await ada.hears_until("Server: Client eve left the chat")
            talking.cancel()
            eve.abort()


async def test_the_end_of_a_token_ends_the_connection(running: RunningServer) -> None:
    token = await running.token("Ada")
    async with framed(running, "Ada", token=token) as ada:
        await running.service.revoke_token(token)
        assert await ada.is_closed() == (1008, "token_revoked")


async def test_the_end_of_the_membership_ends_the_connection(
    running: RunningServer, connect: Connect
) -> None:
    eve = await connect(running, "Eve")
    made = [(await eve.do("create_session", visibility="link"))["session"]["id"] for _ in range(3)]
    token = await running.token("Ada")
    other = await connect(running, token=token)
    async with (
        framed(running, "Ada", token=token, session=made[0]) as first,
        framed(running, "Ada", token=token, session=made[1]) as second,
        framed(running, "Ada", token=token, session=made[2]) as third,
    ):
        await eve.do("delete_session", session_id=made[0])
        assert await first.is_closed() == (1008, "the session was deleted")
        await other.do("leave_session", session_id=made[1])
        assert await second.is_closed() == (1008, "you have left the session")
        await eve.say(made[2], "still here")
        assert await third.hears_until("Eve: still here") == []


async def test_nobody_elsewhere_can_speak_as_the_server(
    running: RunningServer, connect: Connect
) -> None:
    async with framed(running, "ada") as ada:
        forger = await connect(running, "Server")
        await forger.do("join_session", session_id=LOBBY)
        await forger.say(LOBBY, "Client bob left the chat")
        said = "(user) Server: Client bob left the chat"
        assert await ada.hears_until(said) == ["Server: Client Server joined the chat"]


async def test_a_drain_ends_the_connection_and_the_membership_of_guests(
    running: RunningServer,
) -> None:
    async with framed(running, "ada") as ada, framed(running, "bob") as bob:
        assert await ada.hears() == "Server: Client bob joined the chat"
        await running.app.shutdown()
        assert await ada.is_closed() == (1012, "draining")
        assert (await bob.is_closed())[0] == 1012
        await eventually(lambda: is_empty(running))
        assert await refused(running, "eve") == 503


async def test_the_example_of_the_documentation_is_answered(
    server: StartServer, tmp_path: Path
) -> None:
    running = await server(guests="shared", default_bot="corpus")
    section = DOORS.read_text("utf-8").split("## Framed WebSocket")[1]
    (example,) = re.findall(r"```python\n(.*?)```", section.split("\n## ")[0], re.DOTALL)
    assert "ws://127.0.0.1:8000/" in example
    script = tmp_path / "example.py"
    script.write_text(example.replace("://127.0.0.1:8000", running.url.removeprefix("http")))
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-u", str(script), stdout=asyncio.subprocess.PIPE
    )
    assert child.stdout is not None
    try:
        async with asyncio.timeout(PATIENCE):
            assert (await child.stdout.readline()).startswith(b"corpus: ")
    finally:
        child.kill()
        await child.wait()


async def test_no_token_is_in_the_log(
    server: StartServer, capsys: pytest.CaptureFixture[str]
) -> None:
    running = await server(log_level="debug")
    token = await running.token("Ada")
    async with framed(running, "Ada", token=token) as ada:
        await ada.send("no binary frame")
        await ada.is_closed()
    assert await refused(running, "Bob", token=token) == 403
    written = capsys.readouterr()
    assert token not in written.out + written.err


async def test_fifty_come_and_go_at_once_and_nothing_of_them_is_left(
    running: RunningServer,
) -> None:
    async def visit(number: int) -> None:
        async with framed(running, f"guest {number}") as guest:
            await guest.say(f"hello from {number}")
            await seen.acquire()

    seen = asyncio.Semaphore(0)
    async with framed(running, "ada") as ada:
        visits = [asyncio.create_task(visit(number)) for number in range(50)]
        heard: list[str] = []
        while len(heard) < 150:
            heard.append(await ada.hears())
            if ": hello from " in heard[-1]:
                seen.release()
        await asyncio.gather(*visits)
    names = [f"guest {number}" for number in range(50)]
    assert sorted(heard) == sorted(
        [f"Server: Client {name} {what} the chat" for name in names for what in ("joined", "left")]
        + [f"{name}: hello from {number}" for number, name in enumerate(names)]
    )
    await eventually(lambda: is_empty(running))
    await eventually(lambda: running.app[SERVER].sockets.census.total == 0)
