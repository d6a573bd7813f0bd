"""The AsyncAPI document is what it says it is, and has all that the registries have."""

import asyncio
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator

import chatserver
from chatserver.chat.commands import COMMANDS
from chatserver.chat.errors import CODES
from chatserver.chat.events import DURABLE, SIGNALS
from chatserver.gateways.contracts.asyncapi import ack_of, document
from chatserver.gateways.rest import openapi
from chatserver.gateways.rest.table import API
from tests.nodejs import node, web_package
from tests.servers import StartServer

ERROR, WARNING = 0, 1


@pytest.fixture(scope="module")
def contract() -> dict[str, Any]:
    return document(title="test", version="1.2.3")


def validated(contract: dict[str, Any]) -> Any:
    """What npm's @asyncapi/parser makes of it."""
    done = subprocess.run(
        [node(), str(Path(__file__).with_name("validate.mjs"))],
        input=json.dumps(contract),
        env={**os.environ, "WEB_PACKAGE": str(web_package())},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return json.loads(done.stdout)


def test_the_official_parser_finds_nothing_wrong(contract: dict[str, Any]) -> None:
    found = validated(contract)
    wrong = [each for each in found["complaints"] if each["severity"] in (ERROR, WARNING)]
    assert wrong == []
    received = {name for name, action in found["operations"] if action == "receive"}
    sent = {name for name, action in found["operations"] if action == "send"}
    assert received == {"connect", *COMMANDS}
    assert sent == {*map(str, DURABLE), *SIGNALS}


def test_the_official_parser_would_find_something(contract: dict[str, Any]) -> None:
    broken = json.loads(json.dumps(contract))
    del broken["channels"]["chat"]["messages"]["welcome"]
    broken["operations"]["send_message"]["action"] = "accept"
    wrong = validated(broken)["complaints"]
    assert {each["at"].split(".")[1] for each in wrong if each["severity"] == ERROR} >= {
        "connect",  # which `welcome` answers
        "send_message",
    }


def test_every_payload_is_a_json_schema_that_lets_nothing_undeclared_through(
    contract: dict[str, Any],
) -> None:
    for name, schema in contract["components"]["schemas"].items():
        OAS31Validator.check_schema(schema)
        if schema.get("type") == "object" and name != "ConnectAuth":
            assert schema["additionalProperties"] is False, name


def test_every_client_event_is_acked_when_it_is_done_or_refused(contract: dict[str, Any]) -> None:
    for name in COMMANDS:
        answers = contract["operations"][name]["reply"]["messages"]
        named = [each["$ref"].rpartition("/")[2] for each in answers]
        assert named == [ack_of(name), "refused"]


def test_every_code_of_an_error_is_listed(contract: dict[str, Any]) -> None:
    assert contract["components"]["schemas"]["ErrorCode"]["enum"] == list(CODES)


def test_both_contracts_describe_what_they_share_in_the_same_words(
    contract: dict[str, Any],
) -> None:
    events = contract["components"]["schemas"]
    rest = openapi.document([API], title="test", version="1.2.3")["components"]["schemas"]
    rest["Event"].pop("discriminator")  # OpenAPI's own way to say what `oneOf` says
    shared = events.keys() & rest.keys()
    assert {"Event", "ErrorCode", "Session", "Reply", "Summary", "MessageCreated"} <= shared
    for name in shared:
        assert events[name] == rest[name], name


async def test_anybody_may_read_it_from_a_server(server: StartServer) -> None:
    running = await server(app_name="Tea room")
    served = await running.rest("GET", "/api/v1/asyncapi.json")
    assert served == await asyncio.to_thread(
        document, title="Tea room", version=chatserver.__version__
    )
