"""A model that hangs up while the rest of its answer is gathered: what it sent is read."""

import asyncio
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from chatserver.bots.openai import upstream
from tests.integration.bots.conftest import Ask
from tests.talks import said, talk
from tests.waiting import PATIENCE, eventually

CERTIFICATE = Path(__file__).parent / "certificates" / "localhost.pem"
AGES = 3600.0
"""Seconds that no test waits for."""
RESET_AT_CLOSE = struct.pack("ii", 1, 0)


def event(text: str, finish: str = "null") -> bytes:
    choice = b'{"delta":{"content":"%s"},"finish_reason":%s}' % (text.encode(), finish.encode())
    return b'data: {"choices":[%s]}\n\n' % choice


FIRST = event("Once ")
REST = event("upon ") + event("a time.", '"stop"') + b"data: [DONE]\n\n"
HEAD = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"


class Model:
    """Answers one request; the rest of its answer comes when it is let."""

    def __init__(self, *, tls: bool, reset: bool, whole: bool) -> None:
        self._reset = reset
        self._whole = whole
        self.may_end = threading.Event()
        self.over = threading.Event()
        self.left = threading.Event()
        """The client is gone."""
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.settimeout(PATIENCE)
        self._tls: ssl.SSLContext | None = None
        if tls:
            self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            self._tls.load_cert_chain(CERTIFICATE)
        scheme, port = "https" if tls else "http", self._listening.getsockname()[1]
        self.base_url = f"{scheme}://localhost:{port}/v1"

    def serve(self) -> None:
        """In a thread: neither the loop under test nor its TLS takes part in this end."""
        with self._listening, self._accept() as connection:
            connection.recv(2**16)
            connection.sendall(HEAD % len(FIRST + REST) + FIRST)
            if not self.may_end.wait(PATIENCE):
                return
            if self._whole:
                connection.sendall(REST)
                if self._reset:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
                    return
                # TCP ends, and TLS says nothing of it.
                connection.shutdown(socket.SHUT_WR)
                self.over.wait(PATIENCE)
                return
            while connection.recv(2**16):
                pass
            self.left.set()

    def _accept(self) -> socket.socket:
        connection, _ = self._listening.accept()
        connection.settimeout(PATIENCE)
        if self._tls is None:
            return connection
        return self._tls.wrap_socket(connection, server_side=True)


@contextmanager
def serving(*, tls: bool, reset: bool = False, whole: bool = True) -> Iterator[Model]:
    model = Model(tls=tls, reset=reset, whole=whole)
    with ThreadPoolExecutor(1) as threads:
        served = threads.submit(model.serve)
        try:
            yield model
        finally:
            # The thread is waited for, which holds up the loop: it must not wait for that.
            model.may_end.set()
            model.over.set()
        served.result()


@pytest.fixture(autouse=True)
def _known_certificate(no_proxies: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))


async def answer(ask: Ask, model: Model) -> str:
    """The model may end as soon as the first piece was said and the next is waited for."""
    pieces: list[str] = []
    async for piece in ask(model.base_url, retries=0).bot.reply(talk(said("Hi"))):
        pieces.append(piece)
        asyncio.get_running_loop().call_soon(model.may_end.set)
    return "".join(pieces)


@pytest.mark.parametrize("reset", [False, True], ids=["in order", "by a reset"])
@pytest.mark.parametrize("tls", [False, True], ids=["TCP", "TLS"])
async def test_an_answer_whose_model_hangs_up_meanwhile_is_read_to_its_end(
    ask: Ask, tls: bool, reset: bool
) -> None:
    with serving(tls=tls, reset=reset) as model:
        text = await asyncio.wait_for(answer(ask, model), PATIENCE)
    assert text == "Once upon a time."


async def test_what_is_gathered_over_tls_is_not_waited_for_beyond_the_end(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upstream, "GATHER_SECONDS", AGES)
    with serving(tls=True) as model:
        text = await asyncio.wait_for(answer(ask, model), PATIENCE)
    assert text == "Once upon a time."


async def test_a_stop_while_text_is_gathered_over_tls_hangs_up_at_once(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upstream, "GATHER_SECONDS", AGES)
    with serving(tls=True, whole=False) as model:
        answering = asyncio.create_task(answer(ask, model))
        await eventually(model.may_end.is_set)
        answering.cancel()
        with pytest.raises(asyncio.CancelledError):
            await answering
        await eventually(model.left.is_set, within=1.0)


async def test_a_deadline_holds_while_text_is_gathered_over_tls(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upstream, "GATHER_SECONDS", AGES)
    with serving(tls=True, whole=False) as model:
        ada = ask(model.base_url, retries=0, total_seconds=1)
        outcome = await asyncio.wait_for(ada.answer(), PATIENCE)
        model.may_end.set()
        await eventually(model.left.is_set, within=1.0)
    assert (outcome.text, outcome.code) == ("Once ", "model_timeout")
    assert ada.observed.kinds == ["total_timeout"]
