"""Requests made up from the contract, valid and not, against the whole server."""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from aiohttp import web
from hypothesis import HealthCheck, settings
from schemathesis.checks import CheckFunction
from schemathesis.generation.case import Case
from schemathesis.specs.openapi.checks import positive_data_acceptance

from chatserver.app import create_app
from chatserver.gateways import chats
from chatserver.gateways.rest.openapi import document
from chatserver.gateways.rest.table import API
from tests.servers import settings_for_test

EXAMPLES = 30
"""For each operation, on top of those that cover each constraint of its parameters."""

ENDS_WHAT_IT_NAMES = {"delete_session", "leave_session", "revoke_token", "delete_chat"}

contract = schemathesis.openapi.from_dict(document([API, chats.API], title="fuzzed", version="0"))
contract.config.generation.update(deterministic=True, no_shrink=True)

# A contract cannot say that a name must not be blank or that a bot must exist: what it calls valid
# may be refused, with a documented status.
UNFIT: list[CheckFunction] = [positive_data_acceptance]


@dataclass
class Target:
    """The server in a thread, and a participant who has something in it."""

    url: str

    def __post_init__(self) -> None:
        self.headers: dict[str, str] = {}
        self.ids: dict[str, Any] = {}

    def renew(self) -> None:
        """A new participant with a session, in which the bot has answered a message."""
        token = self._post("/tokens", {"name": "Ada"})["token"]
        self.headers = {"Authorization": f"Bearer {token}"}
        session_id = self._post("/sessions", {"bot": "echo"})["session"]["id"]
        sent = self._post(f"/sessions/{session_id}/messages?wait=30", {"text": "hello"})
        self.ids = {
            "session_id": session_id,
            "chat_id": session_id,
            "seq": sent["message"]["seq"],
            "reply_id": sent["reply"]["reply_id"],
            "bot": "corpus",
        }

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        response = requests.post(
            f"{self.url}/api/v1{path}", json=body, headers=self.headers, timeout=30
        )
        response.raise_for_status()
        return response.json()


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    database: Path = tmp_path_factory.mktemp("fuzzing") / "chat.db"
    # A session gets a reply for each message that is made up; none may be refused for that.
    app = create_app(
        settings_for_test(
            database, sessions_per_participant=10**6, queued_replies_per_session=10**6
        )
    )
    loop = asyncio.new_event_loop()
    runner = web.AppRunner(app, access_log=None)

    async def start() -> str:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield Target(asyncio.run_coroutine_threadsafe(start(), loop).result(30))
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(30)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


@contract.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_one_that_the_contract_promises(case: Case[Any], target: Target) -> None:
    if not target.ids:
        target.renew()
    fits = case.meta is not None and case.meta.generation.mode.is_positive
    if fits:
        # An id that was made up names nothing; what exists is where the use cases are reached.
        for name in case.path_parameters or {}:
            case.path_parameters[name] = target.ids[name]
    headers = target.headers
    if case.operation.definition.raw["operationId"] in ENDS_WHAT_IT_NAMES:
        target.ids = {}
    response = case.call_and_validate(base_url=target.url, headers=headers, excluded_checks=UNFIT)
    assert not (fits and response.status_code in (401, 404)), "the use case was not reached"
