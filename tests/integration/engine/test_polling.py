"""Long-polling, by what travels."""

import asyncio
from typing import Any

import pytest
from structlog.testing import capture_logs

from tests.integration.engine.conftest import FAST, EchoServer, polling
from tests.waiting import eventually


@pytest.mark.parametrize(
    ("method", "query"),
    [
        ("GET", {"EIO": "4"}),
        ("GET", {"EIO": "4", "transport": "abc"}),
        ("GET", {"transport": "polling"}),
        ("GET", {"EIO": "3", "transport": "polling"}),
        ("POST", {"EIO": "4", "transport": "polling"}),
        ("PUT", {"EIO": "4", "transport": "polling"}),
        ("GET", {"EIO": "4", "transport": "polling", "sid": "nobody"}),
        ("GET", {"EIO": "4", "transport": "websocket"}),
    ],
)
async def test_what_cannot_be_answered_is_a_400(
    echo: Any, method: str, query: dict[str, str]
) -> None:
    server: EchoServer = await echo()
    async with server.http.request(method, server.url, params=query) as answer:
        assert answer.status == 400
        assert "message" in await answer.json()
    assert server.live == 0


async def test_packets_are_taken_in_order_and_answered_ok(echo: Any) -> None:
    server: EchoServer = await echo()
    sid = await server.open()
    assert await server.post(sid, "4a\x1e4b\x1ebAQIDBA==") == (200, "ok")
    assert await server.poll(sid) == (200, "4a\x1e4b\x1ebAQIDBA==")


async def test_a_body_in_small_pieces_is_read_whole(echo: Any) -> None:
    server: EchoServer = await echo()
    sid = await server.open()
    text = "4" + "é" * 5_000

    async def pieces() -> Any:
        body = text.encode()
        for start in range(0, len(body), 777):
            yield body[start : start + 777]
            await asyncio.sleep(0.001)

    assert await server.post(sid, pieces()) == (200, "ok")
    assert await server.poll(sid) == (200, text)


async def test_more_packets_than_allowed_close_the_session(echo: Any) -> None:
    server: EchoServer = await echo(payload_packets=16)
    sid = await server.open()
    assert (await server.post(sid, "\x1e".join(["4x"] * 16)))[0] == 200
    assert (await server.post(sid, "\x1e".join(["4x"] * 17)))[0] == 400
    assert (await server.poll(sid))[0] == 400
    assert server.live == 0


@pytest.mark.parametrize("body", ["abc", "", "0", "2", "6", b"4\xff", "b!", "4a\x1e"])
async def test_an_invalid_packet_closes_the_session(echo: Any, body: str | bytes) -> None:
    server: EchoServer = await echo()
    sid = await server.open()
    assert (await server.post(sid, body))[0] == 400
    assert (await server.poll(sid))[0] == 400
    assert server.live == 0
    await eventually(lambda: server.ended == {sid: "transport error"})


async def test_a_body_that_is_too_large_closes_the_session(echo: Any) -> None:
    server: EchoServer = await echo(frame_bytes=1000)
    sid = await server.open()
    assert (await server.post(sid, "4" + "x" * 999))[0] == 200
    assert (await server.post(sid, "4" + "x" * 1000))[0] == 413
    assert (await server.poll(sid))[0] == 400


async def test_a_poll_that_is_sent_again_gets_its_answer_again(echo: Any) -> None:
    server: EchoServer = await echo()
    sid = await server.open()
    assert await server.post(sid, "4a") == (200, "ok")
    assert await server.poll(sid, t="1") == (200, "4a")
    assert await server.post(sid, "4b") == (200, "ok")
    assert await server.poll(sid, t="1") == (200, "4a")
    assert await server.poll(sid, t="2") == (200, "4b")


async def test_who_marks_all_polls_alike_gets_on(echo: Any) -> None:
    server: EchoServer = await echo()
    sid = await server.open()
    for text in ("4a", "4b", "4c"):
        await server.post(sid, text)
    heard = [(await server.poll(sid, t="1"))[1]]
    await server.post(sid, "4d")
    heard += [(await server.poll(sid, t="1"))[1] for _ in range(2)]
    assert heard == ["4a\x1e4b\x1e4c", "4a\x1e4b\x1e4c", "4d"]


async def test_a_second_poll_closes_the_session(echo: Any) -> None:
    server: EchoServer = await echo()
    sid = await server.open()
    first = asyncio.create_task(server.poll(sid))
    await eventually(lambda: server.engine.sockets[sid].is_polled)
    assert (await server.poll(sid))[0] == 400
    assert await first == (200, "1")
    assert (await server.poll(sid))[0] == 400


