"""How many folds run at once."""

from chatserver.app import SERVER
from chatserver.replies.folds import AT_ONCE
from tests.conftest import Connect
from tests.integration.protocol.people import session_of
from tests.raw import RawClient
from tests.servers import RunningServer, StartServer
from tests.unit.bots.models import RememberingBot
from tests.waiting import eventually


async def talk(person: RawClient, session_id: str, times: int = 6) -> None:
    """Six messages and their answers are enough to be folded."""
    for _ in range(times):
        await person.say(session_id, "hello")
        await person.told("reply_finished", session_id=session_id)


def counted(running: RunningServer, outcome: str) -> float:
    labels = {"bot": "rememberer", "outcome": outcome}
    registry = running.app[SERVER].metrics.registry
    return registry.get_sample_value("chatserver_memory_folds_total", labels) or 0.0


async def test_a_session_folds_once_at_a_time(server: StartServer, connect: Connect) -> None:
    bot = RememberingBot()
    running = await server(bots=[bot], default_bot="rememberer")
    ada = await connect(running)
    session_id = await session_of(ada, bot="rememberer")
    await talk(ada, session_id, 9)
    assert bot.folding == 1
    bot.may_fold.set()
    await eventually(lambda: counted(running, "kept") == 1)


async def test_who_finds_no_place_to_fold_does_so_after_its_next_reply(
    server: StartServer, connect: Connect
) -> None:
    bot = RememberingBot()
    running = await server(bots=[bot], default_bot="rememberer")
    ada = await connect(running)
    for number in range(1, AT_ONCE + 1):
        await talk(ada, await session_of(ada, bot="rememberer"))
        await eventually(lambda number=number: bot.folding == number)
    late = await session_of(ada, bot="rememberer")
    await talk(ada, late)
    assert bot.folding == AT_ONCE
    assert counted(running, "skipped") >= 1
    bot.may_fold.set()
    await eventually(lambda: counted(running, "kept") == AT_ONCE)
    await talk(ada, late, 1)
    await eventually(lambda: counted(running, "kept") == AT_ONCE + 1)


async def test_a_message_deleted_while_the_model_writes_is_not_remembered(
    server: StartServer, connect: Connect
) -> None:
    bot = RememberingBot()
    running = await server(bots=[bot], default_bot="rememberer")
    ada = await connect(running)
    session_id = await session_of(ada, bot="rememberer")
    first = await ada.say(session_id, "a secret")
    await ada.told("reply_finished", session_id=session_id)
    await talk(ada, session_id, 6)
    await eventually(lambda: bot.folding == 1)
    await ada.do("delete_message", session_id=session_id, seq=first["seq"])
    bot.may_fold.set()
    await eventually(lambda: counted(running, "outdated") == 1)
    store = running.app[SERVER].store
    assert await store.read(lambda tx: tx.memories.get(session_id, "rememberer")) is None
