"""What servers count, over all their lives."""

import asyncio
from collections import Counter
from contextlib import suppress

from aiohttp import ClientError, ClientSession, ClientTimeout
from prometheus_client.parser import text_string_to_metric_families

from tests.faults.scene import Scene
from tests.processes import ServerProcess
from tests.waiting import eventually

EVERY_SECONDS = 0.5
PATIENCE_SECONDS = 20.0


async def samples(http: ClientSession, url: str) -> Counter[str]:
    """By name without our prefix, summed over labels. Empty where nobody answers."""
    found: Counter[str] = Counter()
    with suppress(ClientError, TimeoutError, OSError):
        async with http.get(f"{url}/metrics") as answer:
            for family in text_string_to_metric_families(await answer.text()):
                for sample in family.samples:
                    # The type of counts is int to mypy; Counter takes any number.
                    found[sample.name.removeprefix("chatserver_")] += sample.value  # type: ignore[assignment]
    return found


class Meter:
    """Adds up although processes die: what was last seen of each life counts."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._lives: dict[int, Counter[str]] = {}
        self._http = ClientSession(timeout=ClientTimeout(total=2))
        self._task = asyncio.create_task(self._run())

    async def total(self) -> Counter[str]:
        """Of all servers, up to now."""
        await self._look()
        return sum(self._lives.values(), Counter())

    async def of(self, server: ServerProcess) -> Counter[str]:
        return await samples(self._http, server.url)

    async def grew(self, name: str, before: Counter[str]) -> float:
        """By how much, as soon as it did at all; 0: it did not for a long time."""

        async def growth() -> float:
            return (await self.total())[name] - before[name]

        with suppress(AssertionError):
            return float(await eventually(growth, within=PATIENCE_SECONDS))
        return 0.0

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self._http.close()

    async def _run(self) -> None:
        while True:
            await self._look()
            await asyncio.sleep(EVERY_SECONDS)

    async def _look(self) -> None:
        await asyncio.gather(*(self._look_at(each) for each in self._scene.servers))

    async def _look_at(self, instance: ServerProcess) -> None:
        pid = instance.pid
        if found := await samples(self._http, instance.url):
            self._lives[pid] = found
