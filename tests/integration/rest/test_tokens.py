from collections.abc import Awaitable, Callable

import pytest

from tests.integration.rest.world import Api, Client, World


async def test_a_token_is_issued_to_whoever_gives_a_name(anonymous: Api) -> None:
    issued = await anonymous.post("/tokens", {"name": "  Ada "})
    assert issued.status == 201
    assert issued.body.keys() == {"token", "participant", "expires_at"}
    assert issued.body["participant"]["name"] == "Ada"
    assert issued.headers["Cache-Control"] == "no-store"


async def test_a_token_says_whose_it_is(ada: Api) -> None:
    me = await ada.get("/me")
    assert me.status == 200
    assert ada.participant is not None
    assert me.body["participant"] == ada.participant.wire()


async def test_without_a_token_the_answer_says_how_to_authenticate(anonymous: Api) -> None:
    refused = await anonymous.get("/me")
    assert (refused.status, refused.body["code"]) == (401, "unauthorized")
    assert refused.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("header", ["Bearer nobody-issued-this", "bearer  x", "Bearer \xff"])
async def test_an_unknown_token_is_called_invalid(anonymous: Api, header: str) -> None:
    refused = await anonymous.get("/me", headers={"Authorization": header})
    assert (refused.status, refused.body["code"]) == (401, "unauthorized")
    assert refused.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'


@pytest.mark.parametrize("header", ["Basic QWRhOg==", "Bearer", "Bearer ", "token"])
async def test_what_is_no_bearer_token_is_no_token(anonymous: Api, header: str) -> None:
    refused = await anonymous.get("/me", headers={"Authorization": header})
    assert refused.status == 401
    assert refused.headers["WWW-Authenticate"] == "Bearer"


async def test_a_token_expires_unless_it_is_renewed(ada: Api, bob: Api, world: World) -> None:
    world.clock.ahead += 3_000
    renewed = await ada.post("/tokens/renew")
    assert renewed.status == 200
    assert renewed.body["token"] == ada.token
    world.clock.ahead += 3_000
    assert (await ada.get("/me")).body["expires_at"] == renewed.body["expires_at"]
    refused = await bob.get("/me")
    assert (refused.status, refused.body["code"]) == (401, "token_expired")


async def test_a_revoked_token_is_worthless_and_its_connections_end(ada: Api, world: World) -> None:
    assert (await ada.delete("/tokens/current")).status == 204
    refused = await ada.get("/me")
    assert (refused.status, refused.body["code"]) == (401, "token_revoked")
    assert len(world.feed.dropped) == 1


async def test_tokens_are_limited_by_the_address_behind_the_proxy(
    serve: Callable[..., Awaitable[Client]],
) -> None:
    api = Api(await serve(tokens_per_minute=2))
    ours, theirs = {"X-Forwarded-For": "198.51.100.1"}, {"X-Forwarded-For": "198.51.100.2"}
    for _ in range(2):
        assert (await api.post("/tokens", {"name": "Ada"}, headers=ours)).status == 201
    refused = await api.post("/tokens", {"name": "Ada"}, headers=ours)
    assert (refused.status, refused.body["code"]) == (429, "rate_limited")
    assert refused.body["retryable"] is True
    assert 0 < refused.body["retry_after_ms"] <= 30_000
    assert 1 <= int(refused.headers["Retry-After"]) <= 30
    assert (await api.post("/tokens", {"name": "Bob"}, headers=theirs)).status == 201


async def test_requests_are_limited_by_participant(
    serve: Callable[..., Awaitable[Client]], world: World
) -> None:
    client = await serve(requests_per_second=0.05)
    ada, bob = await Api(client).named("Ada"), await Api(client).named("Bob")
    assert (await ada.get("/me")).status == 200
    assert (await ada.get("/me")).status == 429
    assert (await bob.get("/me")).status == 200
    world.clock.ahead += 20
    assert (await ada.get("/me")).status == 200
