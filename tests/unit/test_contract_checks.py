"""The checks that hold servers against their contracts: each is seen to fail."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chatserver.chat.commands import COMMANDS, Command, Nothing
from chatserver.chat.errors import CODES, Busy
from chatserver.chat.events import SIGNALS, TypingChanged
from chatserver.chat.models import Participant, ParticipantKind
from chatserver.gateways.contracts import asyncapi
from chatserver.gateways.rest import openapi
from tests.contracts import APIS, ContractBroken, EventContract, RestContract, event_contract

ADA = Participant(id="p1", name="Ada", kind=ParticipantKind.USER)
TYPING = TypingChanged(session_id="s1", participant=ADA, typing=True).wire()
BUSY = Busy("two replies wait", waiting=2).wire()
ME = {"participant": ADA.wire(), "expires_at": "2026-01-01T00:00:00Z"}
JSON = {"Content-Type": "application/json"}
PROBLEM = {"Content-Type": "application/problem+json"}
DETAIL = {"detail": "no such chat"}


def made_now() -> EventContract:
    """From the registries as a test has them."""
    return EventContract(asyncapi.document(title="test", version="1"))


def rest_contract(change: Callable[[dict[str, Any]], None] = lambda _: None) -> RestContract:
    document = copy.deepcopy(openapi.document(APIS, title="test", version="1"))
    change(document)
    return RestContract(document, APIS)


def test_what_is_declared_passes() -> None:
    contract = event_contract()
    contract.told("typing_changed", TYPING)
    contract.acked("set_typing", {"ok": True, "data": {}})
    contract.acked("set_typing", {"ok": False, "error": BUSY})
    contract.acked("no_such_event", {"ok": False, "error": BUSY})
    contract.refused({"message": "no", "data": BUSY})


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        ("kettle_boiled", {}),
        ("send_message", {"session_id": "s1", "text": "hi", "client_message_id": "1"}),
        ("typing_changed", TYPING | {"device": "phone"}),
        ("typing_changed", TYPING | {"typing": "yes"}),
        ("typing_changed", TYPING | {"participant": {**ADA.wire(), "kind": "cat"}}),
        ("typing_changed", {key: TYPING[key] for key in ("session_id", "typing")}),
        ("typing_changed", None),
    ],
)
def test_an_event_that_is_not_declared_so_is_refused(event: str, payload: Any) -> None:
    with pytest.raises(ContractBroken, match=event):
        event_contract().told(event, payload)


@pytest.mark.parametrize(
    ("event", "ack"),
    [
        ("set_typing", {"ok": True, "data": {"since": 1}}),
        ("set_typing", {"ok": True}),
        ("set_typing", {"ok": True, "data": {}, "more": 1}),
        ("set_typing", {"ok": False, "data": {}}),
        ("set_typing", {"ok": False, "error": BUSY | {"code": "out_of_tea"}}),
        ("set_typing", {"ok": False, "error": BUSY | {"waiting": None}}),
        ("mark_read", {"ok": True, "data": {}}),
        ("mark_read", None),
        ("no_such_event", {"ok": True, "data": {}}),
    ],
)
def test_an_ack_that_is_not_declared_so_is_refused(event: str, ack: Any) -> None:
    with pytest.raises(ContractBroken, match=event):
        event_contract().acked(event, ack)


def test_a_registry_with_another_field_makes_a_contract_that_today_breaks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class WithDevice(TypingChanged):
        device: str

    monkeypatch.setitem(SIGNALS, TypingChanged.name, WithDevice)
    with pytest.raises(ContractBroken, match="device"):
        made_now().told("typing_changed", TYPING)


@pytest.fixture
def registries() -> Iterator[None]:
    """As they were afterwards, in their order too: documents are made of them."""
    registries: tuple[dict[Any, Any], ...] = (SIGNALS, COMMANDS, CODES)
    before = [dict(each) for each in registries]
    yield
    for each, had in zip(registries, before, strict=True):
        each.clear()
        each.update(had)


@pytest.mark.usefixtures("registries")
def test_a_registry_that_lacks_something_makes_a_contract_that_today_breaks() -> None:
    del SIGNALS["typing_changed"], COMMANDS["set_typing"], CODES["busy"]
    contract = made_now()
    with pytest.raises(ContractBroken, match="typing_changed"):
        contract.told("typing_changed", TYPING)
    with pytest.raises(ContractBroken, match="set_typing"):
        contract.acked("set_typing", {"ok": True, "data": {}})
    with pytest.raises(ContractBroken, match="busy"):
        contract.refused({"message": "no", "data": BUSY})


def test_another_command_is_another_operation(monkeypatch: pytest.MonkeyPatch) -> None:
    class MakeTea(Command):
        name = "make_tea"
        doc = "a pot for everybody"
        ack = Nothing

        cups: int

    monkeypatch.setitem(COMMANDS, MakeTea.name, MakeTea)
    contract = made_now()
    contract.asked("make_tea", {"cups": 2})
    with pytest.raises(ContractBroken, match="cups"):
        contract.asked("make_tea", {})


def test_an_answer_of_rest_that_is_declared_passes() -> None:
    contract = rest_contract()
    contract.answered("GET", "/api/v1/me", 200, JSON, ME)
    contract.answered("HEAD", "/api/v1/me?x=1", 200, JSON, None)
    contract.answered("DELETE", "/api/v1/tokens/current", 204, {}, None)
    contract.answered("DELETE", "/chats/1", 404, JSON, DETAIL)
    contract.answered("GET", "/chats/1/tea", 404, JSON, DETAIL)


@pytest.mark.parametrize(
    ("method", "path", "status", "headers", "body"),
    [
        ("GET", "/api/v1/me", 201, JSON, ME),
        ("GET", "/api/v1/me", 200, JSON, {}),
        ("GET", "/api/v1/me", 200, JSON, ME | {"mood": "good"}),
        ("GET", "/api/v1/me", 200, {"Content-Type": "text/html"}, ME),
        ("GET", "/api/v1/me", 401, PROBLEM, {}),
        ("DELETE", "/api/v1/tokens/current", 204, JSON, {}),
        ("GET", "/api/v1/tea", 200, JSON, {}),
        ("GET", "/api/v1/tea", 404, PROBLEM, {"code": "not_found"}),
        ("DELETE", "/chats/1", 422, JSON, DETAIL),
        ("DELETE", "/chats/1", 404, JSON, {"code": "not_found"}),
        ("GET", "/chats/1/tea", 404, PROBLEM, DETAIL),
        ("GET", "/chats/1/tea", 400, JSON, DETAIL),
    ],
)
def test_an_answer_of_rest_that_is_not_declared_so_is_refused(
    method: str, path: str, status: int, headers: dict[str, str], body: Any
) -> None:
    with pytest.raises(ContractBroken, match=path):
        rest_contract().answered(method, path, status, headers, body)


def test_an_openapi_document_that_lacks_a_status_or_a_field_breaks() -> None:
    def without_status(document: dict[str, Any]) -> None:
        del document["paths"]["/api/v1/me"]["get"]["responses"]["200"]

    def without_field(document: dict[str, Any]) -> None:
        del document["components"]["schemas"]["Me"]["properties"]["expires_at"]

    for change in (without_status, without_field):
        with pytest.raises(ContractBroken, match="/me"):
            rest_contract(change).answered("GET", "/api/v1/me", 200, JSON, ME)
