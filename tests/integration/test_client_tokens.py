"""How the client's token stays alive while renewing it goes wrong."""

import asyncio
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from chatserver.chat.errors import Internal, TokenRevoked
from chatserver.chat.models import Participant, ParticipantKind, Token
from chatserver.chat.service import ChatService
from chatserver.client.tokens import RENEW_RETRY_SECONDS, TokenKeeper, half_life, retry_pause
from tests.servers import StartServer
from tests.waiting import PATIENCE

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def expiring(seconds: float) -> Token:
    ada = Participant(id="a", name="Ada", kind=ParticipantKind.USER)
    return Token(token="t", participant=ada, expires_at=NOW + timedelta(seconds=seconds))


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


def test_the_pauses_become_shorter_as_the_tokens_life_ends() -> None:
    assert retry_pause(60.0, None, NOW) == 60.0
    assert retry_pause(60.0, expiring(3600), NOW) == 60.0
    assert retry_pause(60.0, expiring(40), NOW) == half_life(expiring(40), NOW) == 20.0
    assert retry_pause(60.0, expiring(-1), NOW) == RENEW_RETRY_SECONDS
    assert retry_pause(0.5, expiring(4), NOW) == 0.5
