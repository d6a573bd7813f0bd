"""Fixtures for everybody: real servers, in this process or as children, and raw clients."""

import asyncio
import itertools
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from chatserver.bots.model import ModelBotFactory
from chatserver.chat.ports import Bot
from tests.balancer import NAMES
from tests.fleet import BALANCERS, Arrangement, start_fleet
from tests.postgres import QUICK, PostgresServer
from tests.processes import ServerProcess, StartProcess
from tests.raw import RawClient
from tests.redis_server import RedisServer
from tests.servers import RunningServer, StartServer, start_server

Connect = Callable[..., Awaitable[RawClient]]
SEED_OPTION = "--hypothesis-seed"

# How long an example takes says more about the machine's load than about the code.
settings.register_profile("chatserver", deadline=None, print_blob=True)
settings.load_profile("chatserver")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--behind",
        metavar="BALANCER-N",
        choices=[f"{kind}-{count}" for kind in BALANCERS for count in range(1, len(NAMES) + 1)],
        help="run the protocol's tests on so many instances behind this balancer, over each "
        "transport; for example: pytest --behind haproxy-3 tests/integration/protocol",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Draws the seed of all random runs where none is given, so that it can be shown."""
    if config.getoption(SEED_OPTION) is None:
        config.option.hypothesis_seed = str(secrets.randbits(32))


def pytest_report_header(config: pytest.Config) -> str:
    return f"random runs: {SEED_OPTION}={config.getoption(SEED_OPTION)}"


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server for all tests of a run that do it no harm."""
    server = PostgresServer(*QUICK)
    server.start()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def shared_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis for all tests of a run that do it no harm."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def backend() -> str:
    """Where servers keep everything: "sqlite", "postgres"; or an arrangement such as "haproxy-3".

    That is so many instances on PostgreSQL and Redis, behind a load balancer. See `tests.fleet`.
    """
    return "sqlite"


@pytest.fixture
async def server(
    backend: str, request: pytest.FixtureRequest, tmp_path: Path
) -> AsyncIterator[StartServer]:
    """Starts servers in this process, each on a fresh SQLite file unless told which.

    On PostgreSQL, each file stands for a database. In an arrangement, each "server" is all of it.
    """
    arrangement = Arrangement.named(backend)
    running: list[RunningServer] = []
    urls: dict[Path, str] = {}
    postgres: PostgresServer | None = (
        None if backend == "sqlite" else request.getfixturevalue("postgres")
    )

    async def start(
        *,
        database: Path | None = None,
        bots: list[Bot] | None = None,
        model_bots: ModelBotFactory | None = None,
        **settings: Any,
    ) -> RunningServer:
        path = database or tmp_path / f"chat-{len(running)}.db"
        if postgres is not None:
            if path not in urls:
                urls[path] = await postgres.fresh()
            settings["database_url"] = urls[path]
        if arrangement is None:
            running.append(await start_server(path, bots, model_bots, **settings))
        else:
            redis = request.getfixturevalue("shared_redis").url
            fleet = start_fleet(arrangement, bots, model_bots, redis_url=redis, **settings)
            running.append(await fleet)
        return running[-1]

    yield start
    for one in reversed(running):
        await one.stop()
    for url in urls.values():
        assert postgres is not None
        await postgres.give_back(url)


@pytest.fixture
def transports() -> tuple[str, ...]:
    """How `connect` does it; the tests of the protocol are run over each."""
    return ("websocket",)


@pytest.fixture
async def connect(transports: tuple[str, ...]) -> AsyncIterator[Connect]:
    """Connects raw Socket.IO clients: `await connect(server, "Ada")`, or with a `token=`."""
    async with raw_clients(transports) as start:
        yield start


@asynccontextmanager
async def raw_clients(transports: tuple[str, ...] = ("websocket",)) -> AsyncIterator[Connect]:
    """They are closed in the end."""
    clients: list[RawClient] = []

    async def start(
        server: RunningServer | ServerProcess, name: str = "Ada", *, token: str = "", **how: Any
    ) -> RawClient:
        client = RawClient(name, **how)
        clients.append(client)
        auth = {"token": token or await server.token(name)}
        await client.connect(server.url, auth, transports=transports)
        return client

    yield start
    ends = await asyncio.gather(*(client.close() for client in clients), return_exceptions=True)
    for failure in filter(None, ends):
        raise failure


@pytest.fixture
def server_process(tmp_path: Path) -> Iterator[StartProcess]:
    """Starts servers as child processes; ends those that still run."""
    started: list[ServerProcess] = []
    numbers = itertools.count()

    def start(*, database: Path | None = None, **settings: Any) -> ServerProcess:
        number = next(numbers)
        process = ServerProcess(
            database or tmp_path / f"process-{number}.db",
            tmp_path / f"process-{number}.log",
            **settings,
        )
        started.append(process)
        process.start()
        return process

    yield start
    for process in started:
        process.kill()
