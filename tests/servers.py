"""The real application, in the test's own process and event loop, on a free port."""

from pathlib import Path
from typing import Any, Protocol

from aiohttp import ClientSession, web, web_app

from chatserver.app import SERVER, create_app
from chatserver.bots.model import ModelBotFactory
from chatserver.chat.ports import Bot
from chatserver.chat.service import ChatService
from chatserver.settings import Settings
from chatserver.store.open import SqliteDatabase, database_at
from tests.schema import lay

FAST: dict[str, Any] = {
    "host": "127.0.0.1",
    "port": 0,
    "default_bot": "echo",
    "words_per_second": 1000.0,
    "titles": False,
    "events_per_second": 100_000.0,
    "events_burst": 100_000,
    "connections_per_address": 10_000,
    "tokens_per_minute": 100_000,
    "requests_per_second": 100_000.0,
    "log_format": "json",
    "log_level": "warning",
}
"""A server without pauses for thought, whose rates no test reaches unless it lowers them."""

ALONE: dict[str, Any] = {"bots_file": None, "openai_key": None, "hugging_face_model": None}
"""No bot of the machine's that runs the tests."""


def settings_for_test(database: Path, **changed: Any) -> Settings:
    """Settings for a test; nothing of the machine's environment but what it sets explicitly."""
    values = {**ALONE, **FAST, "database_url": f"sqlite:///{database}", **changed}
    return Settings(_env_file=None, **values)


class Reachable:
    """A server seen from outside."""

    url: str

    async def token(self, name: str = "Ada") -> str:
        """A guest's token, got over REST as any program would."""
        return str((await self.rest("POST", "/api/v1/tokens", {"name": name}))["token"])

    async def rest(
        self, method: str, path: str, payload: Any = None, *, token: str | None = None
    ) -> Any:
        """The answer to a request that succeeds."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with (
            ClientSession(headers=headers) as http,
            http.request(method, self.url + path, json=payload) as answer,
        ):
            assert answer.status < 300, (answer.status, await answer.text())
            return await answer.json() if answer.status != 204 else None


class RunningServer(Reachable):
    """A server that answers at `url` until `stop`."""

    size = 1
    """How many it really is; limits are kept by each."""

    def __init__(self, app: web.Application, settings: Settings) -> None:
        self.app = app
        self.settings = settings
        self.url = ""
        # Whoever still polls is not waited for.
        self._runner = web.AppRunner(app, shutdown_timeout=1)

    async def start(self) -> None:
        database = database_at(self.settings.database_url)
        if isinstance(database, SqliteDatabase):
            lay(database.path)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.settings.host, self.settings.port)
        await site.start()
        host, port = self.address
        self.url = f"http://{host}:{port}"

    async def stop(self) -> None:
        # As `serve` does, before the port is closed.
        await self._runner.app.shutdown()
        await self._runner.cleanup()
        # aiohttp keeps every application for ever: hundreds of MB by the end of a run.
        web_app._cached_build_middleware.cache_clear()

    @property
    def address(self) -> tuple[str, int]:
        """What it listens on."""
        host, port = self._runner.addresses[0][:2]
        return host, port

    @property
    def service(self) -> ChatService:
        """The use cases, for what a test needs beside the way that it tests."""
        return self.app[SERVER].service

    async def token(self, name: str = "Ada") -> str:
        """A guest's token."""
        return (await self.service.issue_token(name)).token


class StartServer(Protocol):
    """Starts one more server; a second on the same `database` sees what the first stored."""

    async def __call__(
        self,
        *,
        database: Path | None = None,
        bots: list[Bot] | None = None,
        model_bots: ModelBotFactory | None = None,
        **settings: Any,
    ) -> RunningServer: ...


async def start_server(
    database: Path,
    bots: list[Bot] | None = None,
    model_bots: ModelBotFactory | None = None,
    **changed: Any,
) -> RunningServer:
    settings = settings_for_test(database, **changed)
    server = RunningServer(create_app(settings, bots, model_bots), settings)
    await server.start()
    return server
