"""The ack envelope: every event is answered, whatever it is."""

import json
from typing import Any

import pytest
from structlog.testing import capture_logs

from chatserver.chat.commands import COMMANDS
from chatserver.chat.service import ChatService
from tests.conftest import Connect
from tests.integration.protocol.people import session_of
from tests.servers import StartServer

VALID: dict[str, dict[str, Any]] = {
    "create_session": {},
    "join_session": {},
    "leave_session": {},
    "rename_session": {"title": "x"},
    "update_session": {"title": "x"},
    "add_bot": {"bot": "echo"},
    "remove_bot": {"bot": "echo"},
    "delete_session": {},
    "list_sessions": {},
    "send_message": {"text": "x", "client_message_id": "1"},
    "edit_message": {"seq": 1, "text": "x"},
    "delete_message": {"seq": 1},
    "get_history": {},
    "set_typing": {"typing": True},
    "mark_read": {"seq": 1},
    "get_reply": {"reply_id": "1"},
    "stop_reply": {"reply_id": "1"},
    "retry_reply": {"reply_id": "1"},
    "keep_message": {"seq": 1},
    "summarize_session": {},
    "create_invite": {},
    "revoke_invites": {},
}
"""A well-formed payload for every client event, but for its session."""

OF_A_SESSION = sorted(set(VALID) - {"create_session", "list_sessions"})


def test_every_client_event_is_in_these_tests() -> None:
    assert set(VALID) == set(COMMANDS)


@pytest.mark.parametrize("event", ["make_coffee", "connect_me", "", "Send_Message", "__class__"])
async def test_an_unknown_event_is_refused_and_the_connection_goes_on(
    server: StartServer, connect: Connect, event: str
) -> None:
    ada = await connect(await server())
    error = await ada.refused(event, {})
    assert error["code"] == "unknown_event"
    assert error["retryable"] is False
    await ada.caught_up()


@pytest.mark.parametrize(
    "payload", [None, 7, "text", [], [{}], True, 1.5, (1, 2), ({}, {})], ids=str
)
async def test_a_payload_that_is_no_single_object_is_refused(
    server: StartServer, connect: Connect, payload: object
) -> None:
    ada = await connect(await server())
    for event in VALID:
        assert (await ada.refused(event, payload))["code"] == "invalid_payload", event
    await ada.caught_up()


@pytest.mark.parametrize("event", sorted(VALID))
async def test_an_unknown_field_is_refused_by_name(
    server: StartServer, connect: Connect, event: str
) -> None:
    ada = await connect(await server())
    session_id = await session_of(ada)
    of_session = {"session_id": session_id} if event in OF_A_SESSION else {}
    error = await ada.refused(event, {**of_session, **VALID[event], "colour": "red"})
    assert (error["code"], error["field"]) == ("invalid_payload", "colour")


@pytest.mark.parametrize("event", OF_A_SESSION)
@pytest.mark.parametrize("session_id", [None, 7, "", "x" * 65, "a b", {"$ne": ""}, "\x00"], ids=str)
async def test_a_session_id_of_the_wrong_shape_is_refused_by_name(
    server: StartServer, connect: Connect, event: str, session_id: object
) -> None:
    ada = await connect(await server())
    error = await ada.refused(event, {**VALID[event], "session_id": session_id})
    assert (error["code"], error["field"]) == ("invalid_payload", "session_id")


@pytest.mark.parametrize("event", OF_A_SESSION)
async def test_an_unknown_session_is_not_found(
    server: StartServer, connect: Connect, event: str
) -> None:
    ada = await connect(await server())
    error = await ada.refused(event, {**VALID[event], "session_id": "nowhere"})
    assert error["code"] == "not_found"


