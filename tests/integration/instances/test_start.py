"""Starting with a REDIS_URL that is wrong, or whose server is away."""

from pathlib import Path

from aiohttp import ClientSession

from tests.conftest import Connect
from tests.forked import run_forked
from tests.integration.instances.conftest import StartInstances
from tests.processes import environment
from tests.redis_server import RedisServer
from tests.waiting import eventually


def test_a_wrong_url_ends_the_start_with_a_message_and_touches_nothing(tmp_path: Path) -> None:
    database = tmp_path / "chat.db"
    ended = run_forked(
        ["chatserver", "serve"],
        cwd=tmp_path,
        env=environment(redis_url="http://:s3cret@host", database_url=f"sqlite:///{database}"),
        seconds=60,
    )
    assert ended.returncode == 1
    assert "CHATSERVER_REDIS_URL" in ended.stderr
    assert "redis://" in ended.stderr
    assert "s3cret" not in ended.stderr
    assert not database.exists()


async def test_a_server_works_without_its_redis_and_is_ready_when_it_is_back(
    instances: StartInstances, connect: Connect, own_redis: RedisServer
) -> None:
    (server,) = await instances(1, redis_url=own_redis.url)

    async def ready() -> bool:
        async with ClientSession() as http, http.get(f"{server.url}/readyz") as answer:
            health = await answer.json()
        assert (answer.status == 200) == (health["checks"]["redis"] == "ok"), health
        return answer.status == 200

    async def away() -> bool:
        return not await ready()

    assert await ready()
    own_redis.kill()
    await eventually(away, within=20)
    ada = await connect(server)
    session_id = (await ada.do("create_session"))["session"]["id"]
    await ada.say(session_id, "hello")
    await ada.told("message_created")
    own_redis.start()
    await eventually(ready, within=20)
