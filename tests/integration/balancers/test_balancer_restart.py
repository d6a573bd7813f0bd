"""The balancer itself is reloaded, or dies."""

import asyncio

from tests.integration.balancers.ledger import Ledger
from tests.integration.balancers.members import Member, gather, still_sending
from tests.integration.balancers.test_routing import fleet_of
from tests.integration.protocol.people import log_of
from tests.servers import StartServer
from tests.waiting import eventually


async def test_a_balancer_that_dies_and_comes_back_loses_nothing(
    server: StartServer, kind: str
) -> None:
    fleet = await fleet_of(server, default_bot="")
    members = [Member(f"member {number}") for number in range(4)]
    ledger, stop = Ledger(), asyncio.Event()
    try:
        session_id = await gather(members, fleet, ("websocket", "polling"))
        senders = [asyncio.create_task(member.send(ledger, stop)) for member in members]
        for _ in range(2):
            await still_sending(senders, ledger, 40)
            fleet.balancer.kill()
            fleet.balancer.start()
        await still_sending(senders, ledger, 40)
        stop.set()
        await asyncio.gather(*senders)
        # Who polls may have been between two polls each time.
        assert all(member.connects > 1 for member in members[::2])
        log = await log_of(members[0].client, session_id)
        said = [event["seq"] for event in log if event["type"] == "message_created"]
        assert {seq for seqs in ledger.acked.values() for seq in seqs.values()} <= set(said)
        for member in members:
            await eventually(lambda member=member: len(member.heard) >= len(said))
            assert member.heard == said
    finally:
        for member in members:
            await member.close()


async def test_a_reload_of_the_balancer_ends_no_websocket(server: StartServer, kind: str) -> None:
    fleet = await fleet_of(server, default_bot="")
    members = [Member("Ada"), Member("Bob")]
    ada, bob = members
    try:
        session_id = await gather(members, fleet)
        fleet.balancer.reload()
        late = Member("late")
        members.append(late)
        await late.connect(fleet.url, await fleet.token("late"), "websocket")
        await late.join(session_id)
        await late.client.say(session_id, "hello")
        for member in (ada, bob):
            await member.client.told("message_created", text="hello")
            assert member.connects == 1
    finally:
        for member in members:
            await member.close()
