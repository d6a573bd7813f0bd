"""What is published over a connection that answers as the test says."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from redis.asyncio.connection import AbstractConnection, Connection
from redis.exceptions import ClusterDownError, MovedError, NoPermissionError

from chatserver.realtime.bus_redis import publisher as module
from chatserver.realtime.bus_redis.outbox import Entry
from chatserver.realtime.bus_redis.publisher import Publisher
from tests.waiting import eventually


class Answering(Connection):
    """No connection at all: takes everything, and answers each command once it may."""

    def __init__(self, answer: Callable[[], Any]) -> None:
        super().__init__()
        self._answer = answer
        self.may_answer = asyncio.Event()
        self.may_answer.set()

    async def send_packed_command(self, command: Any, check_health: bool = True) -> None: ...

    async def read_response(self, *args: Any, **kwargs: Any) -> Any:
        await self.may_answer.wait()
        answer = self._answer()
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def disconnect(self, *args: Any, **kwargs: Any) -> None: ...


class Fixture:
    def __init__(self, answer: Callable[[], Any]) -> None:
        self.connection = Answering(answer)
        self.dials = self.able = self.broken = self.sent = 0
        self.given_up: list[bytes] = []
        self.publisher = Publisher(
            self._dial,
            b"PUBLISH",
            give_up=lambda entry: self.given_up.append(entry.frame),
            sent=self._count_sent,
            able=self._count_able,
            broken=self._count_broken,
        )

    async def __aenter__(self) -> "Fixture":
        self._task = asyncio.create_task(self.publisher.run())
        await eventually(lambda: self.publisher.is_connected)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])

    def put(self, frame: bytes, *, keep: bool = True) -> None:
        self.publisher.put(Entry(b"channel", frame, keep))

    async def _dial(self) -> AbstractConnection:
        self.dials += 1
        return self.connection

    def _count_sent(self, count: int) -> None:
        self.sent += count

    def _count_able(self) -> None:
        self.able += 1

    def _count_broken(self) -> None:
        self.broken += 1


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """After how many failures each pause was; none takes time."""
    failures: list[int] = []

    def pause_after(count: int) -> float:
        failures.append(count)
        return 0.0

    monkeypatch.setattr(module, "pause_after", pause_after)
    return failures


@pytest.mark.parametrize(
    "refusal", [MovedError("1 127.0.0.1:7001"), ClusterDownError("The cluster is down")], ids=repr
)
async def test_a_server_that_refuses_each_time_is_left_longer_and_longer_and_never_announced_to(
    pauses: list[int], refusal: Exception
) -> None:
    async with Fixture(lambda: refusal) as fixture:
        while len(pauses) < 4:
            fixture.put(b"frame")
            await asyncio.sleep(0)
    assert pauses[:4] == [1, 2, 3, 4]
    assert fixture.broken >= 4
    assert fixture.able == 1
    assert fixture.sent == 0


async def test_a_server_that_takes_frames_again_is_announced_to(
    pauses: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ABLE_SECONDS", 0.0)
    answers: list[Any] = [ClusterDownError("The cluster is down"), 1, 1]
    async with Fixture(lambda: answers.pop(0)) as fixture:
        fixture.put(b"refused")
        await eventually(lambda: fixture.dials == 2 and fixture.publisher.is_connected)
        assert fixture.able == 1
        fixture.put(b"taken")
        await eventually(lambda: fixture.able == 2)
    assert fixture.given_up == [b"refused"]


async def test_what_there_was_no_room_for_is_owed_until_a_batch_was_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "OUTBOX_COUNT", 2)
    monkeypatch.setattr(module, "ABLE_SECONDS", 0.0)
    async with Fixture(lambda: 1) as fixture:
        fixture.connection.may_answer.clear()
        for number in range(5):
            fixture.put(b"%d" % number)
        assert fixture.given_up == [b"0", b"1", b"2"]
        assert fixture.able == 1
        fixture.connection.may_answer.set()
        await eventually(lambda: fixture.able == 2)
        fixture.put(b"another")
        await eventually(lambda: fixture.sent == 3)
        assert fixture.able == 2


async def test_losses_are_told_of_once_in_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "OUTBOX_COUNT", 1)
    async with Fixture(lambda: 1) as fixture:
        for number in range(5):
            fixture.put(b"%d" % number)
            fixture.put(b"%d" % number)
            await eventually(lambda: fixture.sent == number + 1)  # noqa: B023
    assert len(fixture.given_up) == 5
    assert fixture.able == 1


async def test_a_refused_frame_is_owed_and_the_connection_stays() -> None:
    answers: list[Any] = [NoPermissionError("no"), 1]
    async with Fixture(lambda: answers.pop(0)) as fixture:
        fixture.put(b"refused")
        fixture.put(b"taken")
        await eventually(lambda: fixture.sent == 1)
        assert fixture.given_up == [b"refused"]
        assert fixture.dials == 1
