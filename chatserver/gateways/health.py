"""What machines ask a server: is it alive, may it get traffic, how is it doing."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import orjson
import structlog
from aiohttp import hdrs, web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

Check = Callable[[], Awaitable[None]]
"""Returns where all is well; raises, or takes too long, where it is not."""

CHECK_SECONDS = 2.0

log = structlog.get_logger(__name__)


def setup(
    app: web.Application, *, checks: Mapping[str, Check], registry: CollectorRegistry
) -> None:
    """Adds `/healthz`, `/readyz` and `/metrics`."""
    Health(checks, registry).add_to(app)


class Health:
    def __init__(self, checks: Mapping[str, Check], registry: CollectorRegistry) -> None:
        self._checks = checks
        self._registry = registry

    def add_to(self, app: web.Application) -> None:
        app.router.add_get("/healthz", self._alive)
        app.router.add_get("/readyz", self._ready)
        app.router.add_get("/metrics", self._metrics)

    async def _alive(self, _: web.Request) -> web.Response:
        """Answers as long as the event loop turns; asks nobody else, or a restart would spread."""
        return _json(200, {"status": "alive"})

    async def _ready(self, _: web.Request) -> web.Response:
        """503 where any check fails; the body names each."""
        passed = await asyncio.gather(*(_passes(*each) for each in self._checks.items()))
        ready = all(passed)
        return _json(
            200 if ready else 503,
            {
                "status": "ready" if ready else "unavailable",
                "checks": {
                    name: "ok" if each else "failed"
                    for name, each in zip(self._checks, passed, strict=True)
                },
            },
        )

    async def _metrics(self, request: web.Request) -> web.Response:
        encode, content_type = choose_encoder(request.headers.get(hdrs.ACCEPT, ""))
        return web.Response(
            body=encode(self._registry),
            headers={hdrs.CONTENT_TYPE: content_type, hdrs.CACHE_CONTROL: "no-store"},
        )


async def _passes(name: str, check: Check) -> bool:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            await check()
    except Exception as failure:
        log.warning("not_ready", check=name, error=type(failure).__qualname__)
        return False
    return True


def _json(status: int, body: object) -> web.Response:
    return web.Response(
        status=status,
        body=orjson.dumps(body),
        content_type="application/json",
        headers={hdrs.CACHE_CONTROL: "no-store"},
    )
