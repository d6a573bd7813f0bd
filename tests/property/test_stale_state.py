"""Stale state + events == fresh state, whatever several people do at the same time."""

import asyncio
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.property.folding import Folded, Json
from tests.raw import RawClient
from tests.servers import RunningServer, start_server
from tests.waiting import eventually

ACTORS = 3
Op = tuple[str, int, int]

ops: st.SearchStrategy[Op] = st.tuples(
    st.sampled_from(
        [
            "send",
            "send",
            "send",
            "edit",
            "edit and ask",
            "keep",
            "delete",
            "join",
            "leave",
            "rename",
            "policy",
            "add bot",
            "remove bot",
            "read",
            "stop",
            "reconnect",
        ]
    ),
    st.integers(0, ACTORS - 1),
    st.integers(0, 5),
)
# What stands in one list happens at the same time.
histories = st.lists(st.lists(ops, min_size=1, max_size=5), min_size=1, max_size=6)


class Watcher:
    """A member that folds what it is told, and sometimes loses its connection."""

    def __init__(self, server: RunningServer, token: str) -> None:
        self._server = server
        self._token = token
        self.state = Folded()
        self.client: RawClient | None = None
        self._taken = 0
        self._joining = asyncio.Lock()

    async def join(self, session_id: str) -> None:
        """For the first time, or again with the seq it has."""
        async with self._joining:
            await self._join(session_id)

    async def _join(self, session_id: str) -> None:
        if self.client is not None:
            self.fold(session_id)
            await self.client.close()
        self.client = RawClient("watcher")
        await self.client.connect(self._server.url, {"token": self._token})
        self._taken = 0
        after = {"after_seq": self.state.last_seq} if self.state.last_seq else {}
        joined = await self.client.do("join_session", session_id=session_id, **after)
        assert joined["complete"] or not self.state.last_seq
        self.state.start(joined)

    def fold(self, session_id: str) -> int:
        """Takes in everything that arrived; returns the seq it now has."""
        assert self.client is not None
        told = self.client.inbox.everything
        for name, payload in told[self._taken :]:
            if not isinstance(payload, dict) or payload.get("session_id") != session_id:
                continue
            if "seq" in payload and "type" in payload:
                self.state.event(payload)
            elif name == "read_changed":
                self.state.read_changed(payload)
        self._taken = len(told)
        return self.state.last_seq


class World:
    """One server for all examples; each example plays in a session of its own."""

    def __init__(self, loop: asyncio.Runner, folder: Path) -> None:
        self.run = loop.run
        self._folder = folder
        self._numbers = itertools.count()

    async def start(self) -> None:
        self.server = await start_server(self._folder / "chat.db", words_per_second=200.0)
        self.actors = [RawClient(f"actor {n}") for n in range(ACTORS)]
        for actor in self.actors:
            await actor.connect(self.server.url, {"token": await self.server.token(actor.name)})

    async def stop(self) -> None:
        for actor in self.actors:
            await actor.close()
        await self.server.stop()

    async def play(self, history: list[list[Op]]) -> None:
        owner = self.actors[0]
        created = await owner.do("create_session", visibility="link", bot="echo")
        session_id = created["session"]["id"]
        watcher = Watcher(self.server, await self.server.token("watcher"))
        await watcher.join(session_id)
        try:
            for together in history:
                await asyncio.gather(*[self._do(op, session_id, watcher) for op in together])
            await self._settled(session_id, watcher)
        finally:
            if watcher.client is not None:
                await watcher.client.close()
            for actor in self.actors:
                await actor.call("leave_session", {"session_id": session_id})

    async def _do(self, op: Op, session_id: str, watcher: Watcher) -> None:
        name, actor, choice = op
        if name == "reconnect":
            await watcher.join(session_id)
            return
        event, payload = self._event(name, choice, session_id, self.actors[actor])
        # May be refused: edited by another, left already, nothing to stop.
        await self.actors[actor].call(event, {"session_id": session_id, **payload})

    def _event(self, name: str, choice: int, session_id: str, actor: RawClient) -> tuple[str, Json]:
        match name:
            case "send":
                number = next(self._numbers)
                text = f"message {number}" + " and so on" * choice
                return "send_message", {"text": text, "client_message_id": f"{number}"}
            case "edit":
                return "edit_message", {"seq": 3 + choice, "text": f"edited {choice}"}
            case "edit and ask":
                text = f"asked again {choice}"
                return "edit_message", {"seq": 3 + choice, "text": text, "ask_again": True}
            case "keep":
                cut_short = actor.inbox.all("message_created", session_id=session_id, stopped=True)
                return "keep_message", {"seq": cut_short[-1]["seq"] if cut_short else 1}
            case "delete":
                return "delete_message", {"seq": 3 + choice}
            case "join":
                return "join_session", {}
            case "leave":
                return "leave_session", {}
            case "rename":
                return "rename_session", {"title": f"title {choice}"}
            case "policy":
                policy = ("always", "mention", "off")[choice % 3]
                return "update_session", {"reply_policy": policy}
            case "add bot" | "remove bot":
                return name.replace(" ", "_"), {"bot": ("corpus", "echo")[choice % 2]}
            case "read":
                return "mark_read", {"seq": choice}
            case _:
                started = actor.inbox.all("reply_started", session_id=session_id)
                return "stop_reply", {"reply_id": started[-1]["reply_id"] if started else "none"}

    async def _settled(self, session_id: str, watcher: Watcher) -> None:
        """Once nothing is being written any more, the watcher knows what a newcomer learns."""
        client = watcher.client
        assert client is not None

        async def as_fresh() -> bool:
            fresh = await self._fresh(client, session_id)
            if fresh is None:
                return False
            watcher.fold(session_id)
            known = vars(watcher.state)
            different.clear()
            different.update(
                {
                    key: (known[key], value)
                    for key, value in vars(fresh).items()
                    if known[key] != value
                }
            )
            return not different

        different: dict[str, object] = {}
        try:
            await eventually(as_fresh, within=5)
        except AssertionError:
            pytest.fail(f"the watcher and a newcomer do not agree: {different}")

    async def _fresh(self, client: RawClient, session_id: str) -> Folded | None:
        history: Any = await client.do("get_history", session_id=session_id, after_seq=0, limit=200)
        joined = await client.do("join_session", session_id=session_id, after_seq=0)
        assert history["complete"]
        if joined["replies"] or joined["events"] != history["events"]:
            return None
        state = Folded()
        state.start(joined)
        return state


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with asyncio.Runner() as loop:
        world = World(loop, tmp_path_factory.mktemp("world"))
        loop.run(world.start())
        yield world
        loop.run(world.stop())


@settings(
    max_examples=60,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(history=histories)
def test_stale_state_and_the_events_after_it_make_fresh_state(
    world: World, history: list[list[Op]]
) -> None:
    world.run(world.play(history))
