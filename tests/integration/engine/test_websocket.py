"""WebSocket sessions, by what travels."""

import asyncio
import socket as sockets
import struct
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

from tests.integration.engine.conftest import FAST, EchoServer, close_code
from tests.waiting import eventually


async def test_text_and_bytes_come_back_in_order(echo: Any) -> None:
    server: EchoServer = await echo()
    socket, _ = await server.opened()
    for number in range(100):
        await socket.send_str(f"4{number}")
        await socket.send_bytes(bytes([number]))
    for number in range(100):
        assert await socket.receive_str() == f"4{number}"
        assert await socket.receive_bytes() == bytes([number])


async def test_compression_is_not_agreed_to(echo: Any) -> None:
    server: EchoServer = await echo()
    socket, _ = await server.opened(compress=15)
    assert not socket.compress


@pytest.mark.parametrize("bits", [15, 10])
async def test_compression_can_be_allowed(echo: Any, bits: int) -> None:
    """Read by an implementation that keeps a context; to a smaller window plain frames are sent."""
    server: EchoServer = await echo(compress_bytes=200)
    deflate = ClientPerMessageDeflateFactory(server_max_window_bits=bits if bits < 15 else None)
    url = f"{server.url.replace('http', 'ws', 1)}?EIO=4&transport=websocket"
    async with connect(url, compression=None, extensions=[deflate]) as socket:
        assert [each.name for each in socket.protocol.extensions] == ["permessage-deflate"]
        await socket.recv()
        texts = [f"4{number} {word * size}" for number, (word, size) in enumerate(
            [("tea ", 50), ("x", 3), ("ä🎈", 5_000), ("", 0), ("tea ", 50), ("y", 100_000)]
        )]  # fmt: skip
        for text in texts:
            await socket.send(text)
        assert [await socket.recv() for _ in texts] == texts
        await socket.send(b"bytes")
        assert await socket.recv() == b"bytes"


async def test_what_is_too_large_once_inflated_is_refused(echo: Any) -> None:
    server: EchoServer = await echo(compress_bytes=200, frame_bytes=100_000)
    socket, _ = await server.opened(compress=15)
    await socket.send_str("4" + "x" * 10_000_000)
    assert await close_code(socket) == 1009
    await eventually(lambda: server.live == 0)


@pytest.mark.parametrize("text", ["abc", "", "0", "2", "5", "6"])
async def test_an_invalid_packet_closes_the_session(echo: Any, text: str) -> None:
    server: EchoServer = await echo()
    socket, sid = await server.opened()
    await socket.send_str(text)
    assert await close_code(socket) == 1002
    await eventually(lambda: server.ended == {sid: "transport error"})
    assert server.live == 0


def masked(first: int, payload: bytes, length: bytes | None = None) -> bytes:
    return bytes([first]) + (length or bytes([0x80 | len(payload)])) + b"\0\0\0\0" + payload


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (masked(0x83, b""), 1002),  # reserved opcode
        (masked(0xC1, b"x"), 1002),  # compressed, though that was not agreed
        (masked(0x89, b"", struct.pack("!BH", 0x80 | 126, 200)), 1002),  # long control frame
        (masked(0x81, b"4\xff\xfe"), 1007),
        (masked(0x81, b"", struct.pack("!BQ", 0x80 | 127, 1 << 40)), 1009),
    ],
    ids=["opcode", "compressed", "control", "utf8", "size"],
)
async def test_an_undecodable_frame_is_closed_with_its_code(
    echo: Any, frame: bytes, code: int
) -> None:
    server: EchoServer = await echo()
    socket, _ = await server.opened()
    connection = socket._response.connection
    assert connection is not None
    assert connection.transport is not None
    connection.transport.write(frame)
    assert await close_code(socket) == code
    assert server.live == 0


async def test_a_client_that_closes_frees_everything(echo: Any) -> None:
    server: EchoServer = await echo()
    for end in ("packet", "frame", "transport"):
        socket, sid = await server.opened()
        if end == "packet":
            await socket.send_str("1")
        elif end == "frame":
            await socket.close(code=1001)
            assert socket.close_code == 1001
        else:
            assert socket._response.connection is not None
            assert socket._response.connection.transport is not None
            socket._response.connection.transport.abort()
        await eventually(lambda sid=sid: sid in server.ended)
        assert server.live == 0


async def test_pings_are_sent_and_whoever_does_not_answer_is_cut(echo: Any) -> None:
    server: EchoServer = await echo(**FAST)
    socket, sid = await server.opened()
    for _ in range(3):
        assert await socket.receive_str() == "2"
        await socket.send_str("3")
    assert await close_code(socket) in (1006, None)
    await eventually(lambda: server.ended == {sid: "ping timeout"})


