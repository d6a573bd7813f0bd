import asyncio
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient
from prometheus_client import CollectorRegistry, Counter

from chatserver.gateways import health

Serve = Callable[[web.Application], Awaitable[TestClient[web.Request, web.Application]]]


async def well() -> None:
    return None


async def broken() -> None:
    raise RuntimeError("postgresql://user:password@host is away")


async def stuck() -> None:
    await asyncio.Event().wait()


def app_with(**checks: health.Check) -> web.Application:
    app = web.Application()
    registry = CollectorRegistry()
    Counter("cups_of_tea", "Cups of tea", registry=registry).inc(3)
    health.setup(app, checks=checks, registry=registry)
    return app


async def test_a_server_is_ready_when_all_checks_pass(aiohttp_client: Serve) -> None:
    response = await (await aiohttp_client(app_with(store=well, redis=well))).get("/readyz")
    assert response.status == 200
    assert await response.json() == {"status": "ready", "checks": {"store": "ok", "redis": "ok"}}


@pytest.mark.parametrize("check", [broken, stuck])
async def test_one_failing_check_takes_it_out_of_service(
    aiohttp_client: Serve, check: health.Check, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "CHECK_SECONDS", 0.05)
    client = await aiohttp_client(app_with(store=check, redis=well))
    response = await client.get("/readyz")
    assert response.status == 503
    body = await response.json()
    assert body == {"status": "unavailable", "checks": {"store": "failed", "redis": "ok"}}
    assert (await client.get("/healthz")).status == 200, "it is alive all the same"


async def test_metrics_are_prometheus_text(aiohttp_client: Serve) -> None:
    response = await (await aiohttp_client(app_with())).get("/metrics")
    assert response.status == 200
    assert response.headers["Content-Type"].startswith("text/plain; version=")
    assert "cups_of_tea_total 3.0" in await response.text()
