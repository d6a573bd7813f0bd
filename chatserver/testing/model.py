"""A language model's endpoint on a real socket, for tests of whoever talks to one."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import orjson
from aiohttp import web

from chatserver.testing.behaviour import Behaviour, Refuse, Silence, Speak, unauthorized
from chatserver.testing.speech import speak, speak_at_once, wait_for_ever


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One request as it came in, without its key."""

    path: str
    body: Any
    headers: dict[str, str]
    key_matched: bool | None
    """All that is left of the key; None where none was brought."""


class FakeModel:
    """OpenAI's `POST /v1/chat/completions` and `GET /v1/models` on a loopback port.

    Each completion takes the next behaviour of the script; when it is used up, `default` holds,
    which may be a function that chooses by the request, as where several ask one model at once.
    With a `key`, requests that bring another are answered 401 and use up nothing.

        async with FakeModel(rate_limited(1), Speak(("Hi",))) as model:
            ...  # talk to model.base_url
    """

    def __init__(
        self,
        *script: Behaviour,
        default: Behaviour | Callable[[ModelRequest], Behaviour] | None = None,
        key: str | None = None,
        name: str = "fake-model",
    ) -> None:
        self.name = name
        self.requests: list[ModelRequest] = []
        """The completions that were asked for, in order."""
        self.open_streams = 0
        """Completions that this end still works on: neither answered nor given up by the client."""
        self._script = deque(script)
        self._default = default or Speak()
        self._key = key
        self._base_url: str | None = None
        application = web.Application(client_max_size=64 * 2**20)
        application.router.add_post("/v1/chat/completions", self._complete)
        application.router.add_get("/v1/models", self._models)
        # The handler of a client that left is cancelled, so that what hangs is seen to end.
        self._runner = web.AppRunner(
            application, handler_cancellation=True, shutdown_timeout=0.1, access_log=None
        )

    @property
    def base_url(self) -> str:
        """Ends in `/v1`. Raises RuntimeError before the server runs."""
        if self._base_url is None:
            raise RuntimeError("enter the context first")
        return self._base_url

    @property
    def connections(self) -> int:
        """Those that clients keep open, between requests too."""
        server = self._runner.server
        return len(server.connections) if server is not None else 0

    def then(self, *behaviours: Behaviour) -> "FakeModel":
        """Adds to the script."""
        self._script.extend(behaviours)
        return self

    async def __aenter__(self) -> "FakeModel":
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self._base_url = f"http://{host}:{port}/v1"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._runner.cleanup()

    async def _models(self, request: web.Request) -> web.Response:
        if self._key is not None and not self._key_matches(request):
            return _refusal(unauthorized())
        model = {"id": self.name, "object": "model", "created": 0, "owned_by": "tests"}
        return web.json_response({"object": "list", "data": [model]})

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        body = orjson.loads(await request.read())
        matched = self._key_matches(request)
        headers = {n: v for n, v in request.headers.items() if n.lower() != "authorization"}
        asked = ModelRequest(request.path, body, headers, matched)
        self.requests.append(asked)
        if self._key is not None and not matched:
            return _refusal(unauthorized())
        behaviour = self._next(asked)
        self.open_streams += 1
        try:
            return await self._behave(behaviour, request, body)
        finally:
            self.open_streams -= 1

    def _next(self, asked: ModelRequest) -> Behaviour:
        if self._script:
            return self._script.popleft()
        return self._default(asked) if callable(self._default) else self._default

    async def _behave(
        self, behaviour: Behaviour, request: web.Request, body: Any
    ) -> web.StreamResponse:
        if isinstance(behaviour, Refuse):
            return _refusal(behaviour)
        if isinstance(behaviour, Silence):
            await wait_for_ever()
        if not body.get("stream"):
            return await speak_at_once(behaviour, request, self.name)
        options = body.get("stream_options") or {}
        counts = bool(options.get("include_usage"))
        return await speak(behaviour, request, self.name, counts=counts)

    def _key_matches(self, request: web.Request) -> bool | None:
        brought = request.headers.get("Authorization")
        if brought is None:
            return None
        return self._key is None or brought == f"Bearer {self._key}"


def _refusal(refusal: Refuse) -> web.Response:
    return web.json_response(refusal.body(), status=refusal.status, headers=refusal.headers)
