"""What appending costs the store alone, by the number of messages that always wait."""

import asyncio
import itertools
import time
from collections.abc import Callable

from chatserver.chat.limits import Limits
from chatserver.store.open import database_at
from tests.bench.rows import emit
from tests.contract.seeding import draft, seed

BATCHES = (1, 10, 50, 200)
SESSIONS = 50


async def measure_store(url: str, messages: int, database_cpu: Callable[[], float]) -> None:
    """A row for each batch size; CPU of this process and of the database's own."""
    database = database_at(url)
    await asyncio.to_thread(database.migrate)
    store = database.store(Limits(), lambda size, seconds: None)
    store.open()
    for number in range(SESSIONS):
        await seed(store, f"s{number}")
    for size in BATCHES:
        wanted = max(500, messages * size // BATCHES[-1])
        numbers = itertools.count()

        async def send(numbers: "itertools.count[int]" = numbers, wanted: int = wanted) -> None:
            while (number := next(numbers)) < wanted:
                await store.append_message(draft(f"s{number % SESSIONS}", "x" * 150))

        before = time.perf_counter(), time.process_time(), database_cpu()
        await asyncio.gather(*[send() for _ in range(size)])
        after = time.perf_counter(), time.process_time(), database_cpu()
        seconds, ours, theirs = (b - a for a, b in zip(before, after, strict=True))
        emit(
            {
                "bench": "store",
                "database": url.partition(":")[0],
                "batch": size,
                "messages": wanted,
                "messages_per_s": round(wanted / seconds),
                "cpu_us_per_message": round(ours / wanted * 1e6, 1),
                "database_cpu_us_per_message": round(theirs / wanted * 1e6, 1),
            }
        )
    await store.close()
