"""How the client's token stays alive while renewing it goes wrong."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from chatserver.chat.errors import Internal, TokenRevoked
from chatserver.chat.models import Participant, ParticipantKind, Token
from chatserver.chat.service import ChatService
from chatserver.client.tokens import (
    RENEW_RETRY_SECONDS,
    Granted,
    TokenKeeper,
    half_life,
    renew,
    retry_pause,
)
from tests.servers import StartServer
from tests.waiting import PATIENCE


async def test_a_renewal_that_failed_is_tried_again(
    server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = await server()
    keeper = TokenKeeper(running.url, name=None, token=await running.token())
    renew, renewed, tries = ChatService.renew_token, asyncio.Event(), 0

    async def fail_once(service: ChatService, token: str) -> Token:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise Internal("a defect that passes")
        renewed.set()
        return await renew(service, token)

    monkeypatch.setattr(ChatService, "renew_token", fail_once)
    async with aiohttp.ClientSession() as http, asyncio.TaskGroup() as group:
        keeping = group.create_task(keeper.keep(http))
        await asyncio.wait_for(renewed.wait(), PATIENCE)
        keeping.cancel()


async def test_a_token_that_is_refused_is_not_renewed_any_more(
    server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = await server()
    keeper = TokenKeeper(running.url, name=None, token=await running.token())

    async def refuse(_service: ChatService, _token: str) -> Token:
        raise TokenRevoked("the token was revoked")

    monkeypatch.setattr(ChatService, "renew_token", refuse)
    async with aiohttp.ClientSession() as http:
        await asyncio.wait_for(keeper.keep(http), PATIENCE)


LIFE = 3600.0


@asynccontextmanager
async def server_whose_clock_is(
    ahead: timedelta, date: str | None = "its own"
) -> AsyncIterator[str]:
    """Renews every token for `LIFE` seconds; `date` is the header that says what time it is."""

    async def renewed(_request: web.Request) -> web.Response:
        now = datetime.now(UTC) + ahead
        ada = Participant(id="a", name="Ada", kind=ParticipantKind.USER)
        token = Token(token="t", participant=ada, expires_at=now + timedelta(seconds=LIFE))
        said = format_datetime(now, usegmt=True) if date == "its own" else str(date)
        return web.json_response(text=token.model_dump_json(), headers={"Date": said})

    async def tell_time(_request: web.Request, answer: web.StreamResponse) -> None:
        if date is None:
            del answer.headers["Date"]

    app = web.Application()
    app.router.add_post("/api/v1/tokens/renew", renewed)
    app.on_response_prepare.append(tell_time)
    async with TestServer(app) as server:
        yield str(server.make_url("")).rstrip("/")


async def renewed_by(url: str) -> Granted:
    async with aiohttp.ClientSession() as http:
        return await renew(http, url, "t")


@pytest.mark.parametrize("hours", [-2, 0, 2])
async def test_a_tokens_life_is_measured_by_the_servers_clock(hours: int) -> None:
    async with server_whose_clock_is(timedelta(hours=hours)) as url:
        renewed = await renewed_by(url)
    # The header has whole seconds.
    assert LIFE <= renewed.seconds < LIFE + 2


@pytest.mark.parametrize(
    "date", [None, "", "yesterday", "Thu, 01 Jan 2026 00:00:00 +9999999999999"]
)
async def test_a_server_that_does_not_say_what_time_it_is_is_believed_to_have_ours(
    date: str | None,
) -> None:
    async with server_whose_clock_is(timedelta(), date) as url:
        renewed = await renewed_by(url)
    assert LIFE - PATIENCE < renewed.seconds <= LIFE


async def test_a_date_without_a_zone_is_one_in_utc() -> None:
    ahead = timedelta(hours=2)
    date = format_datetime((datetime.now(UTC) + ahead).replace(tzinfo=None))
    assert date.endswith("-0000")
    async with server_whose_clock_is(ahead, date) as url:
        renewed = await renewed_by(url)
    assert LIFE <= renewed.seconds < LIFE + PATIENCE


async def test_a_token_that_seems_over_as_it_is_renewed_is_not_renewed_all_the_time() -> None:
    async with server_whose_clock_is(timedelta(hours=-2), date=None) as url:
        renewed = await renewed_by(url)
    assert half_life(renewed.seconds) == 30.0


def test_the_pauses_become_shorter_as_the_tokens_life_ends() -> None:
    assert retry_pause(60.0, None) == 60.0
    assert retry_pause(60.0, 3600.0) == 60.0
    assert retry_pause(60.0, 40.0) == half_life(40.0) == 20.0
    assert retry_pause(60.0, -1.0) == RENEW_RETRY_SECONDS
    assert retry_pause(0.5, 4.0) == 0.5
