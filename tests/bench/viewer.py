"""Those who ask a model's bot and read its reply as it is said."""

import asyncio
import time

from chatserver.loadtest.histogram import Histogram
from chatserver.loadtest.peer import Peer
from chatserver.loadtest.tally import HEAD, Tally
from chatserver.loadtest.target import Target
from chatserver.loadtest.tokens import issue
from tests.bench.model import PacedModel

DELTA = b'42/chat,["reply_delta"'
FINISHED = b'42/chat,["reply_finished"'
FAILED = b'42/chat,["reply_failed"'
TALLY = b"-tokens-"


class Viewer(Peer):
    """The one member of a session with a model's bot."""

    __slots__ = ("_ended_well", "_first_at", "_prompt", "session_id")

    session_id: str
    _prompt: str
    _first_at: float
    _ended_well: asyncio.Future[bool]

    async def ask(self, begin: float = 0.0) -> bool:
        """Asks in `begin` seconds; returns at the reply's end whether it is a message."""
        await asyncio.sleep(begin)
        now = time.monotonic_ns()
        self._prompt = self.tally.text(now, HEAD).decode()
        self._first_at = 0.0
        self._ended_well = asyncio.get_running_loop().create_future()
        self.send_message(self.session_id.encode(), now, HEAD)
        return await self._ended_well

    def first_ns(self, model: PacedModel) -> int:
        """From when the model wrote the first token until it was here; all of it is overhead."""
        return round((self._first_at - model.spoke_at[self._prompt]) * 1e9)

    def packet(self, data: bytes, start: int, stop: int) -> None:
        if data.startswith(DELTA, start):
            self._first_at = self._first_at or time.monotonic()
        elif data.startswith((FINISHED, FAILED), start):
            self._ended_well.set_result(data.startswith(FINISHED, start))
        else:
            super().packet(data, start, stop)


async def viewers(target: Target, count: int) -> list[Viewer]:
    """Each with a session of its own."""
    made = []
    for token in await issue(target, count):
        viewer = await Viewer.connect(target, token, Tally(TALLY))
        session = await viewer.call("create_session", {"bot": "gpt"})
        viewer.session_id = session["session"]["id"]
        made.append(viewer)
    return made


def firsts(watching: list[Viewer], model: PacedModel) -> Histogram:
    """How late the first tokens of the newest replies were."""
    found = Histogram()
    for viewer in watching:
        found.record(viewer.first_ns(model))
    return found
