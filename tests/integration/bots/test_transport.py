"""AiohttpTransport: what the openai package's own way to the network does, ours does too."""

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from chatserver.testing import FakeModel, Speak
from tests.integration.bots.conftest import Ask
from tests.waiting import PATIENCE

CERTIFICATES = Path(__file__).parent / "certificates"
EVENTS = b'data: {"choices":[{"delta":{"content":"Hello."}}]}\n\ndata: [DONE]\n\n'

Answer = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def endpoint(answer: Answer, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """The port of a server that gives each request's head to `answer` and hangs up."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(await reader.readuntil(b"\r\n\r\n"), writer)
            await writer.drain()
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1]


def response(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> bytes:
    length = b"Content-Length: %d" % len(body)
    lines = [b"HTTP/1.1 " + status, length, b"Connection: close", *headers, b"", body]
    return b"\r\n".join(lines)


pytestmark = pytest.mark.usefixtures("no_proxies")


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "ALL_PROXY"])
async def test_the_proxy_of_the_environment_is_asked_with_its_password(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    heads = []

    async def proxy(head: bytes, writer: asyncio.StreamWriter) -> None:
        heads.append(head)
        writer.write(response(EVENTS))

    async with endpoint(proxy) as port:
        monkeypatch.setenv(variable, f"http://me:word@127.0.0.1:{port}")
        outcome = await asyncio.wait_for(ask("http://model.test/v1").answer(), PATIENCE)
    assert outcome.text == "Hello."
    assert heads[0].startswith(b"POST http://model.test/v1/chat/completions HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic bWU6d29yZA==" in heads[0]
    assert b"Bearer secret-key" in heads[0]


async def test_no_proxy_is_asked_for_hosts_that_are_excepted(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{unused_tcp_port}")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    async with FakeModel() as model:
        assert (await ask(model).answer()).error is None


async def test_a_proxy_that_cannot_be_reached_makes_the_model_unavailable(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{unused_tcp_port}")
    ada = ask("https://model.test/v1", retries=0)
    outcome = await asyncio.wait_for(ada.answer(), PATIENCE)
    assert (outcome.code, ada.observed.kinds) == ("model_unavailable", ["connect"])


async def test_a_proxy_of_a_kind_we_do_not_speak_is_a_matter_for_the_operator(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:9")
    ada = ask("http://model.test/v1", retries=0)
    outcome = await asyncio.wait_for(ada.answer(), PATIENCE)
    assert (outcome.code, ada.observed.kinds) == ("bot_not_configured", ["not_configured"])


async def test_a_redirect_is_followed_and_the_key_stays_with_its_host(ask: Ask) -> None:
    async with FakeModel(key="secret-key") as model:

        async def redirect(head: bytes, writer: asyncio.StreamWriter) -> None:
            there = f"Location: {model.base_url}/chat/completions".encode()
            writer.write(response(b"", there, status=b"307 Temporary Redirect"))

        async with endpoint(redirect) as port:
            outcome = await asyncio.wait_for(ask(f"http://127.0.0.1:{port}/v1").answer(), PATIENCE)
    # Another port is another origin, which must not be told the key.
    assert outcome.code == "bot_not_configured"
    assert [request.key_matched for request in model.requests] == [None]


async def test_an_endless_redirect_is_a_matter_for_the_operator(ask: Ask) -> None:
    async def redirect(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(response(b"", b"Location: /v1/again", status=b"307 Temporary Redirect"))

    async with endpoint(redirect) as port:
        ada = ask(f"http://127.0.0.1:{port}/v1", retries=0)
        outcome = await asyncio.wait_for(ada.answer(), PATIENCE)
    assert outcome.code == "bot_not_configured"


@pytest.mark.parametrize(
    ("trusted", "host", "code"),
    [
        (True, "localhost", None),
        (False, "localhost", "model_unavailable"),
        (True, "127.0.0.1", "model_unavailable"),
    ],
    ids=["trusted", "of nobody we know", "of another host"],
)
async def test_certificates_are_checked(
    ask: Ask, monkeypatch: pytest.MonkeyPatch, trusted: bool, host: str, code: str | None
) -> None:
    async def answer(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(response(EVENTS))

    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(CERTIFICATES / "localhost.pem")
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATES / "localhost.pem"))
    async with endpoint(answer, tls) as port:
        ada = ask(f"https://{host}:{port}/v1", retries=0)
        outcome = await asyncio.wait_for(ada.answer(), PATIENCE)
    assert outcome.code == code
    assert ada.observed.kinds == ([] if code is None else ["connect"])


async def test_a_host_that_takes_no_connection_is_given_up_after_its_seconds(ask: Ask) -> None:
    """It never ends the TLS handshake, which is part of connecting."""

    async def nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(nothing, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        ada = ask(f"https://127.0.0.1:{port}/v1", retries=0, connect_seconds=0.2)
        outcome = await asyncio.wait_for(ada.answer(), PATIENCE)
    assert (outcome.code, ada.observed.kinds) == ("model_unavailable", ["connect"])


async def test_a_compressed_body_is_read(ask: Ask) -> None:
    async def answer(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(response(gzip.compress(EVENTS), b"Content-Encoding: gzip"))

    async with endpoint(answer) as port:
        outcome = await ask(f"http://127.0.0.1:{port}/v1").answer()
    assert outcome.text == "Hello."


@pytest.mark.parametrize(
    "sent",
    [
        b"This is not HTTP.\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno size\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\ndata: {}\n\n",
        b"HTTP/1.1 500 No\r\nContent-Length: 99\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\nno gzip!!",
        b"",
    ],
    ids=["no HTTP", "no chunk", "too short", "a short error", "no gzip", "nothing"],
)
async def test_what_breaks_the_protocol_is_a_cut(ask: Ask, sent: bytes) -> None:
    async def answer(head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(sent)

    async with endpoint(answer) as port:
        ada = ask(f"http://127.0.0.1:{port}/v1", retries=0)
        outcome = await asyncio.wait_for(ada.answer(), PATIENCE)
    assert (outcome.code, ada.observed.kinds) == ("model_unavailable", ["cut"])


async def test_a_fast_model_is_told_in_few_pieces_of_which_the_first_does_not_wait(
    ask: Ask,
) -> None:
    words = [f"{number} " for number in range(200)]
    async with FakeModel(Speak(words, pace=0.001)) as model:
        outcome = await ask(model).answer()
    assert outcome.text == "".join(words)
    assert len(outcome.pieces[0]) < 100
    assert len(outcome.pieces) < 100
