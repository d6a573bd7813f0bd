"""The framed door of several instances: one room, and each name once."""

import asyncio

from tests.integration.doors.framed import framed, refused
from tests.integration.instances.conftest import StartInstances


async def test_messages_and_notices_cross_instances_once(instances: StartInstances) -> None:
    here, there = await instances(2, guests="shared")
    async with framed(here, "ada") as ada:
        async with framed(there, "bob") as bob:
            assert await ada.hears() == "Server: Client bob joined the chat"
            await ada.say("hello")
            assert await bob.hears() == "ada: hello"
            await bob.say("hi")
            assert await ada.hears() == "bob: hi"
        assert await ada.hears() == "Server: Client bob left the chat"
        async with framed(there, "eve") as eve:
            await eve.say("end")
            expected = ["Server: Client eve joined the chat", "eve: end"]
            assert await ada.hears_all(2) == expected


async def test_a_name_live_on_one_instance_is_refused_by_the_other(
    instances: StartInstances,
) -> None:
    here, there = await instances(2, guests="shared")
    async with framed(here, "ada") as ada:
        # Nobody is in the room there: it has to ask.
        assert await refused(there, "Ada") == 403
        async with framed(there, "bob") as bob:
            assert await ada.hears() == "Server: Client bob joined the chat"
            assert await refused(there, "ADA") == 403
            assert await refused(here, "Bob") == 403
            await ada.say("still here")
            assert await bob.hears() == "ada: still here"
            await ada.close()
            assert await bob.hears() == "Server: Client ada left the chat"
            async with framed(there, "ada"):
                assert await bob.hears() == "Server: Client ada joined the chat"


async def test_people_who_come_to_all_instances_at_once_are_each_announced_once(
    instances: StartInstances,
) -> None:
    servers = await instances(2, guests="shared")

    async def visit(number: int) -> None:
        async with framed(servers[number % 2], f"guest {number}"):
            await leave.wait()

    leave = asyncio.Event()
    async with framed(servers[0], "ada") as ada, framed(servers[1], "bob") as bob:
        assert await ada.hears() == "Server: Client bob joined the chat"
        visits = [asyncio.create_task(visit(number)) for number in range(10)]
        for what in ("joined", "left"):
            expected = {f"Server: Client guest {number} {what} the chat" for number in range(10)}
            assert set(await ada.hears_all(10)) == expected
            assert set(await bob.hears_all(10)) == expected
            leave.set()
        await asyncio.gather(*visits)
        await bob.say("end")
        assert await ada.hears() == "bob: end"
