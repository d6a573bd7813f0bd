"""The pool and its runs, with a desk in the test's hands."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from chatserver.chat.desk import Ended, Work
from chatserver.chat.errors import Unavailable
from chatserver.chat.models import BotInfo, Reply, ReplyState
from chatserver.chat.ports import Claim, ReplyContext
from chatserver.observability.metrics import Metrics
from chatserver.replies.pool import ReplyPool
from chatserver.replies.run import Halt, ReplyRun, RunLimits
from tests.waiting import eventually

LIMITS = RunLimits(seconds=10, chars=100)


class Desk:
    """`chat.desk.ReplyDesk` whose store is away for `outages` calls."""

    def __init__(self, *, outages: int = 0) -> None:
        self.outages = outages
        self.calls: list[str] = []
        self.called = asyncio.Event()
        self.claimable = asyncio.Event()

    async def claim(self, _: str) -> None:
        self._call("claim")
        await self.claimable.wait()

    async def queued(self) -> int:
        raise Unavailable("nobody looks")

    async def finish(self, *_: Any, stopped: bool) -> Ended:
        self._call("finish")
        return Ended(ReplyState.STOPPED if stopped else ReplyState.DONE, 7)

    async def release(self, *_: Any) -> None:
        self._call("release")

    def exhausted(self, _: Claim) -> bool:
        return False

    def _call(self, what: str) -> None:
        self.calls.append(what)
        self.called.set()
        if self.outages:
            self.outages -= 1
            raise Unavailable("an outage")


class Parrot:
    info = BotInfo(name="parrot", description="says one word")

    async def reply(self, context: ReplyContext) -> AsyncIterator[str]:
        yield "hello"


class Aviary:
    def get(self, name: str) -> Parrot:
        return Parrot()


class Deaf:
    def signal(self, *_: Any) -> None:
        pass


def pool_at(desk: Desk) -> ReplyPool:
    return ReplyPool(
        desk=cast(Any, desk),
        feed=cast(Any, Deaf()),
        bots=cast(Any, Aviary()),
        metrics=Metrics(),
        concurrency=1,
        limits=LIMITS,
    )


def run_at(desk: Desk) -> ReplyRun:
    reply = Reply(
        reply_id="r",
        session_id="s",
        prompt_seq=1,
        bot="parrot",
        state=ReplyState.RUNNING,
        attempt=1,
    )
    claim = Claim(
        reply=reply, owner="w", asker="ada", earlier="", takeovers=0, stop_requested=False
    )
    context = ReplyContext(
        session=cast(Any, None), prompt=cast(Any, None), messages=(), memory=None
    )
    return ReplyRun(
        Work(claim, context),
        desk=cast(Any, desk),
        feed=cast(Any, Deaf()),
        bots=cast(Any, Aviary()),
        metrics=Metrics(),
        limits=LIMITS,
    )


async def test_hints_do_not_pile_up_while_nobody_takes_them() -> None:
    desk = Desk()
    pool = pool_at(desk)
    pool.start()
    pool.hint(1)
    await asyncio.wait_for(desk.called.wait(), 5)
    for _ in range(100):
        pool.hint(5)
    desk.claimable.set()
    await eventually(lambda: len(desk.calls) == 2)
    for _ in range(100):
        await asyncio.sleep(0)
    assert len(desk.calls) == 2
    await pool.drain(5)


async def test_a_drain_ends_in_time_whatever_the_store_does() -> None:
    desk = Desk()
    pool = pool_at(desk)
    pool.start()
    pool.hint(1)
    await asyncio.wait_for(desk.called.wait(), 5)
    await asyncio.wait_for(pool.drain(0.01), 5)


async def test_an_answer_that_is_whole_is_finished_though_a_drain_begins_meanwhile() -> None:
    desk = Desk(outages=1)
    run = run_at(desk)
    running = asyncio.create_task(run.run())
    await asyncio.wait_for(desk.called.wait(), 5)
    run.halt(Halt.DRAINED)
    await asyncio.wait_for(running, 5)
    assert desk.calls == ["finish", "finish"]


@pytest.mark.parametrize("outages", [0, 1])
async def test_a_reply_is_handed_back_once_or_left_to_its_lease(outages: int) -> None:
    desk = Desk(outages=outages)
    run = run_at(desk)
    run.halt(Halt.DRAINED)
    await asyncio.wait_for(run.run(), 5)
    assert desk.calls == ["release"]
