"""What the contract declares, a server really says: every message, and every field of it.

(That a server says nothing else, the clients of all tests see to.)
"""

from typing import Any

import pytest

from chatserver.bots.echo import EchoBot
from chatserver.chat.events import DURABLE, SIGNALS, MessageCreated, Signal
from chatserver.chat.service import ChatService
from chatserver.gateways.contracts.asyncapi import document
from chatserver.testing import ScriptedBot
from tests.conftest import Connect
from tests.contracts import EventContract
from tests.fields import Fields
from tests.raw import RawClient, Refused
from tests.servers import RunningServer, StartServer

TALE = "The kettle sings. Tea from Assam is lovely. The kettle is a gift from my aunt in Leeds."


def unheard(contract: EventContract) -> set[str]:
    """The messages and the fields that the server might have sent, and did not."""
    said = contract.sent_by_server()
    fields = Fields(contract.document)
    schemas = {name: contract.messages[name]["payload"] for name in said}
    had = {
        field
        for name, payload in contract.heard
        if name in said
        for field in fields.had(schemas[name], payload)
    }
    return (said - {name for name, _ in contract.heard}) | (fields.declared(schemas.values()) - had)


async def everything_happens(
    running: RunningServer, bot: ScriptedBot, connect: Connect, contract: EventContract
) -> None:
    """A story in which every event, ack and field has its place."""
    await somebody_is_refused(running, contract)
    token = await running.token("Ada")
    ada = await connect(running, token=token, contract=contract)
    elsewhere = await connect(running, token=token, contract=contract)
    bob = await connect(running, "Bob", contract=contract)
    session_id = (await ada.do("create_session", title="Tea", visibility="link"))["session"]["id"]
    await elsewhere.told("session_added")
    here = {"session_id": session_id}
    await bob.do("join_session", **here)

    whole = await answers_come_and_end(ada, bob, bot, here)
    message = await ada.say(session_id, "see above", reply_to=whole)
    await bob.do("mark_read", **here, seq=message["seq"])
    await ada.told("read_changed")
    await bob.do("set_typing", **here, typing=True)
    await ada.told("typing_changed")
    bot.say("Fine.").end()
    await ada.told("reply_finished")
    edit = {"seq": message["seq"], "text": "see further up", "ask_again": True}
    assert (await ada.do("edit_message", **here, **edit))["replies"]
    bot.say("Finer.").end()
    await ada.told("reply_finished")
    await ada.do("delete_message", **here, seq=message["seq"])
    await ada.do("get_history", **here)

    await the_session_changes(ada, bob, here)
    other = await ada.do("create_session", title="Cake", bot=None, visibility="link")
    other_id = other["session"]["id"]
    await bob.do("join_session", session_id=other_id)
    assert (await ada.do("list_sessions", limit=1))["next"]
    await bob.do("mark_read", session_id=other_id, seq=1)
    await bob.do("leave_session", session_id=other_id)
    await bob.do("join_session", session_id=other_id)
    await ada.do("leave_session", session_id=other_id)
    assert (await bob.told("participant_left", new_owner=bob.me["id"]))["seq"]
    await ada.do("delete_session", **here)
    await bob.told("session_deleted")
    await running.stop()
    await ada.told("server_draining")


async def somebody_is_refused(running: RunningServer, contract: EventContract) -> None:
    nobody = RawClient("nobody", contract=contract)
    with pytest.raises(Refused):
        await nobody.connect(running.url, {"token": "nobody's"})
    await nobody.close()


async def answers_come_and_end(
    ada: RawClient, bob: RawClient, bot: ScriptedBot, here: dict[str, Any]
) -> int:
    """In each way that there is; returns the `seq` of a whole one."""
    await ada.say(here["session_id"], TALE)
    bot.say("I like that kettle. ", "It sings well.").end()
    whole = await ada.told("reply_finished")
    asked = {"reply_id": whole["reply_id"]}
    assert (await ada.do("get_reply", **here, **asked))["reply"]["message"]
    await ada.do("retry_reply", **here, **asked)
    bot.say("What a kettle!").end()
    whole = await ada.told("reply_finished")
    await ada.do("summarize_session", **here)

    await ada.say(here["session_id"], "Go on.")
    bot.say("Half a")
    running = await ada.told("reply_delta", text="Half a")
    assert (await bob.do("join_session", **here))["replies"]
    busy = {**here, "text": "And?", "client_message_id": "busy"}
    assert (await ada.refused("send_message", busy))["waiting"]
    await ada.do("stop_reply", **here, reply_id=running["reply_id"])
    stopped = await ada.told("reply_stopped")
    await ada.do("keep_message", **here, seq=stopped["seq"])

    await ada.say(here["session_id"], "Go on!")
    bot.say("Hardly a").fail()
    failed = await ada.told("reply_failed")
    asked = {"reply_id": failed["data"]["reply_id"]}
    assert (await ada.do("get_reply", **here, **asked))["reply"]["error"]
    await ada.do("get_history", **here)
    return int(whole["seq"])


async def the_session_changes(ada: RawClient, bob: RawClient, here: dict[str, Any]) -> None:
    await ada.do("rename_session", **here, title="Teatime")
    await ada.do("update_session", **here, reply_policy="off")
    await ada.do("add_bot", **here, bot="echo")
    await ada.do("remove_bot", **here, bot="echo")
    await ada.do("create_invite", **here)
    await ada.do("revoke_invites", **here)
    assert (await ada.refused("send_message", here))["field"]


async def things_go_wrong(ada: RawClient) -> None:
    """With the server's help: it has a defect, and few events a second."""
    crashed = await ada.refused("summarize_session", {"session_id": "any"})
    assert crashed["correlation_id"]
    while (ack := await ada.call("list_sessions", {}))["ok"]:
        pass
    assert ack["error"]["retry_after_ms"]


@pytest.fixture
def contract(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> EventContract:
    """Of the registries, or of a copy with these in it."""
    with monkeypatch.context() as patch:
        for more in getattr(request, "param", ()):
            registry: Any = SIGNALS if issubclass(more, Signal) else DURABLE
            patch.setitem(registry, more.name if issubclass(more, Signal) else more.type, more)
        return EventContract(document(title="test", version="1"), remember=True)


@pytest.fixture
async def story(
    contract: EventContract,
    server: StartServer,
    connect: Connect,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Held against the contract."""
    bot = ScriptedBot()
    running = await server(
        bots=[bot, EchoBot(50)], default_bot="scripted", queued_replies_per_session=1
    )
    await everything_happens(running, bot, connect, contract)

    async def crash(*_: object) -> None:
        raise RuntimeError("a defect")

    limited = await server(events_per_second=1, events_burst=5)
    monkeypatch.setattr(ChatService, "summarize_session", crash)
    await things_go_wrong(await connect(limited, contract=contract))


@pytest.mark.usefixtures("story")
async def test_the_server_says_all_that_the_contract_declares(contract: EventContract) -> None:
    assert unheard(contract) == set()


class KettleBoiled(Signal):
    name = "kettle_boiled"
    doc = "tea can be made"

    degrees: int


class MoodyMessage(MessageCreated):
    mood: str | None = None


@pytest.mark.usefixtures("story")
@pytest.mark.parametrize("contract", [(KettleBoiled, MoodyMessage)], indirect=True)
async def test_a_contract_that_declares_more_is_found_out(contract: EventContract) -> None:
    assert unheard(contract) == {"kettle_boiled", "KettleBoiled.degrees", "MoodyMessage.mood"}
