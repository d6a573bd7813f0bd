"""Several AIs in one process, each with a name and a connection of its own."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial

from chatserver.cli.ai.behaviour import answer_lines, speak_up
from chatserver.cli.ai.door import Door, Report
from chatserver.cli.ai.entrance import Entered, Entrance
from chatserver.cli.ai.mind import Mind
from chatserver.cli.ai.mode import Lines, Mode
from chatserver.cli.ai.pace import EverySeconds
from chatserver.cli.ai.turns import Turns


class RoomEnded(Exception):
    """There is nothing left to take part in."""


async def take_part(
    names: Sequence[str],
    entrance: Entrance,
    mind: Mind,
    mode: Mode,
    entered: Callable[[Entered], None],
    report: Callable[[str, str], None],
) -> None:
    """Until one of them cannot go on, or it is cancelled.

    Raises `RoomEnded`, and what the door raises. `report` is told whom it is about, and what.
    """
    async with AsyncExitStack() as stack:
        stack.push_async_callback(mind.close)
        doors: list[tuple[Door, Report]] = []
        for name in names:
            tell = partial(report, name)
            place = await stack.enter_async_context(entrance.enter(name, tell))
            entered(place)
            doors.append((place.door, tell))
        await _first_end([behave(door, mind, mode, tell) for door, tell in doors])
    raise RoomEnded


async def behave(door: Door, mind: Mind, mode: Mode, report: Report) -> None:
    """One AI, until its room ends."""
    talk = mind.conversation()
    if isinstance(mode, Lines):
        await answer_lines(door, Turns(mode.n), talk, mind.voice(report))
    else:
        await speak_up(door, EverySeconds(mode.n), talk, mind.ideas(talk, report))


async def _first_end(jobs: Sequence[Awaitable[None]]) -> None:
    tasks = [asyncio.ensure_future(job) for job in jobs]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()
