"""The plain door of several instances behind a load balancer."""

import asyncio

import pytest

from chatserver.testing import ScriptedBot
from tests.fleet import Fleet
from tests.integration.doors.plain_clients import ask, hear, own_session, plain, texts_of
from tests.servers import StartServer
from tests.waiting import eventually


@pytest.fixture
def backend() -> str:
    return "haproxy-3"


async def test_guests_of_all_instances_share_one_room(server: StartServer) -> None:
    fleet = await server(guests="shared")
    assert isinstance(fleet, Fleet)
    clients = await asyncio.gather(*(plain(each) for each in fleet.instances))
    for number, speaker in enumerate(clients):
        assert await ask(speaker, f"m{number}") == f"m{number}"
        for other in clients:
            if other is not speaker:
                assert await hear(other, 2) == [f"Guest: m{number}", f"m{number}"]
    await asyncio.gather(*(client.close() for client in clients))


async def test_who_comes_back_to_another_instance_hears_what_was_missed_and_nothing_twice(
    server: StartServer,
) -> None:
    bot = ScriptedBot()
    fleet = await server(bots=[bot], default_bot="scripted")
    assert isinstance(fleet, Fleet)
    first, second, third = fleet.instances
    token = await first.token()
    async with plain(first, token=token) as ada:
        bot.answers(["one"])
        assert await ask(ada, "1") == "one"
        await ada.send("2")
        await eventually(lambda: len(bot.contexts) == 2)
    bot.answers(["two"])
    session_id = await own_session(second, token)

    async def answered() -> bool:
        return (await texts_of(second, session_id))[-1] == "two"

    await eventually(answered)
    async with plain(second, token=token) as ada:
        assert await hear(ada) == ["two"]
    async with plain(third, token=token) as ada, plain(first, token=token) as also_ada:
        bot.answers(["three"])
        assert await ask(ada, "3") == "three"
        assert await hear(also_ada) == ["three"]
