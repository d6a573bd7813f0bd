"""A model that streams cheaply: `FakeModel`'s answer from one Protocol, hundreds at a time."""

import asyncio
import json
import re
import time
from typing import Any, cast

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
)  # fmt: skip


class PacedModel:
    """An endpoint at `base_url` that answers every request with `tokens` tokens, one each `pace`.

    `spoke_at` has, by the text of a request's last message, the moment of `time.monotonic` at which
    the first token was written.
    """

    def __init__(self, tokens: int, pace: float) -> None:
        self.pace = pace
        self.spoke_at: dict[str, float] = {}
        self.first = _event({"role": "assistant", "content": ""})
        self.tokens = [_event({"content": f"token{n % 10} "}) for n in range(tokens)]
        self.last = _event({}, "stop") + _framed(b"data: [DONE]\n\n") + b"0\r\n\r\n"
        self.base_url = ""
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> "PacedModel":
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Speaking(self), "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self.base_url = f"http://127.0.0.1:{port}/v1"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()


class _Speaking(asyncio.Protocol):
    """One connection; answers its requests one after the other."""

    def __init__(self, model: PacedModel) -> None:
        self._model = model
        self._loop = asyncio.get_running_loop()
        self._asked = b""
        self._prompt = ""
        self._begun = 0.0
        self._next = 0
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._asked += data
        head, _, body = self._asked.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        if length is None or len(body) < int(length[1]):
            return
        self._asked = b""
        self._prompt = json.loads(body)["messages"][-1]["content"]
        self._transport.write(HEAD + self._model.first)
        self._begun, self._next = self._loop.time(), 0
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _wait(self) -> None:
        due = self._begun + (self._next + 1) * self._model.pace
        self._timer = self._loop.call_at(due, self._speak)

    def _speak(self) -> None:
        if self._next == 0:
            self._model.spoke_at[self._prompt] = time.monotonic()
        self._transport.write(self._model.tokens[self._next])
        self._next += 1
        if self._next < len(self._model.tokens):
            self._wait()
        else:
            self._transport.write(self._model.last)


def _event(delta: dict[str, str], finish: str | None = None) -> bytes:
    chunk: dict[str, Any] = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": "paced",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }
    return _framed(b"data: " + json.dumps(chunk, separators=(",", ":")).encode() + b"\n\n")


def _framed(event: bytes) -> bytes:
    """As a chunk of a body (RFC 9112, 7.1)."""
    return b"%x\r\n%b\r\n" % (len(event), event)
