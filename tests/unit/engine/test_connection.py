"""Where a session's packets go, in each of its states."""

import asyncio
from typing import Any

import pytest

from chatserver.realtime.engine.connection import Connection, PolledTwice
from chatserver.realtime.engine.cork import Cork
from chatserver.realtime.engine.outgoing import CLOSE, NOOP, Outgoing

A, B, C = Outgoing.message("a"), Outgoing.message("b"), Outgoing.message("c")


class FakeWire:
    """A transport whose peer reads nothing while `is_stuck`."""

    def __init__(self) -> None:
        self.written = b""
        self.writes = 0
        self.is_stuck = False
        self.is_gone = False

    def write(self, data: bytes, /) -> None:
        assert not self.is_gone
        self.written += data
        self.writes += 1

    def is_closing(self) -> bool:
        return self.is_gone

    def get_write_buffer_size(self) -> int:
        return len(self.written) if self.is_stuck else 0

    def close(self) -> None: ...

    def abort(self) -> None: ...

    def get_extra_info(self, name: str, default: Any = None, /) -> Any:
        return default


@pytest.fixture
def overflowed() -> list[Connection]:
    return []


@pytest.fixture
def connection(overflowed: list[Connection]) -> Connection:
    return Connection("sid", "127.0.0.1", 10, Cork(), overflowed.append)


async def turn() -> None:
    """The event loop's turn ends."""
    await asyncio.sleep(0)


async def test_a_poll_takes_what_waits_in_order(connection: Connection) -> None:
    connection.send(A)
    connection.send(B)
    assert await connection.poll() == [A, B]


async def test_a_poll_takes_no_more_than_every_client_can() -> None:
    connection = Connection("sid", "127.0.0.1", 1_000, Cork(), lambda it: None)
    packets = [Outgoing.message(f"{n}") for n in range(40)]
    for packet in packets:
        connection.send(packet)
    connection.finish(CLOSE)
    assert await connection.poll() == packets[:16]
    assert await connection.poll() == packets[16:32]
    assert await connection.poll() == [*packets[32:], CLOSE]
    assert connection.is_empty
    assert await connection.poll() == []


async def test_an_open_poll_is_answered_with_all_of_one_loop_turn(connection: Connection) -> None:
    polling = asyncio.create_task(connection.poll())
    await asyncio.sleep(0)
    assert connection.is_polled
    connection.send(A)
    connection.send(B)
    assert await polling == [A, B]
    assert not connection.is_polled


async def test_a_second_poll_is_an_error(connection: Connection) -> None:
    polling = asyncio.create_task(connection.poll())
    await asyncio.sleep(0)
    with pytest.raises(PolledTwice):
        await connection.poll()
    connection.send(A)
    assert await polling == [A]


async def test_a_probe_ends_the_open_poll_and_lets_no_other_wait(connection: Connection) -> None:
    polling = asyncio.create_task(connection.poll())
    await asyncio.sleep(0)
    connection.probe()
    assert await polling == [NOOP]
    assert await connection.poll() == [NOOP]
    connection.send(A)
    assert await connection.poll() == [A]


async def test_after_an_upgrade_nothing_overtakes_what_waited(connection: Connection) -> None:
    wire = FakeWire()
    connection.send(A)
    connection.upgrade(wire)
    connection.send(B)
    await turn()
    assert wire.written == A.frame + B.frame
    assert connection.transport == "websocket"


async def test_a_failed_upgrade_leaves_a_session_that_polls(connection: Connection) -> None:
    connection.probe()
    connection.keep_polling()
    polling = asyncio.create_task(connection.poll())
    await asyncio.sleep(0)
    connection.send(A)
    assert await polling == [A]


async def test_what_one_loop_turn_sends_leaves_in_one_write(connection: Connection) -> None:
    wire = FakeWire()
    connection.upgrade(wire)
    for packet in (A, B, C):
        connection.send(packet)
    assert wire.written == b""
    await turn()
    assert (wire.written, wire.writes) == (A.frame + B.frame + C.frame, 1)
    connection.send(A)
    await turn()
    assert (wire.written, wire.writes) == (A.frame + B.frame + C.frame + A.frame, 2)


async def test_too_much_in_the_buffer_overflows_instead_of_waiting(
    connection: Connection, overflowed: list[Connection]
) -> None:
    """Frames of 4 bytes and a limit of 10: the third still finds room, the fourth does not."""
    assert [connection.send(A) for _ in range(4)] == [True, True, True, False]
    assert overflowed == [connection]
    assert await connection.poll() == [A, A, A]


