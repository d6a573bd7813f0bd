"""One load from several processes: each has connections and rooms of its own."""

import asyncio
import multiprocessing
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, Self

from chatserver.loadtest.crowd import Crowd, CrowdPlan, OnProgress
from chatserver.loadtest.errors import LoadError
from chatserver.loadtest.load import Load
from chatserver.loadtest.measured import Measured
from chatserver.loadtest.target import Target

NewLoop = Callable[[], asyncio.AbstractEventLoop]
STOP_SECONDS = 5.0


class Crowds:
    """Like a `Crowd`. Latencies agree because processes of one machine share its clock."""

    def __init__(self, workers: Sequence[multiprocessing.process.BaseProcess]) -> None:
        self._workers = workers
        self._pipes: list[Connection] = []

    @classmethod
    async def open(cls, target: Target, plan: CrowdPlan, processes: int, new_loop: NewLoop) -> Self:
        """Raises `LoadError` like `Crowd.open`. `new_loop` must be a module's function."""
        context = multiprocessing.get_context("spawn")
        workers: list[multiprocessing.process.BaseProcess] = []
        crowds = cls(workers)
        try:
            for part in range(processes):
                ours, theirs = context.Pipe()
                crowds._pipes.append(ours)
                worker = context.Process(
                    target=_work, args=(theirs, target, plan.share(part, processes), new_loop)
                )
                worker.start()
                workers.append(worker)
                theirs.close()
            await asyncio.gather(*[_answer(pipe, None) for pipe in crowds._pipes])
        except BaseException:
            crowds.close()
            raise
        return crowds

    async def run(self, load: Load, on_progress: OnProgress | None = None) -> Measured:
        """What all of them measured together, started at the same moment."""
        count = len(self._pipes)
        so_far = [(0, 0)] * count

        def progress(part: int) -> OnProgress:
            def tell(messages: int, deliveries: int) -> None:
                so_far[part] = messages, deliveries
                if on_progress is not None:
                    on_progress(*map(sum, zip(*so_far, strict=True)))

            return tell

        for part, pipe in enumerate(self._pipes):
            pipe.send(load.share(part, count))
        parts = await asyncio.gather(
            *[_answer(pipe, progress(part)) for part, pipe in enumerate(self._pipes)]
        )
        return Measured.merged(parts)

    def close(self) -> None:
        for pipe in self._pipes:
            pipe.close()
        for worker in self._workers:
            worker.join(STOP_SECONDS)
            if worker.is_alive():
                worker.kill()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await asyncio.to_thread(self.close)


async def _answer(pipe: Connection, on_progress: OnProgress | None) -> Any:
    """The worker's next answer that is no progress. Raises the `LoadError` that it sent."""
    while True:
        try:
            answer = await asyncio.to_thread(pipe.recv)
        except EOFError:
            raise LoadError("worker_lost", "a process of the load generator ended") from None
        match answer:
            case "error", code, message:
                raise LoadError(code, message)
            case "progress", messages, deliveries:
                if on_progress is not None:
                    on_progress(messages, deliveries)
            case _:
                return answer


def _work(pipe: Connection, target: Target, plan: CrowdPlan, new_loop: NewLoop) -> None:
    """A worker's life: opens its crowd, runs every load that it is sent, ends with the pipe."""
    with asyncio.Runner(loop_factory=new_loop) as runner, suppress(EOFError, BrokenPipeError):
        runner.run(_serve(pipe, target, plan))


async def _serve(pipe: Connection, target: Target, plan: CrowdPlan) -> None:
    def progress(messages: int, deliveries: int) -> None:
        pipe.send(("progress", messages, deliveries))

    try:
        async with await Crowd.open(target, plan) as crowd:
            pipe.send("ready")
            while True:
                # In a thread: heartbeats are answered while nothing is sent.
                load = await asyncio.to_thread(pipe.recv)
                pipe.send(await crowd.run(load, progress))
    except LoadError as error:
        pipe.send(("error", error.code, str(error)))
