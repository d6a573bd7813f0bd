"""Many clients that chat by a seeded program, and write down all they do and see."""

import asyncio
import random
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

from aiohttp import ClientSession

from tests.faults.client import Client
from tests.faults.history import History
from tests.faults.member import Member, Standing
from tests.faults.program import Room, rooms, steps

TAIL_SECONDS = 20.0
"""Longest that live events may lag behind when nobody says anything any more."""


class Crowd:
    """Between `start` and `close`. The same seed makes the same program of operations.

    `clients` (each a participant with one connection) take the transports in turn, and the URLs
    where there are several.
    """

    def __init__(
        self,
        url: str | Sequence[str],
        history: History,
        *,
        seed: int,
        clients: int,
        sessions: int,
        transports: Sequence[str] = ("websocket", "polling"),
        bot: str | None = "echo",
        prompts: float = 0.05,
    ) -> None:
        """`bot` answers in some of the sessions (None: nobody does), where this share of the

        messages asks it.
        """
        self.acked = 0
        self._clients: list[Client] = []
        self._urls = [url] if isinstance(url, str) else list(url)
        self._history = history
        self._seed = seed
        self._count = clients
        self._rooms = rooms(seed, clients, sessions)
        self._transports = transports
        self._bot = bot
        self._prompts = prompts
        self._sessions: dict[int, str] = {}
        self._going = asyncio.Event()
        self._grown = asyncio.Event()

    async def start(self) -> None:
        """Everybody is connected and in their sessions. No fault may happen meanwhile."""
        async with ClientSession() as http:
            tokens = [await self._token(http, number) for number in range(self._count)]
        for number, token in enumerate(tokens):
            name = f"client-{number:03}"
            transport = self._transports[number % len(self._transports)]
            url = self._urls[number // len(self._transports) % len(self._urls)]
            rng = random.Random(f"{self._seed}/chance/{number}")
            member = Member(name, url, token, transport, self._history.client(name), rng)
            program = steps(self._seed, number, self._rooms, self._bot, self._prompts)
            self._clients.append(
                Client(member, program, self._sessions, self._going, self._count_ack)
            )
        await asyncio.gather(*[client.start() for client in self._clients])
        await asyncio.gather(*[self._fill(room) for room in self._rooms])

    async def run(self, seconds: float | None = None, until: asyncio.Event | None = None) -> None:
        """Goes on with the program. Returns after `seconds` or once `until` is set."""
        async with self.talking():
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._while_alive((until or asyncio.Event()).wait())

    @asynccontextmanager
    async def talking(self) -> AsyncIterator[None]:
        """Goes on with the program meanwhile."""
        self._going.set()
        try:
            yield
        finally:
            self._going.clear()

    async def reaches(self, acked: int) -> None:
        """Returns when so many messages were acked in all. To be called while it is `talking`."""
        await self._while_alive(self._count_to(acked))

    async def settle(self, within: float = 120.0) -> list[str]:
        """Brings everything to rest, once all faults are healed.

        Every send is determined, every reply asked for has ended, what is committed has arrived,
        and everybody has joined all their sessions once more. Returns in words what did not come
        to rest in time; the checker will say what that breaks.
        """
        members = [client.member for client in self._clients]
        problems = []
        try:
            async with asyncio.timeout(within):
                await self._while_alive(self._settle())
        except TimeoutError:
            problems.append(f"not at rest within {within} s")
        return problems + [problem for member in members for problem in member.problems]

    async def close(self) -> None:
        await asyncio.gather(*[client.close() for client in self._clients])

    async def _settle(self) -> None:
        clients = self._clients
        await asyncio.gather(*[each.member.until(each.is_determined) for each in clients])
        await asyncio.gather(*[each.see_prompts_ended() for each in clients])
        with suppress(TimeoutError):
            async with asyncio.timeout(TAIL_SECONDS):
                await asyncio.gather(*[self._hear_all(each.member) for each in clients])
        await asyncio.gather(*[each.rejoin() for each in clients])

    async def _hear_all(self, member: Member) -> None:
        """Returns when it has received, live, the newest that anybody knows of."""
        others = [client.member for client in self._clients]
        for room, standing in member.standings.items():
            newest = max(each.standings[room].low for each in others if room in each.standings)
            await member.until(partial(_has_heard, standing, newest))

    async def _while_alive(self, doing: Coroutine[Any, Any, object]) -> None:
        """Does it; a client's defect ends it at once."""
        task = asyncio.create_task(doing)
        clients = [each for client in self._clients for each in client.tasks]
        try:
            await asyncio.wait([task, *clients], return_when=asyncio.FIRST_COMPLETED)
            for each in [*clients, task]:
                if each.done():
                    each.result()
        finally:
            task.cancel()

    async def _token(self, http: ClientSession, number: int) -> str:
        name = {"name": f"Client {number}"}
        async with http.post(f"{self._urls[0]}/api/v1/tokens", json=name) as answer:
            answer.raise_for_status()
            return str((await answer.json())["token"])

    async def _fill(self, room: Room) -> None:
        owner, *guests = [self._clients[number].member for number in room.members]
        settings = {
            "visibility": "private" if room.private else "link",
            "bot": self._bot if room.bot else None,
            "reply_policy": "mention" if room.bot else "off",
        }
        created = await owner.surely("create_session", settings)
        session = self._sessions[room.number] = created["session"]["id"]
        invite = None
        if room.private:
            invite = (await owner.surely("create_invite", {"session_id": session}))["invite"]
        await owner.join(owner.enrol(room.number, session, None))
        await asyncio.gather(
            *[guest.join(guest.enrol(room.number, session, invite)) for guest in guests]
        )

    async def _count_to(self, acked: int) -> None:
        while self.acked < acked:
            self._grown.clear()
            await self._grown.wait()

    def _count_ack(self) -> None:
        self.acked += 1
        self._grown.set()


def _has_heard(standing: Standing, seq: int) -> bool:
    return standing.live is not None and standing.live >= seq
