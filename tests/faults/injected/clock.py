"""The clock of one machine is set wrong (libfaketime; what counts intervals is left alone)."""

from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

from aiohttp import ClientSession

from tests.faults.injected.asking import replies_everywhere
from tests.faults.injected.fault import Expectation, Fault
from tests.processes import ServerProcess


def library() -> Path | None:
    """Debian keeps it off the linker's path."""
    found = Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")
    return next(found, None)


class InstanceAhead(Fault):
    """One instance's clock goes forward by an hour while it works, and back again."""

    name = "instance-hour-ahead"
    lasts = 12.0
    heals_itself = True
    expected = Expectation(recovers=2.0)
    step = "+3600"
    _off: timedelta = timedelta()

    @property
    def victims(self) -> list[ServerProcess]:
        return self.scene.instances

    async def prepare(self) -> None:
        faketime = library()
        assert faketime is not None, "libfaketime is not installed; see tests/run"
        self._file = self.scene.folder / "clock"
        self._file.write_text("+0")
        self._victim = self.victims[0]
        await self._restart(
            LD_PRELOAD=str(faketime),
            FAKETIME_TIMESTAMP_FILE=str(self._file),
            # What is in the file counts at once.
            FAKETIME_NO_CACHE="1",
            DONT_FAKE_MONOTONIC="1",
        )

    async def ready(self) -> None:
        await replies_everywhere(self.scene)
        self._before = await self.scene.takeovers()

    async def inject(self) -> None:
        self._file.write_text(self.step)
        self._off = await self._shown() - await self._shown(self.scene.instances[-1])

    async def heal(self) -> None:
        self._file.write_text("+0")

    async def finish(self) -> None:
        await self._restart()

    async def evidence(self) -> str:
        off = self._off.total_seconds()
        return f"its clock was {off:+.0f} s off" if abs(off) > 3_000 else ""

    async def _shown(self, server: ServerProcess | None = None) -> datetime:
        url = (server or self._victim).url
        async with ClientSession() as http, http.get(f"{url}/healthz") as answer:
            return parsedate_to_datetime(answer.headers["Date"])

    async def _restart(self, **variables: str) -> None:
        await self.scene.end(self._victim)
        self._victim.variables = variables
        await self.scene.begin(self._victim)
        await self.scene.balanced()


class InstanceBehind(InstanceAhead):
    """One instance's clock goes back by an hour."""

    name = "instance-hour-behind"
    step = "-3600"


class WorkerAhead(InstanceAhead):
    """To one worker every lease seems to have run out."""

    name = "worker-hour-ahead"

    @property
    def victims(self) -> list[ServerProcess]:
        return self.scene.workers

    async def evidence(self) -> str:
        taken = await self.scene.takeovers() - self._before
        return f"{await super().evidence()}; {taken} taken over"
