"""What waits for Redis: bounded, and what matters least goes first."""

import asyncio

import pytest

from chatserver.realtime.bus_redis.outbox import Entry, Outbox


class Fixture:
    def __init__(self, count: int = 4, size: int = 1_000) -> None:
        self.given_up: list[str] = []
        self.outbox = Outbox(count, size, lambda entry: self.given_up.append(entry.frame.decode()))

    def put(self, name: str, *, keep: bool) -> None:
        self.outbox.put(Entry(b"", name.encode(), keep))

    async def take(self, most: int = 100) -> list[str]:
        return [each.frame.decode() for each in await self.outbox.take(most, 1_000)]


async def test_it_hands_over_in_order() -> None:
    fixture = Fixture()
    for name in "abc":
        fixture.put(name, keep=name != "b")
    assert await fixture.take(2) == ["a", "b"]
    assert await fixture.take() == ["c"]
    assert len(fixture.outbox) == 0


async def test_full_it_gives_up_the_oldest_signal_first_then_the_oldest() -> None:
    fixture = Fixture()
    for name in ("E1", "s1", "E2", "s2", "E3", "E4", "E5"):
        fixture.put(name, keep=name.startswith("E"))
    assert fixture.given_up == ["s1", "s2", "E1"]
    assert await fixture.take() == ["E2", "E3", "E4", "E5"]


async def test_bytes_are_bounded_as_well() -> None:
    fixture = Fixture(count=100, size=10)
    fixture.put("12345", keep=True)
    fixture.put("67890", keep=True)
    fixture.put("x", keep=True)
    assert fixture.given_up == ["12345"]


async def test_one_that_was_handed_over_is_not_given_up_later() -> None:
    fixture = Fixture()
    for name in "abcd":
        fixture.put(name, keep=False)
    assert await fixture.take(2) == ["a", "b"]
    for name in "efg":
        fixture.put(name, keep=False)
    assert fixture.given_up == ["c"]


async def test_cleared_it_gives_everything_up_and_works_on() -> None:
    fixture = Fixture()
    fixture.put("a", keep=True)
    fixture.put("b", keep=False)
    fixture.outbox.clear()
    assert sorted(fixture.given_up) == ["a", "b"]
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(fixture.take(), 0.01)
    fixture.put("c", keep=True)
    assert await fixture.take() == ["c"]


async def test_it_does_not_grow_while_it_is_filled_and_emptied() -> None:
    fixture = Fixture(count=10)
    for number in range(1_000):
        fixture.put(f"{number}", keep=bool(number % 2))
        if number % 7 == 0:
            await fixture.take(3)
    await fixture.take()
    assert len(fixture.outbox) == len(fixture.outbox._entries) == 0
    for number in range(1_000):
        fixture.put(f"{number}", keep=False)
    assert len(fixture.outbox._entries) <= 20
    assert len(fixture.outbox._signals) <= 10
