"""One timer for all; a clock that only the test moves."""

from collections.abc import Callable

import pytest

from chatserver.realtime.engine.deadlines import RESOLUTION, Deadlines


class FakeTimer:
    def __init__(self, when: float, callback: Callable[[], object]) -> None:
        self.when = when
        self.callback = callback
        self.is_cancelled = False

    def cancel(self) -> None:
        self.is_cancelled = True


class FakeClock:
    def __init__(self) -> None:
        self.now = 100.0
        self.timers: list[FakeTimer] = []

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: Callable[[], object], /) -> FakeTimer:
        self.timers.append(FakeTimer(when, callback))
        return self.timers[-1]

    def armed(self) -> list[FakeTimer]:
        return [timer for timer in self.timers if not timer.is_cancelled]

    def advance(self, seconds: float) -> None:
        end = self.now + seconds
        while due := [timer for timer in self.armed() if timer.when <= end]:
            first = min(due, key=lambda timer: timer.when)
            self.now = max(self.now, first.when)
            self.timers.remove(first)
            first.callback()
        self.now = end


def test_what_was_added_falls_due_after_its_time_and_not_before() -> None:
    clock, met = FakeClock(), list[str]()
    queue = Deadlines(clock).queue(5.0, met.append)
    queue.add("a")
    clock.advance(4.9)
    assert met == []
    clock.advance(0.2)
    assert met == ["a"]
    assert clock.armed() == []


def test_many_deadlines_of_many_lengths_need_one_timer() -> None:
    clock, met = FakeClock(), list[int]()
    deadlines = Deadlines(clock)
    long, short = deadlines.queue(10.0, met.append), deadlines.queue(1.0, met.append)
    for number in range(100):
        long.add(number)
        short.add(1000 + number)
        clock.advance(0.0001)
        assert len(clock.armed()) == 1
    clock.advance(2)
    assert met == list(range(1000, 1100))
    clock.advance(10)
    assert met[100:] == list(range(100))


def test_what_was_discarded_does_not_fall_due() -> None:
    clock, met = FakeClock(), list[str]()
    queue = Deadlines(clock).queue(1.0, met.append)
    queue.add("a")
    queue.add("b")
    assert queue.discard("a")
    assert not queue.discard("a")
    clock.advance(5)
    assert met == ["b"]
    assert len(queue) == 0


def test_adding_again_starts_anew() -> None:
    clock, met = FakeClock(), list[str]()
    queue = Deadlines(clock).queue(1.0, met.append)
    queue.add("a")
    clock.advance(0.9)
    queue.add("a")
    clock.advance(0.9)
    assert met == []
    clock.advance(0.2)
    assert met == ["a"]


def test_one_that_fails_takes_no_other_deadline_away() -> None:
    clock, met = FakeClock(), list[str]()

    def due(item: str) -> None:
        if item == "bad":
            raise RuntimeError(item)
        met.append(item)

    queue = Deadlines(clock).queue(1.0, due)
    queue.add("bad")
    queue.add("good")
    with pytest.raises(RuntimeError):
        clock.advance(2)
    clock.advance(RESOLUTION * 2)
    assert met == ["good"]


def test_deadlines_close_together_are_met_in_one_go() -> None:
    clock, met = FakeClock(), list[int]()
    queue = Deadlines(clock).queue(1.0, met.append)
    for number in range(1000):
        queue.add(number)
        clock.advance(RESOLUTION / 1000)
    armed = 0
    while len(met) < 1000:
        clock.advance(RESOLUTION)
        armed += 1
        assert armed < 1000
    assert met == list(range(1000))
