import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic

import pytest

from chatserver.chat.errors import TooManyInFlight
from chatserver.gateways.rest.waiting import ReplyWaiting
from tests.integration.answers import Answered
from tests.integration.rest.world import Api, Client, World


def ask(api: Api, session_id: str, wait: float, **more: object) -> asyncio.Task[Answered]:
    body = {"text": "How are you?", **more}
    path = f"/sessions/{session_id}/messages?wait={wait}"
    return asyncio.create_task(api.post(path, body))


async def test_send_message_with_wait_returns_the_reply(ada: Api, world: World) -> None:
    question = ask(ada, await ada.session(), 30)
    await world.bot_says("Fine.")
    answered = await question
    assert answered.status == 201
    reply = answered.body["reply"]
    assert (reply["state"], reply["error"]) == ("done", None)
    assert reply["message"]["data"]["text"] == "Fine."
    assert reply["message"]["data"]["reply_to"] == answered.body["message"]["seq"]
    assert reply["message"]["sender"]["kind"] == "bot"


async def test_the_reply_comes_with_its_commit_and_not_at_the_next_look(
    ada: Api, world: World
) -> None:
    question = ask(ada, await ada.session(), 30)
    await world.bot_says("Fine.")
    said = monotonic()
    await question
    assert monotonic() - said < 1


async def test_a_reply_that_failed_says_why(ada: Api, world: World) -> None:
    question = ask(ada, await ada.session(), 30)
    await world.bot_fails()
    answered = await question
    assert answered.status == 201
    reply = answered.body["reply"]
    assert (reply["state"], reply["message"]) == ("failed", None)
    assert reply["error"]["code"] == "no_idea"


async def test_a_reply_stopped_before_its_first_word_ends_the_wait_too(
    ada: Api, world: World
) -> None:
    question = ask(ada, await ada.session(), 30)
    await world.bot_is_stopped_before_its_first_word()
    answered = await question
    assert answered.status == 201
    assert answered.body["reply"]["state"] == "stopped"
    assert answered.body["reply"]["message"] is None


async def test_when_time_is_over_the_message_is_accepted_and_its_reply_can_be_asked_for(
    ada: Api, world: World
) -> None:
    session_id = await ada.session()
    answered = await ask(ada, session_id, 0.05)
    assert (answered.status, answered.body["reply"]["state"]) == (202, "queued")
    location = answered.headers["Location"].removeprefix("/api/v1")
    pending = await ada.get(location)
    assert (pending.status, pending.body["reply"]["state"]) == (202, "queued")
    later = asyncio.create_task(ada.get(f"{location}?wait=30"))
    await world.bot_says("Fine.")
    ended = await later
    assert ended.status == 200
    assert ended.body["reply"]["message"]["data"]["text"] == "Fine."


async def test_a_repeated_question_waits_for_the_same_reply(ada: Api, world: World) -> None:
    session_id = await ada.session()
    first = ask(ada, session_id, 30, client_message_id="one")
    second = ask(ada, session_id, 30, client_message_id="one")
    await world.bot_says("Fine.")
    statuses = sorted([(await first).status, (await second).status])
    assert statuses == [200, 201]
    assert (await first).body["reply"] == (await second).body["reply"]


async def test_where_no_bot_answers_nothing_is_waited_for(ada: Api) -> None:
    session_id = await ada.session(bot=None)
    answered = await ask(ada, session_id, 30)
    assert (answered.status, answered.body["reply"]) == (201, None)
    seq = answered.body["message"]["seq"]
    refused = await ada.get(f"/sessions/{session_id}/messages/{seq}/reply")
    assert (refused.status, refused.body["code"]) == (404, "not_found")


async def test_a_session_that_is_deleted_ends_the_wait(ada: Api, world: World) -> None:
    session_id = await ada.session()
    question = ask(ada, session_id, 30)
    await world.claim()
    assert (await ada.delete(f"/sessions/{session_id}")).status == 204
    answered = await question
    assert (answered.status, answered.body["code"]) == (404, "not_found")


@pytest.mark.parametrize("wait", ["-1", "61", "nan", "inf", "soon", ""])
async def test_a_wait_out_of_bounds_is_refused_and_nothing_is_sent(ada: Api, wait: str) -> None:
    session_id = await ada.session()
    refused = await ada.post(f"/sessions/{session_id}/messages?wait={wait}", {"text": "hello"})
    assert (refused.status, refused.body["field"]) == (422, "wait")
    assert len((await ada.get(f"/sessions/{session_id}/events")).body["events"]) == 2


async def test_a_shutdown_answers_those_who_wait(
    serve: Callable[..., Awaitable[Client]], world: World
) -> None:
    client = await serve()
    ada = await Api(client).named("Ada")
    question = ask(ada, await ada.session(), 60)
    await world.claim()
    assert client.app is not None
    await client.app.shutdown()
    assert (await question).status == 202


async def test_stop_and_retry_are_routes_of_the_reply(ada: Api, world: World) -> None:
    session_id = await ada.session()
    asked = await ask(ada, session_id, 0.01)
    reply_id = asked.body["reply"]["reply_id"]
    replies = f"/sessions/{session_id}/replies"
    stopped = await ada.post(f"{replies}/{reply_id}/stop")
    assert (stopped.status, stopped.body["reply"]["state"]) == (200, "stopped")
    again = await ada.post(f"{replies}/{reply_id}/retry")
    assert (again.status, again.body["reply"]["state"]) == (200, "queued")
    assert again.body["reply"]["reply_id"] != reply_id
    refused = await ada.post(f"{replies}/{reply_id}/retry")
    assert (refused.status, refused.body["code"]) == (409, "conflict")
    assert (await ada.post(f"{replies}/nothing/stop")).status == 404
    await world.bot_says("Fine.")
    seq = asked.body["message"]["seq"]
    reply = (await ada.get(f"/sessions/{session_id}/messages/{seq}/reply")).body["reply"]
    assert (reply["reply_id"], reply["state"]) == (again.body["reply"]["reply_id"], "done")


async def test_places_are_bounded_for_each_and_for_all(ada: Api, bob: Api, world: World) -> None:
    assert ada.participant is not None
    assert bob.participant is not None
    waiting = ReplyWaiting(world.chat, places=3, places_each=2)
    mine, theirs = ada.participant.id, bob.participant.id
    with waiting.place(mine), waiting.place(mine):
        with pytest.raises(TooManyInFlight), waiting.place(mine):
            pass
        with waiting.place(theirs), pytest.raises(TooManyInFlight), waiting.place(theirs):
            pass
    with waiting.place(mine):
        pass


async def test_who_may_not_wait_has_sent_nothing(ada: Api, world: World) -> None:
    session_id = await ada.session()
    questions = [ask(ada, session_id, 60) for _ in range(65)]
    done, pending = await asyncio.wait(questions, return_when=asyncio.FIRST_COMPLETED)
    (refused,) = [task.result() for task in done]
    assert (refused.status, refused.body["code"]) == (429, "too_many_in_flight")
    assert refused.headers["Retry-After"]
    for _ in range(64):
        await world.bot_says("Fine.")
    assert {task.result().status for task in (await asyncio.wait(pending))[0]} == {201}
    assert (await ada.get(f"/sessions/{session_id}")).body["session"]["last_seq"] == 2 + 128
