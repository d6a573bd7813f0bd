"""Connecting, being refused, being welcomed, being cut off."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from chatserver import __version__
from chatserver.app import SERVER
from chatserver.chat.models import Identity
from tests.conftest import Connect
from tests.raw import RawClient, Refused
from tests.servers import RunningServer, StartServer
from tests.waiting import PATIENCE, eventually


async def test_welcome_says_who_one_is_and_what_the_server_offers(
    server: StartServer, connect: Connect
) -> None:
    running = await server(text_chars=123)
    ada = RawClient("Ada")
    try:
        await ada.sio.connect(
            running.url,
            auth={"token": await running.token("Ada")},
            namespaces=["/chat"],
            transports=["websocket"],
        )
        welcome = await ada.told("welcome")
    finally:
        await ada.close()
    assert welcome["participant"]["name"] == "Ada"
    assert welcome["participant"]["kind"] == "user"
    assert welcome["limits"]["text_chars"] == 123
    assert {"corpus", "echo"} <= {bot["name"] for bot in welcome["bots"]}
    assert all(bot["description"] for bot in welcome["bots"])
    assert welcome["server"]["version"] == __version__
    assert welcome["server"]["default_bot"] == "echo"


@pytest.mark.parametrize(
    "auth",
    [
        None,
        {},
        {"token": ""},
        {"token": None},
        {"token": 7},
        {"token": ["x"]},
        {"token": "nobody's"},
    ],
    ids=str,
)
async def test_without_a_known_token_connecting_is_refused_with_data(
    server: StartServer, auth: object
) -> None:
    running = await server()
    nobody = RawClient()
    try:
        with pytest.raises(Refused) as refused:
            await nobody.connect(running.url, auth)
    finally:
        await nobody.close()
    assert refused.value.data["data"]["code"] == "unauthorized"
    assert refused.value.data["data"]["retryable"] is False
    assert refused.value.data["data"]["message"]
    assert refused.value.data["message"]


async def test_an_expired_token_is_refused_as_expired(
    server: StartServer, connect: Connect
) -> None:
    running = await server(token_seconds=1)
    token = await running.token()

    async def refused() -> bool:
        late = RawClient()
        try:
            await late.connect(running.url, {"token": token})
        except Refused as error:
            return bool(error.data["data"]["code"] == "token_expired")
        finally:
            await late.close()
        return False

    await eventually(refused, what="the token expires")


async def test_a_revoked_token_is_refused_as_revoked(server: StartServer, connect: Connect) -> None:
    running = await server()
    token = await running.token()
    await running.service.revoke_token(token)
    with pytest.raises(Refused) as refused:
        await connect(running, token=token)
    assert refused.value.data["data"]["code"] == "token_revoked"


async def test_revoking_a_token_ends_its_live_connections_and_no_others(
    server: StartServer, connect: Connect
) -> None:
    running = await server()
    token = await running.token("Ada")
    desk, phone = await connect(running, token=token), await connect(running, token=token)
    bob = await connect(running, "Bob")
    await running.service.revoke_token(token)
    await asyncio.gather(desk.lost(), phone.lost())
    await bob.caught_up()
    assert not bob.disconnected.is_set()


class Doorstep:
    """Connections whose token was looked up wait here."""

    def __init__(self, running: RunningServer, monkeypatch: pytest.MonkeyPatch) -> None:
        self._waits, self._opens = asyncio.Event(), asyncio.Event()
        self.departed: list[str] = []
        feed = running.app[SERVER].feed
        monkeypatch.setattr(feed, "attend", self._attend)
        monkeypatch.setattr(feed, "depart", self.departed.append)

    async def _attend(self, participant_id: str) -> None:
        self._waits.set()
        await self._opens.wait()

    async def code(
        self, running: RunningServer, meanwhile: Callable[[str], Awaitable[None]]
    ) -> str:
        """With which one is refused who waits here while something happens."""
        token, late = await running.token("Ada"), RawClient()
        connecting = asyncio.create_task(late.connect(running.url, {"token": token}))
        try:
            await asyncio.wait_for(self._waits.wait(), PATIENCE)
            await meanwhile(token)
            self._opens.set()
            with pytest.raises(Refused) as refused:
                await connecting
        finally:
            await late.close()
        return str(refused.value.data["data"]["code"])


async def test_a_token_revoked_while_its_connection_is_made_lets_nobody_in(
    server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = await server()
    doorstep = Doorstep(running, monkeypatch)
    assert await doorstep.code(running, running.service.revoke_token) == "token_revoked"
    assert len(doorstep.departed) == 1


async def test_who_connects_while_draining_is_announced_is_refused(
    server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = await server()
    doorstep = Doorstep(running, monkeypatch)

    async def drain(_: str) -> None:
        running.app[SERVER].connections.announce(100, 100)

    assert await doorstep.code(running, drain) == "draining"
    assert len(doorstep.departed) == 1


async def test_tokens_are_looked_at_again_where_doubt_comes_during_the_look(
    server: StartServer, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = await server()
    token = await running.token("Ada")
    ada = await connect(running, token=token)
    parts = running.app[SERVER]
    identify = parts.service.identify
    looks = 0

    async def slow(digest: bytes) -> Identity:
        nonlocal looks
        looks += 1
        identity = await identify(digest)
        if looks == 1:
            # Nobody hears of it: as on an instance that has lost Redis.
            monkeypatch.setattr(parts.feed, "token_dropped", lambda digest: None)
            await running.service.revoke_token(token)
            parts.feed.tokens_doubtful()
        return identity

    monkeypatch.setattr(parts.service, "identify", slow)
    parts.feed.tokens_doubtful()
    await ada.lost()
    assert looks == 2


async def test_a_live_connection_ends_when_its_token_expires(
    server: StartServer, connect: Connect
) -> None:
    running = await server(token_seconds=2)
    ada = await connect(running)  # which takes a moment over polling, behind a balancer
    await ada.lost()


async def test_a_renewed_token_keeps_its_connection(server: StartServer, connect: Connect) -> None:
    running = await server(token_seconds=2)
    token = await running.token("Ada")
    ada, other = await connect(running, token=token), await connect(running, "Bob")

    async def renew() -> bool:
        await running.service.renew_token(token)
        return other.disconnected.is_set()

    await eventually(renew, what="the token that nobody renewed expires")
    await ada.caught_up()


async def test_long_polling_speaks_the_same_protocol(server: StartServer, connect: Connect) -> None:
    running = await server()
    ada = RawClient("Ada")
    try:
        await ada.connect(
            running.url, {"token": await running.token("Ada")}, transports=("polling",)
        )
        created = await ada.do("create_session", bot=None)
        said = await ada.say(created["session"]["id"], "over polling")
        assert (await ada.told("message_created", text="over polling")) == said
    finally:
        await ada.close()


async def test_too_many_connections_of_one_address_are_refused_as_retryable(
    server: StartServer, connect: Connect
) -> None:
    running = await server(connections_per_address=2)
    for _ in range(2 * running.size):
        await connect(running)
    third = RawClient()
    try:
        with pytest.raises(Refused) as refused:
            await third.connect(running.url, {"token": await running.token()})
    finally:
        await third.close()
    assert refused.value.data["data"]["code"] == "too_many_connections"
    assert refused.value.data["data"]["retryable"] is True


async def test_a_closed_connection_makes_room_for_another(
    server: StartServer, connect: Connect
) -> None:
    running = await server(connections_per_address=1)
    first = await connect(running)
    token = await running.token()
    await first.close()

    async def admitted() -> bool:
        try:
            await connect(running, token=token)
        except Refused:
            return False
        return True

    await eventually(admitted, what="a place becomes free")


async def test_draining_is_announced_and_the_connection_ends(
    server: StartServer, connect: Connect
) -> None:
    running = await server(reconnect_after_ms=321)
    ada = await connect(running)
    await running.stop()
    assert (await ada.told("server_draining"))["reconnect_after_ms"] == 321
    await ada.lost()


async def test_clients_of_a_draining_server_are_told_different_times_to_come_back(
    server: StartServer, connect: Connect
) -> None:
    running = await server(reconnect_after_ms=100, reconnects_per_second=10)
    people = [await connect(running) for _ in range(5)]
    await running.stop()
    delays = sorted([(await each.told("server_draining"))["reconnect_after_ms"] for each in people])
    slots = [1 + number // running.size for number in range(5)]
    assert [delay // 100 for delay in delays] == slots
