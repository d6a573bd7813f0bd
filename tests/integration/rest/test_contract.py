import re
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from chatserver.chat.commands import COMMANDS
from chatserver.chat.events import DURABLE
from chatserver.gateways.rest.openapi import document
from chatserver.gateways.rest.routes import PREFIX
from chatserver.gateways.rest.table import API, ROUTES
from tests.integration.rest.world import Api, Client


@pytest.fixture(scope="module")
def contract() -> dict[str, Any]:
    return document([API], title="test", version="1.2.3")


def test_the_contract_is_valid_openapi(contract: dict[str, Any]) -> None:
    assert contract["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(contract).validate()


async def test_anybody_may_read_the_contract(anonymous: Api, contract: dict[str, Any]) -> None:
    assert (await anonymous.get("/openapi.json")).body == contract


async def test_the_server_and_the_contract_have_the_same_routes(
    anonymous: Api, contract: dict[str, Any]
) -> None:
    assert served(anonymous.client) == {
        (method.upper(), path)
        for path, operations in contract["paths"].items()
        for method in operations
    }


def served(client: Client) -> set[tuple[str, str]]:
    """What aiohttp routes below the prefix. (HEAD is a part of GET.)"""
    assert client.app is not None
    found = set()
    for resource in client.app.router.resources():
        for route in resource:
            path = route.resource.canonical if route.resource else ""
            if path.startswith("/api/v1") and route.method != "HEAD":
                found.add((route.method, path))
    return found


def test_operations_have_names_of_their_own_and_a_summary(contract: dict[str, Any]) -> None:
    operations = [each for path in contract["paths"].values() for each in path.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z_]+", name) for name in names)
    assert all(operation["summary"] and operation["tags"] for operation in operations)


def test_every_command_has_a_route_but_those_that_need_a_connection() -> None:
    only_live = {"set_typing"}
    under_another_name = {"rename_session": "update_session"}
    served = {route.name for route in ROUTES}
    for name in COMMANDS.keys() - only_live:
        assert under_another_name.get(name, name) in served


def test_the_data_of_every_durable_event_is_described(contract: dict[str, Any]) -> None:
    schemas = contract["components"]["schemas"]
    mapping = schemas["Event"]["discriminator"]["mapping"]
    assert [each["$ref"] for each in schemas["Event"]["oneOf"]] == list(mapping.values())
    described = {
        kind: schemas[ref.rpartition("/")[2]]["properties"]["data"]["$ref"]
        for kind, ref in mapping.items()
    }
    assert described == {
        kind: f"#/components/schemas/{data.__name__}" for kind, data in DURABLE.items()
    }


def test_a_stream_is_described_beside_the_json_of_its_route(contract: dict[str, Any]) -> None:
    operation = contract["paths"]["/api/v1/sessions/{session_id}/events"]["get"]
    assert set(operation["responses"]["200"]["content"]) == {
        "application/json",
        "text/event-stream",
    }
    where = {parameter["name"]: parameter["in"] for parameter in operation["parameters"]}
    assert where == {
        "session_id": "path",
        **dict.fromkeys(("before_seq", "after_seq", "limit", "signals"), "query"),
        "Last-Event-ID": "header",
    }
    assert {"406", "429", "503"} <= operation["responses"].keys()


def test_authentication_is_documented_where_it_is_needed(contract: dict[str, Any]) -> None:
    for route in ROUTES:
        operation = contract["paths"][PREFIX + route.path][route.method.lower()]
        assert ("401" in operation["responses"]) == route.authenticated
        assert ("security" not in operation) == route.authenticated
