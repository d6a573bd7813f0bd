"""Responses that last: Server-Sent Events over HTTP/1.1 (and 1.0)."""

import asyncio
from contextlib import AsyncExitStack, suppress

import structlog
from aiohttp import hdrs, web
from aiohttp.typedefs import Handler

from chatserver.chat.errors import ChatError, SlowConsumer
from chatserver.gateways.rest.accepting import EVENT_STREAM
from chatserver.gateways.rest.dispatch import internal
from chatserver.gateways.rest.following import Following
from chatserver.gateways.rest.frames import KEEP_ALIVE, OPENING
from chatserver.gateways.rest.rounds import Rounds
from chatserver.gateways.silence import limit_silence
from chatserver.gateways.talk import first_of, until_end

HEADERS = {
    hdrs.CONTENT_TYPE: EVENT_STREAM,
    hdrs.CACHE_CONTROL: "no-store",
    # nginx, and those that took it over from there: pass on each event as it comes.
    "X-Accel-Buffering": "no",
}

log = structlog.get_logger(__name__)


@web.middleware
async def answer_live(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Lets a stream run once all others have set their headers. To be the outermost."""
    response = await handler(request)
    if isinstance(response, EventStream):
        await response.run(request)
    return response


class EventStream(web.StreamResponse):
    """`stack` holds what the stream needs, and is closed with it. Only `answer_live` runs it."""

    def __init__(
        self,
        following: Following,
        stack: AsyncExitStack,
        rounds: Rounds,
        *,
        keep_alive_seconds: float,
        silence_seconds: float,
    ) -> None:
        super().__init__(headers=HEADERS)
        self._following = following
        self._stack = stack
        self._rounds = rounds
        self._nudge = asyncio.Event()
        self._request: web.Request | None = None
        self._idle_seconds = keep_alive_seconds
        self._silence_seconds = silence_seconds
        self._sending = asyncio.Lock()
        self._is_stuck = False
        self._sent_at = 0.0

    async def run(self, request: web.Request) -> None:
        """Until either side ends it. Of HEAD there is nothing more than the headers."""
        async with self._stack:
            await self.prepare(request)
            if request.method != hdrs.METH_HEAD:
                limit_silence(request, self._silence_seconds)
                self._request = request
                with self._rounds.watching(self):
                    await self._tell(request)

    def look(self) -> None:
        """A `rounds.Watched`: aiohttp does not tell when a client leaves."""
        if self._is_gone or self._is_idle:
            self._nudge.set()

    @property
    def _is_gone(self) -> bool:
        return self._request is None or self._request.transport is None

    @property
    def _is_idle(self) -> bool:
        return asyncio.get_running_loop().time() - self._sent_at >= self._idle_seconds

    async def _tell(self, request: web.Request) -> None:
        jobs = (self._pass_on(), until_end(self._following.visitor), self._stay())
        try:
            await first_of(*jobs)
        except ConnectionError:
            pass  # the client has gone
        except ChatError as reason:
            await self._part(request, reason)
        except Exception as crash:
            await self._part(request, internal(crash, request))

    async def _pass_on(self) -> None:
        await self._send(OPENING)
        async for frame in self._following.frames():
            await self._send(frame)

    async def _stay(self) -> None:
        """Returns when the client has gone."""
        while not self._is_gone:
            await self._nudge.wait()
            self._nudge.clear()
            if self._is_idle:
                await self._send(KEEP_ALIVE)

    async def _send(self, frame: bytes) -> None:
        """Raises `SlowConsumer` where the client does not take it, `ConnectionError` if it left."""
        async with self._sending:
            self._is_stuck = True  # and stays so where this is cancelled meanwhile
            try:
                async with asyncio.timeout(self._silence_seconds):
                    await self.write(frame)
            except TimeoutError:
                log.warning("stalled_stream_cut_off")
                raise SlowConsumer("the client takes nothing") from None
            self._is_stuck = False
            self._sent_at = asyncio.get_running_loop().time()

    async def _part(self, request: web.Request, reason: ChatError) -> None:
        if not self._is_stuck and not isinstance(reason, SlowConsumer):
            with suppress(ConnectionError, SlowConsumer):
                await self._send(self._following.farewell(reason))
        elif request.transport is not None:
            # What waits would be waited for; the client comes back with its last id.
            request.transport.abort()
