"""Asks operations for each status that the contract lists for them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import pytest

from chatserver.chat.errors import Unavailable
from chatserver.gateways.rest.dispatch import Dispatcher
from chatserver.gateways.rest.openapi import errors_of
from chatserver.gateways.rest.routes import Api, Route
from tests.integration.answers import Answered

JSON = {"Content-Type": "application/json"}

NOT_JSON: dict[int, dict[str, Any]] = {
    413: {"data": b" " * 70_000, "headers": JSON},
    415: {"data": b"{}", "headers": {"Content-Type": "text/plain"}},
}
"""Requests with a body that is not even looked into, by the status of their refusal."""

FAILURES: dict[int, Exception] = {500: RuntimeError("a defect"), 503: Unavailable("not now")}
"""What any operation may fail with, by status."""

Pair = tuple[str, int]
"""The name of an operation, and a status."""


class Caller(Protocol):
    async def call(self, method: str, path: str, **kwargs: Any) -> Answered: ...


@dataclass(frozen=True)
class Operations:
    """Those of an API."""

    api: Api
    bodies: Mapping[str, dict[str, Any]]
    """What operations need that need something, by name."""
    prefix: str = ""
    """What the paths of its callers begin with."""

    def declared_errors(self) -> set[Pair]:
        return {
            (route.name, int(self.api.errors.status_of(error)))
            for route in self.api.routes
            for error in errors_of(route, self.api)
        }

    def declared_successes(self) -> set[Pair]:
        return {(route.name, status) for route in self.api.routes for status in route.answers}

    def declaring(self, status: int) -> list[Route]:
        """Those that may be refused so; there are some."""
        errors = self.declared_errors()
        found = [route for route in self.api.routes if (route.name, status) in errors]
        assert found, status
        return found

    def require_provoked(self, for_all: Iterable[int], pairs: Iterable[Pair]) -> None:
        """Whether no more errors are declared than these, the first wherever they are declared."""
        beyond = {pair for pair in self.declared_errors() if pair[1] not in for_all}
        assert beyond == set(pairs), beyond ^ set(pairs)

    async def ask(
        self, caller: Caller, route: Route, ids: Mapping[str, str], **how: Any
    ) -> Answered:
        if route.body is not None and "data" not in how:
            how.setdefault("json", self.bodies.get(route.name, {}))
        path = self.prefix + route.path.format_map(ids)
        return await caller.call(route.method, path, **how)

    async def assert_answers(
        self, status: int, caller: Caller, route: Route, ids: Mapping[str, str], **how: Any
    ) -> None:
        answered = await self.ask(caller, route, ids, **how)
        assert answered.status == status, (route.name, answered)

    async def assert_all_answer(
        self, status: int, caller: Caller, ids: Mapping[str, str], **how: Any
    ) -> None:
        """All that declare the status."""
        for route in self.declaring(status):
            await self.assert_answers(status, caller, route, ids, **how)

    async def assert_all_may_fail(
        self, caller: Caller, ids: Mapping[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """With each of `FAILURES`."""
        for status, error in FAILURES.items():

            async def fail(*_: object, error: Exception = error) -> None:
                raise error

            monkeypatch.setattr(Dispatcher, "_call", fail)
            await self.assert_all_answer(status, caller, ids)
