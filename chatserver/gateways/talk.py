"""A WebSocket through which a visitor acts and hears: what the doors of that kind share."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from aiohttp import WSCloseCode, WSMessage, WSMsgType, web

from chatserver.chat.errors import (
    ChatError,
    Draining,
    Internal,
    NotFound,
    NotMember,
    RateLimited,
    SlowConsumer,
    Unauthorized,
)
from chatserver.chat.events import Signal
from chatserver.chat.models import Event
from chatserver.chat.ports import Visitor
from chatserver.gateways.handshakes import note_crash
from chatserver.gateways.sockets import PARTING_SECONDS, DoorSocket

TURN_MESSAGES = 32
"""A client whose messages lie ready gives way to the others after so many."""

REFUSALS = 100
"""Whoever is told to slow down so many times, and nothing else, does not listen."""

Act = Callable[[WSMessage], Awaitable[None]]
Tell = Callable[[Event | Signal], Awaitable[None]]
Ponged = Callable[[bytes], Awaitable[None]]


class BadFrame(Exception):
    """The client broke the door's protocol; `code` is a close code, the message its reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class Patience:
    """With somebody who says too much."""

    def __init__(self) -> None:
        self._refusals = 0

    def took(self) -> None:
        self._refusals = 0

    def refused(self, refusal: ChatError) -> None:
        """Raises `BadFrame` where it has come to its end."""
        if isinstance(refusal, RateLimited):
            self._refusals += 1
            if self._refusals == REFUSALS:
                raise BadFrame(WSCloseCode.POLICY_VIOLATION, refusal.code)


async def talk(
    request: web.Request,
    ws: DoorSocket,
    visitor: Visitor,
    act: Act,
    tell: Tell,
    greet: Callable[[], Awaitable[None]] | None = None,
    ponged: Ponged | None = None,
) -> None:
    """Until one of the two ends it, the visitor's token ends, or the server drains.

    `act` gets each text or binary message, and `ponged` what a pong carries, one after the other;
    `tell` gets what the visitor hears, in order, once `greet` has returned. All may raise
    `BadFrame`. A client that goes has ended it when `act` has got all that had arrived.

    Closes `ws`: 1008 where the token, the session or the membership came to its end, 1012 in a
    drain, 1011 after a crash or where the store is away. (aiohttp itself closes with 1002, 1007 and
    1009.) Whoever does not read is cut off, and no end waits for them.
    """
    jobs = (_read(ws, act, ponged), _write(visitor, tell, greet), until_end(visitor))
    try:
        await first_of(*jobs)
    except BadFrame as bad:
        await ws.close(code=bad.code, message=str(bad).encode())
    except SlowConsumer:
        ws.abort()
    except ChatError as reason:
        await ws.close(code=close_code(reason), message=reason.code.encode())
    except Exception as crash:
        note_crash(request, crash)
        await ws.close(code=WSCloseCode.INTERNAL_ERROR, message=Internal.code.encode())
    finally:
        ws.let_go()


def close_code(reason: ChatError) -> int:
    if isinstance(reason, Unauthorized | NotFound | NotMember):
        return WSCloseCode.POLICY_VIOLATION
    return WSCloseCode.SERVICE_RESTART if isinstance(reason, Draining) else 1011


async def _read(ws: DoorSocket, act: Act, ponged: Ponged | None) -> None:
    read = 0
    async for message in ws:
        if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
            await act(message)
        elif message.type is WSMsgType.PING:
            await ws.pong(message.data)
        elif message.type is WSMsgType.PONG and ponged is not None:
            await ponged(message.data)
        read += 1
        if read % TURN_MESSAGES == 0:
            await asyncio.sleep(0)


async def _write(visitor: Visitor, tell: Tell, greet: Callable[[], Awaitable[None]] | None) -> None:
    if greet is not None:
        await greet()
    async for heard in visitor.heard():
        await tell(heard)


async def until_end(visitor: Visitor) -> None:
    """Raises why the visitor's connection must be closed, when it must."""
    reason = await visitor.end()
    if isinstance(reason, Draining):
        await asyncio.sleep(PARTING_SECONDS)
    raise reason


async def first_of(*jobs: Coroutine[Any, Any, None]) -> None:
    """Runs them until one returns or raises, and then none. Raises what that one raised."""
    tasks = [asyncio.create_task(job) for job in jobs]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
    raised = (each for each in results if isinstance(each, Exception))
    if (failure := next(raised, None)) is not None:
        raise failure
