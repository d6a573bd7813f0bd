"""A REST server on a real store, whose bot says what the test tells it to."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient

from chatserver.chat.desk import ReplyDesk, Work
from chatserver.chat.errors import Draining
from chatserver.chat.events import Signal
from chatserver.chat.limits import Limits
from chatserver.chat.models import BotInfo, Event, Participant, ReplyError
from chatserver.chat.ports import Bot, Commit, ReplyContext, Visitor
from chatserver.chat.service import ChatService
from chatserver.chat.summary import Digest, SummaryMethod
from chatserver.store.sqlite import SqliteStore
from tests.integration.answers import Answered, checked

Client = TestClient[web.Request, web.Application]


class MovableClock:
    """Runs like a real one, from wherever a test has moved it to."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.ahead)

    def monotonic(self) -> float:
        return monotonic() + self.ahead


@dataclass
class RecordingFeed:
    signals: list[Signal] = field(default_factory=list)
    dropped: list[bytes] = field(default_factory=list)

    def signal(self, session_id: str, signal: Signal) -> None:
        self.signals.append(signal)

    def notify(self, participant_id: str, signal: Signal) -> None:
        self.signals.append(signal)

    def close_session(self, session_id: str) -> None:
        pass

    def drop_token(self, digest: bytes) -> None:
        self.dropped.append(digest)

    def reply_left(self, session_id: str, reply_id: str) -> None:
        pass

    async def online(self, session_id: str) -> frozenset[str]:
        return frozenset()

    async def all_online(self, session_id: str) -> frozenset[str]:
        return frozenset()


class Parrot:
    """Known to the server; what it says comes from the test."""

    info = BotInfo(name="parrot", description="says what the test tells it to")

    async def reply(self, context: ReplyContext) -> AsyncIterator[str]:
        yield context.prompt.data["text"]


class Aviary:
    default = "parrot"
    _bot = Parrot()

    def all(self) -> list[BotInfo]:
        return [self._bot.info]

    def get(self, name: str) -> Bot | None:
        return self._bot if name == "parrot" else None


class NoNudge:
    def stop_requested(self, reply_id: str) -> None:
        pass


class NoVisitors:
    """Nobody hears anything: that takes a whole server."""

    def admit(self, token: str, address: str | None) -> AbstractAsyncContextManager[Visitor]:
        raise Draining("there are no visitors here")


class NoDigest:
    async def digest(self, messages: Sequence[Event], asker: str) -> Digest:
        return Digest(
            method=SummaryMethod.EXTRACTIVE,
            text=None,
            topics=["tea"],
            sentiment=None,
            highlights=[],
            covers_from_seq=None,
        )


class World:
    """The service, and the worker's side of it in the test's hands."""

    def __init__(self, store: SqliteStore, limits: Limits) -> None:
        self.clock = MovableClock()
        self.feed = RecordingFeed()
        self.store = store
        self.limits = limits
        self.chat = ChatService(
            store=store,
            feed=self.feed,
            bots=Aviary(),
            nudge=NoNudge(),
            summarizer=NoDigest(),
            clock=self.clock,
            limits=limits,
        )
        self._desk = ReplyDesk(
            store=store,
            feed=self.feed,
            clock=self.clock,
            lease=timedelta(seconds=60),
            window=lambda bot: 4,
            max_takeovers=3,
            limits=limits,
        )
        self._prompted = asyncio.Event()
        store.subscribe(self._on_commit)

    def _on_commit(self, commit: Commit) -> None:
        if commit.prompts:
            self._prompted.set()

    async def claim(self) -> Work:
        """The next reply; waits until somebody asks for one."""
        async with asyncio.timeout(5):
            while (work := await self._desk.claim("test")) is None:
                await self._prompted.wait()
                self._prompted.clear()
        return work

    async def bot_says(self, text: str) -> None:
        await self._desk.finish((await self.claim()).claim, text, 0, stopped=False)

    async def stop_in_the_middle(self, work: Work, said: str) -> None:
        await self._desk.finish(work.claim, said, 0, stopped=True)

    async def bot_is_stopped_before_its_first_word(self) -> None:
        await self.stop_in_the_middle(await self.claim(), "")

    async def bot_fails(self) -> None:
        error = ReplyError(code="no_idea", message="nothing comes to mind", retryable=True)
        await self._desk.fail((await self.claim()).claim, error, "", 0)


@dataclass
class Api:
    """A client of the REST gateway, with a token or without.

    Each answer is held against the contract; `ContractBroken` is raised for what it does not know.
    """

    client: Client
    token: str | None = None
    participant: Participant | None = None

    async def call(self, method: str, path: str, **kwargs: Any) -> Answered:
        headers = dict(kwargs.pop("headers", {}))
        if self.token is not None:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        response = await self.client.request(
            method, f"/api/v1{path}", headers=headers, allow_redirects=False, **kwargs
        )
        return await checked(method, f"/api/v1{path}", response)

    async def get(self, path: str, **kwargs: Any) -> Answered:
        return await self.call("GET", path, **kwargs)

    async def post(self, path: str, json: Any = None, **kwargs: Any) -> Answered:
        return await self.call("POST", path, **({} if json is None else {"json": json}), **kwargs)

    async def patch(self, path: str, json: Any) -> Answered:
        return await self.call("PATCH", path, json=json)

    async def put(self, path: str, json: Any) -> Answered:
        return await self.call("PUT", path, json=json)

    async def delete(self, path: str) -> Answered:
        return await self.call("DELETE", path)

    async def named(self, name: str) -> "Api":
        """A new participant."""
        issued = await Api(self.client).post("/tokens", {"name": name})
        assert issued.status == 201, issued
        who = Participant.model_validate(issued.body["participant"])
        return Api(self.client, issued.body["token"], who)

    async def session(self, **settings: Any) -> str:
        """The id of a new session."""
        made = await self.post("/sessions", settings)
        assert made.status == 201, made
        return str(made.body["session"]["id"])

    async def say(self, session_id: str, text: str, **more: Any) -> int:
        """The `seq` of a new message."""
        sent = await self.post(f"/sessions/{session_id}/messages", {"text": text, **more})
        assert sent.status == 201, sent
        return int(sent.body["message"]["seq"])
