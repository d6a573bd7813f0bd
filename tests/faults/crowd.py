"""Many clients that chat by a seeded program, and write down all they do and see."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from aiohttp import ClientSession

from tests.faults.client import Client
from tests.faults.history import History
from tests.faults.program import Room, rooms, steps

TAIL_SECONDS = 20.0
"""Longest that live events may lag behind when nobody says anything any more."""


class Crowd:
    """Between `start` and `close`. The same seed makes the same program of operations.

    `clients` (each a participant with one connection) share the transports in turn.
    """

    def __init__(
        self,
        url: str,
        history: History,
        *,
        seed: int,
        clients: int,
        sessions: int,
        transports: Sequence[str] = ("websocket", "polling"),
        bot: str | None = "echo",
    ) -> None:
        """`bot` answers in some of the sessions; None: nobody does."""
        self.acked = 0
        self.clients: list[Client] = []
        self._url = url
        self._history = history
        self._seed = seed
        self._count = clients
        self._rooms = rooms(seed, clients, sessions)
        self._transports = transports
        self._bot = bot
        self._sessions: dict[int, str] = {}
        self._going = asyncio.Event()
        self._grown = asyncio.Event()

    async def start(self) -> None:
        """Everybody is connected and in their sessions. No fault may happen meanwhile."""
        async with ClientSession() as http:
            tokens = [await self._token(http, number) for number in range(self._count)]
        for number, token in enumerate(tokens):
            name = f"client-{number:03}"
            self.clients.append(
                Client(
                    name,
                    self._url,
                    token,
                    self._transports[number % len(self._transports)],
                    self._history.client(name),
                    steps=steps(self._seed, number, self._rooms, self._bot),
                    sessions=self._sessions,
                    going=self._going,
                    acked=self._count_ack,
                    seed=self._seed,
                )
            )
        await asyncio.gather(*[client.start() for client in self.clients])
        await asyncio.gather(*[self._fill(room) for room in self._rooms])

    async def run(self, seconds: float | None = None, until: asyncio.Event | None = None) -> None:
        """Goes on with the program. Returns after `seconds` or once `until` is set."""
        self._going.set()
        try:
            async with asyncio.timeout(seconds):
                await self._while_alive(until.wait() if until else asyncio.Event().wait())
        except TimeoutError:
            pass
        finally:
            self._going.clear()

    async def reaches(self, acked: int) -> None:
        """Goes on until so many messages were acked in all."""
        done = asyncio.Event()

        async def count() -> None:
            while self.acked < acked:
                self._grown.clear()
                await self._grown.wait()
            done.set()

        counting = asyncio.create_task(count())
        try:
            await self.run(until=done)
        finally:
            counting.cancel()

    async def settle(self, within: float = 120.0) -> list[str]:
        """Brings everything to rest, once all faults are healed.

        Every send is determined, every reply asked for has ended, what is committed has arrived,
        and everybody has joined all their sessions once more. Returns in words what did not come
        to rest in time; the checker will say what that breaks.
        """
        try:
            async with asyncio.timeout(within):
                await self._while_alive(self._settle())
        except TimeoutError:
            for client in self.clients:
                if not client.determined:
                    client.problems.append(f"{client.name} still has sends without an answer")
            self._problem(f"not at rest within {within} s")
        return [problem for client in self.clients for problem in client.problems]

    async def close(self) -> None:
        await asyncio.gather(*[client.close() for client in self.clients])

    async def _settle(self) -> None:
        everybody = self.clients
        await asyncio.gather(*[client.until(lambda c=client: c.determined) for client in everybody])
        await asyncio.gather(*[client.see_prompts_ended() for client in everybody])
        with suppress(TimeoutError):
            async with asyncio.timeout(TAIL_SECONDS):
                await asyncio.gather(*[self._tail(client) for client in everybody])
        await asyncio.gather(*[client.rejoin() for client in everybody])

    async def _tail(self, client: Client) -> None:
        """Returns when it has received, live, what anybody has."""
        for room, standing in client.standings.items():
            newest = max(
                other.standings[room].low for other in self.clients if room in other.standings
            )
            await client.until(lambda s=standing, n=newest: s.live is not None and s.live >= n)

    async def _while_alive(self, doing: "asyncio._CoroutineLike[object]") -> None:
        """Does it; a client's defect ends it at once."""
        task = asyncio.ensure_future(doing)
        clients = [each for client in self.clients for each in client.tasks]
        try:
            await asyncio.wait([task, *clients], return_when=asyncio.FIRST_COMPLETED)
            for each in clients:
                if each.done():
                    each.result()
            task.result()
        finally:
            task.cancel()

    async def _token(self, http: ClientSession, number: int) -> str:
        name = {"name": f"Client {number}"}
        async with http.post(f"{self._url}/api/v1/tokens", json=name) as answer:
            answer.raise_for_status()
            return str((await answer.json())["token"])

    async def _fill(self, room: Room) -> None:
        owner, *guests = [self.clients[number] for number in room.members]
        session = self._sessions[room.number] = await owner.create(
            room.number,
            visibility="private" if room.private else "link",
            bot=self._bot if room.bot else None,
            reply_policy="mention" if room.bot else "off",
        )
        invite = await owner.invite(room.number) if room.private else None
        await asyncio.gather(
            *[guest.join(guest.enrol(room.number, session, invite)) for guest in guests]
        )

    def _count_ack(self) -> None:
        self.acked += 1
        self._grown.set()

    def _problem(self, problem: str) -> None:
        self.clients[0].problems.append(problem)
