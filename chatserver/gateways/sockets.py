"""A WebSocket that waits for its client only so long."""

import asyncio
import struct
from collections.abc import Coroutine
from typing import Any

from aiohttp import WSCloseCode, WSMsgType, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.web_request import BaseRequest

from chatserver.chat.errors import SlowConsumer
from chatserver.gateways.silence import limit_silence

PARTING_SECONDS = 2.0
"""How long a client may take to hear the rest, and to answer a close frame."""


class DoorSocket(web.WebSocketResponse):
    """Whatever is sent raises `SlowConsumer` where the client does not take it in time.

    What is sent to a client that has gone is lost without a word: whoever reads learns of it behind
    all that had arrived, and may not be there yet. Pings and pongs of the client are left to them.
    """

    def __init__(
        self,
        *,
        message_bytes: int,
        ping_seconds: float,
        silence_seconds: float,
        autoclose: bool = True,
    ) -> None:
        """`message_bytes`: the most that aiohttp lets through.

        Whoever does not answer a ping, sent after `ping_seconds` of silence, within half that time
        is gone; and so is who takes nothing for `silence_seconds`.
        """
        super().__init__(
            timeout=PARTING_SECONDS,
            heartbeat=ping_seconds,
            # aiohttp's limit is the first size that is too much.
            max_msg_size=message_bytes + 1,
            autoping=False,
            autoclose=autoclose,
            compress=False,
        )
        self._silence_seconds = silence_seconds
        self._wire: asyncio.Transport | None = None
        self._flow: AbstractStreamWriter | None = None

    async def prepare(self, request: BaseRequest) -> AbstractStreamWriter:
        if self._wire is None and isinstance(request, web.Request):
            self._wire = request.transport
            limit_silence(request, self._silence_seconds)
        self._flow = await super().prepare(request)
        return self._flow

    async def send_str(self, data: str, compress: int | None = None) -> None:
        await self._in_time(super().send_str(data, compress))

    async def send_bytes(self, data: bytes, compress: int | None = None) -> None:
        await self._in_time(super().send_bytes(data, compress))

    async def send_asking(self, text: str, question: bytes) -> None:
        """A text and a ping in one piece.

        Who reads the one then has the other, and answers it even where they close at once.
        """
        if self._wire is None or self._flow is None or self._wire.is_closing():
            return
        self._wire.write(_frame(WSMsgType.TEXT, text.encode()) + _frame(WSMsgType.PING, question))
        await self._in_time(self._flow.drain())

    async def ping(self, message: bytes = b"") -> None:
        await self._in_time(super().ping(message))

    async def pong(self, message: bytes = b"") -> None:
        await self._in_time(super().pong(message))

    async def close(
        self, *, code: int = WSCloseCode.OK, message: bytes = b"", drain: bool = True
    ) -> bool:
        """Also called by aiohttp, which would wait for ever behind what is not read."""
        try:
            async with asyncio.timeout(PARTING_SECONDS):
                return await super().close(code=code, message=message, drain=drain)
        except TimeoutError:
            return True
        finally:
            self.let_go()

    def let_go(self) -> None:
        """To be called in the end: what the client does not take by itself it loses.

        A transport that is closed would otherwise stay until it has sent everything.
        """
        if self._wire is None or not self._wire.get_write_buffer_size():
            return
        if self.close_code in (None, WSCloseCode.ABNORMAL_CLOSURE):
            self._wire.abort()
        else:  # it has closed in order, and may be reading still
            asyncio.get_running_loop().call_later(PARTING_SECONDS, self._wire.abort)

    def abort(self) -> None:
        """At once: a close frame would wait behind all that is not read."""
        if self._wire is not None:
            self._wire.abort()

    async def _in_time(self, sending: Coroutine[Any, Any, None]) -> None:
        try:
            async with asyncio.timeout(self._silence_seconds):
                await sending
        except ConnectionError:
            pass  # it has gone
        except TimeoutError:
            raise SlowConsumer("the client takes nothing") from None


def _frame(opcode: WSMsgType, payload: bytes) -> bytes:
    """A whole frame of a server's (RFC 6455, 5.2)."""
    first, length = 0x80 | opcode, len(payload)
    if length < 126:
        header = struct.pack("!BB", first, length)
    elif length < 1 << 16:
        header = struct.pack("!BBH", first, 126, length)
    else:
        header = struct.pack("!BBQ", first, 127, length)
    return header + payload