async def test_a_client_that_closes_has_its_poll_answered_with_a_noop(echo: Any) -> None:
    server: EchoServer = await echo()
    sid = await server.open()
    poll = asyncio.create_task(server.poll(sid))
    await eventually(lambda: server.engine.sockets[sid].is_polled)
    assert await server.post(sid, "1") == (200, "ok")
    assert await poll == (200, "6")
    assert (await server.poll(sid))[0] == 400
    assert server.ended == {sid: "client disconnect"}


async def test_a_session_lives_as_long_as_it_answers_pings(echo: Any) -> None:
    server: EchoServer = await echo(**FAST)
    sid = await server.open()
    for _ in range(3):
        assert await server.poll(sid) == (200, "2")
        assert await server.post(sid, "3") == (200, "ok")
    await eventually(lambda: server.live == 0)
    assert (await server.poll(sid))[0] == 400
    assert server.ended == {sid: "ping timeout"}


async def test_who_never_polls_is_cut_off_when_too_much_waits(echo: Any) -> None:
    server: EchoServer = await echo(unsent_bytes=10_000)
    sid = await server.open()
    for _ in range(3):
        await server.post(sid, "4" + "x" * 6_000)
    assert server.cut_off == [sid]
    assert server.live == 0
    assert (await server.poll(sid))[0] == 400


async def test_last_words_to_a_client_between_two_polls_are_not_lost(echo: Any) -> None:
    server: EchoServer = await echo()
    sid = await server.open()
    await server.engine.send(sid, "goodbye")
    await server.engine.disconnect(sid)
    assert (await server.post(sid, "4too late"))[0] == 400
    assert await server.poll(sid) == (200, "4goodbye\x1e1")
    assert (await server.poll(sid))[0] == 400


async def test_a_session_of_no_use_is_closed(echo: Any) -> None:
    server: EchoServer = await echo(settle_seconds=0.1)
    server.settles = False
    sid = await server.open()
    await eventually(lambda: server.ended == {sid: "server disconnect"})


async def test_far_too_many_from_one_address_are_turned_away(echo: Any) -> None:
    server: EchoServer = await echo(per_address=2)
    sids = [await server.open() for _ in range(4)]
    async with server.get() as answer:
        assert answer.status == 429
    await server.post(sids[0], "1")
    await server.open()


async def test_an_address_that_a_client_invents_is_not_what_is_counted(echo: Any) -> None:
    """Proxies append a line of their own to the client's, or an entry to its line."""
    server: EchoServer = await echo(per_address=1)

    async def status(invented: str, real: str) -> int:
        lines = [("X-Forwarded-For", invented), ("X-Forwarded-For", real)]
        async with server.http.get(server.url, params=polling(""), headers=lines) as answer:
            return answer.status

    inventions = ("203.0.113.1", "203.0.113.2", "127.0.0.1", "nonsense")
    here = [await status(invented, "198.51.100.7") for invented in inventions]
    assert here == [200, 200, 429, 429]
    assert await status("198.51.100.7", "198.51.100.8") == 200


async def test_only_allowed_origins_are_answered(echo: Any) -> None:
    server: EchoServer = await echo()
    for origin, status in (("https://friend.example", 200), ("https://foe.example", 400)):
        async with server.http.get(
            server.url, params={"EIO": "4", "transport": "polling"}, headers={"Origin": origin}
        ) as answer:
            assert answer.status == status
            allowed = answer.headers.get("Access-Control-Allow-Origin")
            assert allowed == (origin if status == 200 else None)


async def test_a_crash_in_a_handler_closes_the_session_and_is_logged_once(echo: Any) -> None:
    server: EchoServer = await echo()
    sid = await server.open()
    with capture_logs() as logs:
        assert (await server.post(sid, "4crash\x1e4crash"))[0] == 400
    assert server.live == 0
    assert [entry["event"] for entry in logs] == ["handler_crashed"]


async def test_a_sid_begins_with_the_name_of_its_instance(echo: Any) -> None:
    server: EchoServer = await echo(instance="web-1")
    name, _, secret = (await server.open()).partition(".")
    assert name == "web-1"
    assert len(secret) == 20


async def test_a_server_that_closes_answers_new_connections_with_503(echo: Any) -> None:
    server: EchoServer = await echo()
    sid = await server.open()
    server.engine.sessions.is_closing = True
    async with server.get() as answer:
        assert answer.status == 503
    assert await server.post(sid, "4hello") == (200, "ok")
    assert await server.poll(sid) == (200, "4hello")
