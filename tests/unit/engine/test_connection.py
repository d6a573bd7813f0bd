"""Where a session's packets go, in each of its states."""

import asyncio
from typing import Any

import pytest

from chatserver.realtime.engine.connection import Connection, PolledTwice
from chatserver.realtime.engine.outgoing import CLOSE, NOOP, Outgoing

A, B, C = Outgoing.message("a"), Outgoing.message("b"), Outgoing.message("c")


class FakeWire:
    """A transport whose peer reads nothing while `is_stuck`."""

    def __init__(self) -> None:
        self.written = b""
        self.is_stuck = False
        self.is_gone = False

    def write(self, data: bytes, /) -> None:
        assert not self.is_gone
        self.written += data

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
    return Connection("sid", "127.0.0.1", 10, overflowed.append)


async def test_a_poll_takes_what_waits_in_order(connection: Connection) -> None:
    connection.send(A)
    connection.send(B)
    assert await connection.poll() == [A, B]


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
    assert wire.written == A.frame + B.frame
    assert connection.transport == "websocket"


async def test_a_failed_upgrade_leaves_a_session_that_polls(connection: Connection) -> None:
    connection.probe()
    connection.keep_polling()
    polling = asyncio.create_task(connection.poll())
    await asyncio.sleep(0)
    connection.send(A)
    assert await polling == [A]


async def test_too_much_in_the_buffer_overflows_instead_of_waiting(
    connection: Connection, overflowed: list[Connection]
) -> None:
    assert [connection.send(each) for each in (A, B, C)] == [True, True, False]
    assert overflowed == [connection]
    assert await connection.poll() == [A, B]


async def test_too_much_unsent_on_the_wire_overflows(
    connection: Connection, overflowed: list[Connection]
) -> None:
    wire = FakeWire()
    wire.is_stuck = True
    connection.upgrade(wire)
    assert [connection.send(A) for _ in range(4)] == [True, True, True, False]
    assert overflowed == [connection]
    assert len(wire.written) <= 10 + len(A.frame)


async def test_nothing_is_written_to_a_wire_that_has_gone(connection: Connection) -> None:
    wire = FakeWire()
    connection.upgrade(wire)
    wire.is_gone = True
    assert not connection.send(A)


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
