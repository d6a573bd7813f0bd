"""When a server forgets: soon after its start, and again after a failure."""

from datetime import UTC, datetime, timedelta

import pytest

from chatserver.app import SERVER
from chatserver.chat.errors import Unavailable
from chatserver.chat.models import Participant, ParticipantKind
from chatserver.chat.upkeep import KEPT, UpkeepDesk
from chatserver.compose import upkeep
from tests.servers import StartServer
from tests.waiting import eventually

EVE = Participant(id="eve", name="Eve", kind=ParticipantKind.USER)
ENDED = datetime.now(UTC) - KEPT - timedelta(days=1)


async def test_a_server_forgets_a_token_that_ended_long_ago(
    server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "FIRST_SECONDS", (0.0, 0.0))
    monkeypatch.setattr(upkeep, "EVERY_SECONDS", 0.01)
    running = await server()
    store = running.app[SERVER].store
    alive = await running.token()
    await store.transact(lambda tx: tx.tokens.add(b"e" * 32, EVE, ENDED, ENDED))

    async def is_forgotten() -> bool:
        return await store.read(lambda tx: tx.tokens.find(b"e" * 32)) is None

    await eventually(is_forgotten)
    assert await running.rest("GET", "/api/v1/sessions", token=alive)


class Desk(UpkeepDesk):
    """Fails as it is told to."""

    def __init__(self, *outcomes: bool | Exception) -> None:
        self._outcomes = list(outcomes)
        self.asked = 0

    async def forget(self) -> bool:
        self.asked += 1
        outcome = self._outcomes.pop(0) if self._outcomes else False
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


async def test_what_fails_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "EVERY_SECONDS", 0.01)
    desk = Desk(Unavailable("no database"), RuntimeError("on purpose"), True, False)
    async with upkeep.upkeep(desk, first_seconds=0):
        await eventually(lambda: desk.asked > 4)
    asked = desk.asked
    async with upkeep.upkeep(desk, first_seconds=3600):
        pass
    assert desk.asked == asked
