"""The framed WebSocket: what is wrong with a frame, or with what it says."""

import pytest

from chatserver.gateways import talk
from tests.integration.doors.framed import frame, framed, said
from tests.servers import StartServer

WRONG = {
    "text": ("hello", 1003),
    "empty": (b"", 1002),
    "half a header": (b"\x05\x00", 1002),
    "too long a length": (frame("hello")[:-1], 1002),
    "too short a length": (frame("hello") + b"x", 1002),
    "big-endian": (b"\x00\x00\x00\x05hello", 1002),
    "two in one": (frame("a") + frame("b"), 1002),
    "no UTF-8": (b"\x02\x00\x00\x00\xff\xfe", 1007),
    "over the cap": (frame("x" * 4093), 1009),
    "far over the cap": (frame("x" * 40_000), 1009),
}


@pytest.mark.parametrize(("raw", "code"), WRONG.values(), ids=WRONG)
async def test_a_wrong_frame_ends_its_connection_and_disturbs_nobody(
    server: StartServer, raw: bytes | str, code: int
) -> None:
    running = await server(guests="shared", frame_bytes=4096, text_chars=4092)
    async with framed(running, "ada") as ada, framed(running, "bob") as bob:
        async with framed(running, "eve") as eve:
            await eve.send(raw)
            assert (await eve.is_closed())[0] == code
        await ada.say("x" * 4092)
        joined = ["Server: Client eve joined the chat", "Server: Client eve left the chat"]
        assert await bob.hears_all(3) == [*joined, "ada: " + "x" * 4092]
        await bob.say("end")
        assert await ada.hears_until("bob: end")
        assert await said(running) == ["x" * 4092, "end"]
    async with framed(running, "eve"):
        pass


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "a message needs some text"),
        (" \n ", "a message needs some text"),
        ("x" * 11, "at most 10 characters"),
        ("a\x00b", "NUL"),
    ],
)
async def test_what_the_chat_refuses_is_told_to_the_sender_alone(
    server: StartServer, text: str, reason: str
) -> None:
    running = await server(guests="shared", text_chars=10)
    async with framed(running, "ada") as ada, framed(running, "bob") as bob:
        assert await ada.hears() == "Server: Client bob joined the chat"
        await ada.say(text)
        refusal = await ada.hears()
        assert refusal.startswith("Server: ")
        assert reason in refusal
        await ada.say("good")
        assert await bob.hears() == "ada: good"
        assert await said(running) == ["good"]


async def test_who_says_too_much_is_told_so_and_stays(server: StartServer) -> None:
    running = await server(guests="shared", events_burst=3, events_per_second=0.001)
    async with framed(running, "ada") as ada:
        for number in range(3):
            await ada.say(str(number))
        assert "slow down" in await ada.hears()
        assert await said(running) == ["0", "1"]


async def test_messages_that_are_none_count_as_well(
    server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(talk, "REFUSALS", 5)
    running = await server(guests="shared", events_burst=3, events_per_second=0.001)
    async with framed(running, "ada") as ada:
        for _ in range(7):
            await ada.say("\x00")
        reasons = [*["NUL"] * 2, *["slow down"] * 4]
        told = await ada.hears_all(6)
        assert all(reason in line for reason, line in zip(reasons, told, strict=True)), told
        assert await ada.is_closed() == (1008, "rate_limited")
