"""AIs in the test's own process, as `chatserver ai` runs them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from chatserver.chat.ports import Bot
from chatserver.cli.ai.crew import take_part
from chatserver.cli.ai.entrance import Entered, Entrance, FramedEntrance, SessionEntrance
from chatserver.cli.ai.framed_uri import FramedUri
from chatserver.cli.ai.mind import Mind
from chatserver.cli.ai.mode import Mode
from chatserver.cli.talk.place import Place
from chatserver.client.backoff import Backoff

BOTS = frozenset({"echo", "corpus"})


def mind(bot: Bot, *lines: str) -> Mind:
    async def nothing() -> None:
        pass

    return Mind(bot=bot, window=4, seconds=20, chars=1_000, lines=lines, names=BOTS, close=nothing)


def session(url: str, session_id: str, token: str | None = None) -> SessionEntrance:
    return SessionEntrance(Place(url, session_id), token=token, backoff=soon())


def framed(uri: str) -> FramedEntrance:
    return FramedEntrance(FramedUri.parse(uri), BOTS, backoff=soon())


def soon() -> Backoff:
    return Backoff(first=0.05, cap=0.2)


@asynccontextmanager
async def taking_part(
    entrance: Entrance,
    mind: Mind,
    mode: Mode,
    *names: str,
    report: Callable[[str, str], None] = lambda _, __: None,
) -> AsyncIterator[list[Entered]]:
    """Once all are in. A failure of theirs is raised in the end."""
    inside: list[Entered] = []
    complete = asyncio.Event()

    def entered(one: Entered) -> None:
        inside.append(one)
        if len(inside) == len(names):
            complete.set()

    work = asyncio.create_task(take_part(names, entrance, mind, mode, entered, report))
    waiting = asyncio.create_task(complete.wait())
    try:
        async with asyncio.timeout(20):
            await asyncio.wait((work, waiting), return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            work.result()
        yield inside
        if work.done():
            work.result()
    finally:
        for task in (work, waiting):
            task.cancel()
        await asyncio.gather(work, waiting, return_exceptions=True)
