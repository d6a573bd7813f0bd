"""Each status that the contract lists for an operation can be had. (That there are no others, `Api`
sees to in every test of REST.)
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from chatserver.gateways.rest.table import API, ROUTES
from tests.integration.answers import Answered
from tests.integration.operations import FAILURES, JSON, NOT_JSON, Operations, Pair
from tests.integration.rest.world import Api, Client, World

REST = Operations(
    API,
    {
        "issue_token": {"name": "Eve"},
        "update_session": {"title": "Tea"},
        "send_message": {"text": "hello"},
        "edit_message": {"text": "hello again"},
        "mark_read": {"seq": 1},
    },
)

IDS = {"session_id": "nothing", "seq": "1", "reply_id": "nothing", "bot": "parrot"}
UNFIT = {"session_id": "a%20b", "seq": "0", "reply_id": "a%20b", "bot": "b" * 61}

PROVOKED_FOR_ALL = {400, 401, 403, 404, 406, 422, 429, *NOT_JSON, *FAILURES}
"""Statuses of errors for which a test here asks all operations that list them. (409 has a test for
each operation.)
"""

Serve = Callable[..., Awaitable[Client]]


def test_no_status_of_an_error_is_left_out() -> None:
    REST.require_provoked(PROVOKED_FOR_ALL, {(name, 409) for name in CONFLICTS})


async def test_without_a_token_nothing_that_needs_one_is_answered(anonymous: Api) -> None:
    await REST.assert_all_answer(401, anonymous, IDS)


async def test_a_session_that_is_not_there_is_not_found(ada: Api) -> None:
    await REST.assert_all_answer(404, ada, IDS)


async def test_who_is_not_a_member_is_forbidden(ada: Api, bob: Api) -> None:
    session_id = await ada.session(visibility="link", bot=None)
    await REST.assert_all_answer(403, bob, IDS | {"session_id": session_id})


async def test_a_body_that_is_not_json_is_refused(ada: Api) -> None:
    await REST.assert_all_answer(400, ada, IDS, data=b"{", headers=JSON)
    for status, how in NOT_JSON.items():
        await REST.assert_all_answer(status, ada, IDS, **how)


async def test_what_nobody_can_make_is_not_acceptable(ada: Api) -> None:
    await REST.assert_all_answer(406, ada, IDS, headers={"Accept": "image/png"})


async def test_what_does_not_fit_is_refused(ada: Api) -> None:
    for route in REST.declaring(422):
        how: dict[str, Any] = {}
        if not route.params.model_fields:
            how = {"json": {"unknown": 1}} if route.body else {"params": {"unknown": "1"}}
        await REST.assert_answers(422, ada, route, UNFIT, **how)


async def test_too_many_requests_are_refused(serve: Serve) -> None:
    server = await serve(requests_per_second=0.001, tokens_per_minute=1)
    ada = await Api(server).named("Ada")
    assert (await ada.get("/me")).status == 200
    await REST.assert_all_answer(429, ada, IDS)


async def test_every_operation_may_fail(ada: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    await REST.assert_all_may_fail(ada, IDS, monkeypatch)


# --- 409 -----------------------------------------------------------------------------------------


async def full(ada: Api) -> str:
    """A session with as many members as there may be."""
    session_id = await ada.session(visibility="link", bot=None)
    for name in ("Bob", "Cid", "Dan"):
        joined = await (await ada.named(name)).post(f"/sessions/{session_id}/join")
        assert joined.status == 200
    return session_id


async def too_many_sessions(ada: Api, world: World) -> Answered:
    for _ in range(world.limits.sessions_per_participant):
        await ada.session()
    return await ada.post("/sessions", {})


async def no_room_for_the_new_bot(ada: Api, world: World) -> Answered:
    return await ada.patch(f"/sessions/{await full(ada)}", {"bot": "parrot"})


async def no_room_for_another_bot(ada: Api, world: World) -> Answered:
    return await ada.call("PUT", f"/sessions/{await full(ada)}/bots/parrot")


async def no_room_for_another_person(ada: Api, world: World) -> Answered:
    session_id = await full(ada)
    return await (await ada.named("Eve")).post(f"/sessions/{session_id}/join")


async def too_many_invites(ada: Api, world: World) -> Answered:
    session_id = await ada.session()
    for _ in range(world.limits.invites_per_session):
        assert (await ada.post(f"/sessions/{session_id}/invites")).status == 201
    return await ada.post(f"/sessions/{session_id}/invites")


async def another_message_of_the_same_id(ada: Api, world: World) -> Answered:
    session_id = await ada.session(bot=None)
    await ada.say(session_id, "one", client_message_id="1")
    again = {"text": "two", "client_message_id": "1"}
    return await ada.post(f"/sessions/{session_id}/messages", again)


async def deleted(ada: Api) -> str:
    """Where a message was."""
    session_id = await ada.session(bot=None)
    path = f"/sessions/{session_id}/messages/{await ada.say(session_id, 'hm')}"
    assert (await ada.delete(path)).status == 200
    return path


async def what_was_deleted_is_edited(ada: Api, world: World) -> Answered:
    return await ada.patch(await deleted(ada), {"text": "well"})


async def what_was_deleted_is_deleted(ada: Api, world: World) -> Answered:
    return await ada.delete(await deleted(ada))


async def what_still_waits_is_asked_again(ada: Api, world: World) -> Answered:
    session_id = await ada.session()
    seq = await ada.say(session_id, "hello?")
    reply = (await ada.get(f"/sessions/{session_id}/messages/{seq}/reply")).body["reply"]
    return await ada.post(f"/sessions/{session_id}/replies/{reply['reply_id']}/retry")


async def what_is_whole_is_kept(ada: Api, world: World) -> Answered:
    session_id = await ada.session(bot=None)
    seq = await ada.say(session_id, "hello?")
    return await ada.call("PUT", f"/sessions/{session_id}/messages/{seq}/kept")


CONFLICTS: dict[str, Callable[[Api, World], Awaitable[Answered]]] = {
    "create_session": too_many_sessions,
    "update_session": no_room_for_the_new_bot,
    "join_session": no_room_for_another_person,
    "add_bot": no_room_for_another_bot,
    "create_invite": too_many_invites,
    "send_message": another_message_of_the_same_id,
    "edit_message": what_was_deleted_is_edited,
    "delete_message": what_was_deleted_is_deleted,
    "retry_reply": what_still_waits_is_asked_again,
    "keep_message": what_is_whole_is_kept,
}


@pytest.mark.parametrize("operation", CONFLICTS)
async def test_what_contradicts_the_state_of_things_is_a_conflict(
    ada: Api, world: World, operation: str
) -> None:
    answered = await CONFLICTS[operation](ada, world)
    assert answered.status == 409, answered


# --- what is done --------------------------------------------------------------------------------


async def test_every_status_of_success_can_be_had(ada: Api, bob: Api, world: World) -> None:
    had = {(name, status) async for name, status in everything_is_done(ada, bob, world)}
    assert had == REST.declared_successes()


async def everything_is_done(ada: Api, bob: Api, world: World) -> AsyncIterator[Pair]:
    """Each operation, and the statuses that it was answered with."""
    routes = {route.name: route for route in ROUTES}
    ids = dict(IDS)

    async def done(name: str, api: Api = ada, **how: Any) -> Pair:
        answered = await REST.ask(api, routes[name], ids, **how)
        last.clear()
        last.update(answered.body or {})
        return name, answered.status

    last: dict[str, Any] = {}
    for name in ("issue_token", "renew_token", "get_me", "get_contract", "get_event_contract"):
        yield await done(name)
    yield await done("create_session", json={"visibility": "link"})
    ids["session_id"] = last["session"]["id"]
    yield await done("join_session", bob)
    for name in ("list_sessions", "get_session", "update_session", "list_members"):
        yield await done(name)
    asked: dict[str, Any] = {"json": {"text": "hello?", "client_message_id": "1"}}
    yield await done("send_message", **asked)
    ids["seq"] = str(last["message"]["seq"])
    yield await done("send_message", **asked)
    yield await done("get_reply")
    ids["reply_id"] = last["reply"]["reply_id"]
    await world.bot_says("Hello.")
    yield await done("get_reply")
    yield await done("retry_reply")
    ids["reply_id"] = last["reply"]["reply_id"]
    yield await done("stop_reply")
    yield await done("send_message", params={"wait": "0.01"})
    work = await world.claim()
    await world.stop_in_the_middle(work, "Half an")
    yield await done("get_history")
    cut = [event["seq"] for event in last["events"] if event["data"].get("stopped")]
    message, ids["seq"] = ids["seq"], str(cut[0])
    yield await done("keep_message")
    ids["seq"] = message
    for name in ("mark_read", "edit_message", "delete_message", "summarize_session"):
        yield await done(name)
    for name in ("add_bot", "remove_bot", "create_invite", "revoke_invites"):
        yield await done(name)
    yield await done("leave_session", bob)
    yield await done("delete_session")
    yield await done("revoke_token")