async def test_too_much_for_one_loop_turn_leaves_in_pieces(
    connection: Connection, overflowed: list[Connection]
) -> None:
    wire = FakeWire()
    connection.upgrade(wire)
    assert [connection.send(A) for _ in range(10)] == [True] * 10
    await turn()
    assert (wire.written, wire.writes, overflowed) == (A.frame * 10, 4, [])


async def test_too_much_in_one_loop_turn_overflows_where_nobody_reads(
    connection: Connection, overflowed: list[Connection]
) -> None:
    wire = FakeWire()
    wire.is_stuck = True
    connection.upgrade(wire)
    assert [connection.send(A) for _ in range(7)] == [True] * 6 + [False]
    assert overflowed == [connection]


async def test_one_packet_may_be_larger_than_the_limit(
    connection: Connection, overflowed: list[Connection]
) -> None:
    wire, large = FakeWire(), Outgoing.message("x" * 100)
    connection.upgrade(wire)
    assert connection.send(large)
    await turn()
    assert (wire.written, overflowed) == (large.frame, [])


async def test_too_much_unsent_on_the_wire_overflows(
    connection: Connection, overflowed: list[Connection]
) -> None:
    wire = FakeWire()
    wire.is_stuck = True
    connection.upgrade(wire)
    for _ in range(5):
        connection.send(A)
        await turn()
        if overflowed:
            break
    assert overflowed == [connection]
    assert len(wire.written) <= 10 + len(A.frame)


async def test_a_wire_that_takes_compressed_frames_gets_them(connection: Connection) -> None:
    wire, large = FakeWire(), Outgoing.message("tea " * 100)
    connection.upgrade(wire, 100)
    connection.send(A)
    connection.send(large)
    await turn()
    assert wire.written == A.frame + large.deflated(100)
    assert len(wire.written) < 100


async def test_nothing_is_written_to_a_wire_that_has_gone(connection: Connection) -> None:
    wire = FakeWire()
    connection.upgrade(wire)
    connection.send(A)
    wire.is_gone = True
    await turn()
    assert wire.written == b""


async def test_the_end_lets_the_wire_have_what_waits(connection: Connection) -> None:
    wire = FakeWire()
    connection.upgrade(wire)
    connection.send(A)
    connection.finish(CLOSE)
    assert wire.written == A.frame
    await turn()
    assert wire.writes == 1


async def test_a_cut_drops_what_waits(connection: Connection) -> None:
    wire = FakeWire()
    connection.upgrade(wire)
    connection.send(A)
    connection.finish(CLOSE, is_cut=True)
    await turn()
    assert wire.written == b""


async def test_the_end_of_a_stuck_wire_adds_nothing_to_it(
    connection: Connection, overflowed: list[Connection]
) -> None:
    wire = FakeWire()
    connection.upgrade(wire)
    wire.written, wire.is_stuck = b"x" * 11, True
    connection.send(A)
    connection.finish(CLOSE)
    assert (wire.written, overflowed) == (b"x" * 11, [])


async def test_the_end_answers_an_open_poll(connection: Connection) -> None:
    polling = asyncio.create_task(connection.poll())
    await asyncio.sleep(0)
    connection.finish(CLOSE)
    assert await polling == [CLOSE]
    assert await connection.poll() == []
    assert not connection.send(A)


async def test_the_end_without_a_word_drops_what_waits(connection: Connection) -> None:
    connection.send(A)
    connection.finish(None)
    assert await connection.poll() == []


async def test_last_packets_can_still_be_polled(connection: Connection) -> None:
    connection.send(A)
    connection.finish(CLOSE)
    assert await connection.poll() == [A, CLOSE]


async def test_one_wire_that_fails_takes_nobody_elses_packets_away() -> None:
    class BrokenWire(FakeWire):
        def write(self, data: bytes, /) -> None:
            raise RuntimeError("broken")

    cork, wire = Cork(), FakeWire()
    broken, well = (Connection(sid, "127.0.0.1", 10, cork, lambda it: None) for sid in "ab")
    broken.upgrade(BrokenWire())
    well.upgrade(wire)
    for connection in (broken, well):
        connection.send(A)
    await turn()
    assert wire.written == A.frame