async def test_a_reader_that_stops_is_cut_off_and_its_tcp_connection_reset(echo: Any) -> None:
    server: EchoServer = await echo(unsent_bytes=65_536, frame_bytes=100_000)
    raw = await stuck_client(server)
    (sid,) = server.engine.sockets
    for _ in range(1_000):
        await server.engine.send(sid, "x" * 50_000)
        await asyncio.sleep(0)
        if server.cut_off:
            break
    assert server.cut_off == [sid]
    assert server.live == 0
    raw.setblocking(False)
    loop = asyncio.get_running_loop()

    async def read_all() -> None:
        while await loop.sock_recv(raw, 1 << 20):
            pass

    with pytest.raises(ConnectionResetError):
        await asyncio.wait_for(read_all(), 5)
    raw.close()


async def test_a_ping_of_a_client_that_has_gone_is_no_error(
    echo: Any, caplog: pytest.LogCaptureFixture
) -> None:
    server: EchoServer = await echo()
    for _ in range(20):
        socket, sid = await server.opened()
        connection = socket._response.connection
        assert connection is not None
        assert connection.transport is not None
        connection.transport.write(masked(0x89, b"x") * 50 + masked(0x81, b"abc"))
        connection.transport.write(masked(0x89, b"x") * 50)
        connection.transport.abort()
        await eventually(lambda sid=sid: sid in server.ended)
    assert not caplog.records


async def test_no_task_and_no_timer_is_left_after_the_end(echo: Any) -> None:
    server: EchoServer = await echo()
    before = len(asyncio.all_tasks())
    for _ in range(20):
        socket, _ = await server.opened()
        await socket.send_str("abc")
        await close_code(socket)
    await eventually(lambda: len(server.ended) == 20)
    await eventually(lambda: len(asyncio.all_tasks()) <= before)
    assert server.engine.sessions.census.total == 0


# --- upgrade -----------------------------------------------------------------------------------


async def test_a_session_moves_to_a_websocket_and_keeps_the_order(echo: Any) -> None:
    server: EchoServer = await echo()
    sid = await server.open()
    poll = asyncio.create_task(server.poll(sid))
    await eventually(lambda: server.engine.sockets[sid].is_polled)
    socket = await server.websocket(sid)
    await socket.send_str("2probe")
    assert await socket.receive_str() == "3probe"
    assert await poll == (200, "6")
    await server.engine.send(sid, "waited")
    await socket.send_str("5")
    await socket.send_str("4later")
    assert await socket.receive_str() == "4waited"
    assert await socket.receive_str() == "4later"
    assert server.engine.transport(sid) == "websocket"
    assert (await server.poll(sid))[0] == 400
    assert (await server.post(sid, "4x"))[0] == 400
    second = await server.websocket(sid)
    assert await close_code(second) == 1008
    await socket.send_str("4still here")
    assert await socket.receive_str() == "4still here"


@pytest.mark.parametrize("said", [["2"], ["5"], ["2probe", "4x"], ["abc"]])
async def test_a_failed_upgrade_leaves_the_polling_session(echo: Any, said: list[str]) -> None:
    server: EchoServer = await echo()
    sid = await server.open()
    socket = await server.websocket(sid)
    for text in said:
        await socket.send_str(text)
    assert await close_code(socket) == 1002
    await server.post(sid, "4hello")
    assert await server.poll(sid) == (200, "4hello")


async def test_an_upgrade_that_does_not_go_on_is_ended(echo: Any) -> None:
    server: EchoServer = await echo(upgrade_seconds=0.1)
    sid = await server.open()
    socket = await server.websocket(sid)
    assert await close_code(socket) in (1006, None)
    await eventually(lambda: server.engine.sockets[sid].candidate is None)
    assert server.live == 1


async def test_the_end_of_a_session_ends_its_upgrade(echo: Any) -> None:
    server: EchoServer = await echo()
    sid = await server.open()
    socket = await server.websocket(sid)
    await eventually(lambda: server.engine.sockets[sid].candidate is not None)
    await server.post(sid, "1")
    assert await close_code(socket) == 1000


async def stuck_client(server: EchoServer) -> sockets.socket:
    """A WebSocket whose peer never reads."""
    raw = sockets.create_connection(("127.0.0.1", server.port))
    raw.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    raw.sendall(
        b"GET /engine.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\n"
        b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    await eventually(lambda: server.live == 1)
    await eventually(
        lambda: all(each.transport == "websocket" for each in server.engine.sockets.values())
    )
    return raw
