"""A WebSocket through which a visitor acts and hears: what the doors of that kind share."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog
from aiohttp import WSCloseCode, WSMessage, WSMsgType, web

from chatserver.chat.errors import ChatError, Draining, Internal, SlowConsumer, Unauthorized
from chatserver.chat.events import Signal
from chatserver.chat.models import Event
from chatserver.chat.ports import Visitor

log = structlog.get_logger(__name__)

PARTING_SECONDS = 2.0
"""How long a client may take to hear the rest when the server drains."""

MESSAGES = frozenset({WSMsgType.TEXT, WSMsgType.BINARY, WSMsgType.PING, WSMsgType.PONG})

Act = Callable[[WSMessage], Awaitable[None]]
Tell = Callable[[Event | Signal], Awaitable[None]]


class BadFrame(Exception):
    """The client broke the door's protocol; `code` is a close code, the message its reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code


async def talk(
    request: web.Request,
    ws: web.WebSocketResponse,
    visitor: Visitor,
    act: Act,
    tell: Tell,
    greet: Callable[[], Awaitable[None]] | None = None,
) -> None:
    """Until one of the two ends it, the visitor's token ends, or the server drains.

    `act` gets each text or binary message (and pings and pongs, where `ws` leaves them to it), one
    after the other; `tell` gets what the visitor hears, in order, once `greet` has returned. All
    may raise `BadFrame`. Closes `ws`: 1008 where the token came to its end, 1012 in a drain, 1011
    after a crash. (aiohttp itself closes with 1002, 1007 and 1009.)
    """
    jobs = (_read(ws, act), _write(visitor, tell, greet), until_end(visitor))
    try:
        await first_of(*jobs)
    except BadFrame as bad:
        await ws.close(code=bad.code, message=str(bad).encode())
    except SlowConsumer:
        # A close frame would wait behind all that is not read.
        if request.transport is not None:
            request.transport.abort()
    except ChatError as reason:
        await ws.close(code=close_code(reason), message=reason.code.encode())
    except ConnectionError:
        pass  # it has gone while it was told something
    except Exception:
        log.exception("door_crashed", path=request.match_info.route.resource)
        await ws.close(code=WSCloseCode.INTERNAL_ERROR, message=Internal.code.encode())


def close_code(reason: ChatError) -> int:
    if isinstance(reason, Unauthorized):
        return WSCloseCode.POLICY_VIOLATION
    return WSCloseCode.SERVICE_RESTART if isinstance(reason, Draining) else 1011


async def _read(ws: web.WebSocketResponse, act: Act) -> None:
    async for message in ws:
        if message.type in MESSAGES:
            await act(message)


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