@pytest.mark.parametrize(
    ("event", "payload", "field"),
    [
        ("create_session", {"title": 5}, "title"),
        ("create_session", {"title": "x" * 121}, "title"),
        ("create_session", {"title": "a\nb"}, "title"),
        ("create_session", {"visibility": "secret"}, "visibility"),
        ("create_session", {"reply_policy": "never"}, "reply_policy"),
        ("create_session", {"bot": 1}, "bot"),
        ("list_sessions", {"limit": 0}, "limit"),
        ("list_sessions", {"limit": -1}, "limit"),
        ("list_sessions", {"limit": 101}, "limit"),
        ("list_sessions", {"limit": 10**30}, "limit"),
        ("list_sessions", {"before": "not a cursor"}, "before"),
        ("list_sessions", {"scope": "all"}, "scope"),
        ("join_session", {"after_seq": -1}, "after_seq"),
        ("join_session", {"after_seq": 2**53}, "after_seq"),
        ("join_session", {"after_seq": 99}, "after_seq"),
        ("join_session", {"after_seq": "1"}, "after_seq"),
        ("join_session", {"invite": 1}, "invite"),
        ("send_message", {"text": 1, "client_message_id": "a"}, "text"),
        ("send_message", {"text": "a"}, "client_message_id"),
        ("send_message", {"text": "a", "client_message_id": ""}, "client_message_id"),
        ("send_message", {"text": "a", "client_message_id": "x" * 65}, "client_message_id"),
        ("send_message", {"text": "a\x00b", "client_message_id": "a"}, "text"),
        ("send_message", {"text": "a", "client_message_id": "a", "reply_to": 0}, "reply_to"),
        ("send_message", {"text": "a", "client_message_id": "a", "reply_to": 99}, "reply_to"),
        ("send_message", {"text": "a", "client_message_id": "a", "reply_to": 1}, "reply_to"),
        ("edit_message", {"seq": 0, "text": "a"}, "seq"),
        ("edit_message", {"seq": 1.5, "text": "a"}, "seq"),
        ("edit_message", {"seq": True, "text": "a"}, "seq"),
        ("delete_message", {"seq": "1"}, "seq"),
        ("get_history", {"limit": 0}, "limit"),
        ("get_history", {"limit": 201}, "limit"),
        ("get_history", {"before_seq": 0}, "before_seq"),
        ("get_history", {"before_seq": -5}, "before_seq"),
        ("get_history", {"after_seq": 10**20}, "after_seq"),
        ("get_history", {"after_seq": 1, "before_seq": 5}, "after_seq"),
        ("set_typing", {"typing": "yes"}, "typing"),
        ("set_typing", {"typing": 1}, "typing"),
        ("mark_read", {"seq": -1}, "seq"),
        ("get_reply", {}, "reply_id"),
        ("get_reply", {"bot": "echo"}, "reply_id"),
        ("get_reply", {"reply_id": "a", "prompt_seq": 1}, "prompt_seq"),
        ("get_reply", {"reply_id": "a", "bot": "echo"}, "bot"),
        ("get_reply", {"prompt_seq": 0}, "prompt_seq"),
        ("stop_reply", {"reply_id": ""}, "reply_id"),
        ("retry_reply", {"reply_id": None}, "reply_id"),
        ("update_session", {"title": None}, "title"),
        ("update_session", {"visibility": None}, "visibility"),
        ("create_invite", {"expires_in": 1}, "expires_in"),
        ("create_invite", {"expires_in": 10**9}, "expires_in"),
    ],
)
async def test_a_wrong_value_is_refused_by_name_and_nothing_is_stored(
    server: StartServer, connect: Connect, event: str, payload: dict[str, Any], field: str
) -> None:
    ada = await connect(await server())
    session_id = await session_of(ada)
    before = await ada.do("list_sessions")
    of_session = {"session_id": session_id} if event in OF_A_SESSION else {}
    error = await ada.refused(event, {**of_session, **payload})
    assert (error["code"], error["field"]) == ("invalid_payload", field)
    assert await ada.do("list_sessions") == before


async def test_half_a_surrogate_pair_is_refused_and_the_connection_goes_on(
    server: StartServer, connect: Connect
) -> None:
    ada = await connect(await server())
    session_id = await session_of(ada)
    error = await ada.refused(
        "send_message", {"session_id": session_id, "text": "\ud800", "client_message_id": "a"}
    )
    assert error["code"] == "invalid_payload"
    await ada.caught_up()


async def test_changing_nothing_is_refused(server: StartServer, connect: Connect) -> None:
    ada = await connect(await server())
    session_id = await session_of(ada)
    assert (await ada.refused("update_session", {"session_id": session_id}))[
        "code"
    ] == "invalid_payload"


async def test_a_crash_in_a_handler_acks_internal_and_logs_once_with_its_correlation_id(
    server: StartServer,
    connect: Connect,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def crash(*_: object) -> None:
        raise RuntimeError("the secret cause")

    monkeypatch.setattr(ChatService, "summarize_session", crash)
    ada = await connect(await server())
    session_id = await session_of(ada)
    with capture_logs() as logs:
        error = await ada.refused("summarize_session", {"session_id": session_id})
    assert error["code"] == "internal"
    assert error["retryable"] is False
    assert "secret" not in json.dumps(error)
    (logged,) = [entry for entry in logs if "correlation_id" in entry]
    assert logged["correlation_id"] == error["correlation_id"]
    assert logged["log_level"] == "error"
    assert logged["error"].startswith("builtins."), "the cause is in the log"
    assert any(place.endswith(" crash") for place in logged["where"])
    assert "secret" not in json.dumps(logged)
    await ada.caught_up()
