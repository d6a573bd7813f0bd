"""Chats over REST: `/chats`, question and answer in one request."""

import asyncio
from datetime import datetime
from typing import Any

import pytest

from chatserver.chat.commands import ListSessions, SessionPage
from chatserver.chat.models import Participant
from chatserver.chat.service import ChatService
from chatserver.testing import ScriptedBot
from tests.integration.answers import Answered
from tests.integration.doors.chats_client import As, Chats
from tests.servers import RunningServer, StartServer
from tests.waiting import eventually

JSON = {"Content-Type": "application/json"}

ROUTES = [
    ("GET", "/messages"),
    ("POST", "/messages"),
    ("GET", "/summary"),
    ("DELETE", ""),
]
"""Those that name a chat."""


@pytest.fixture
async def guest(server: StartServer, client: As) -> Chats:
    return client(await server(guests="private"))


async def told(running: RunningServer, token: str, chat_id: str) -> list[tuple[str, str]]:
    """The same chat as REST has it: who said what."""
    path = f"/api/v1/sessions/{chat_id}/events"
    events = (await running.rest("GET", path, token=token))["events"]
    return [(e["sender"]["kind"], e["data"]["text"]) for e in events if "text" in e["data"]]


def assert_refused(answered: Answered, *statuses: int) -> None:
    assert answered.status in statuses, answered
    assert answered.headers["Content-Type"].startswith("application/json")
    assert answered.body.keys() == {"detail"}
    assert isinstance(answered.body["detail"], str)
    assert answered.body["detail"]


async def test_a_chat_is_started_and_listed_and_deleted(guest: Chats) -> None:
    started = await guest.call("POST", "/chats")
    assert started.status == 201
    assert started.body.keys() == {"id", "created_at"}
    assert datetime.fromisoformat(started.body["created_at"]).utcoffset() is not None
    second = await guest.start()
    listed = await guest.call("GET", "/chats")
    assert listed.status == 200
    assert {each["id"] for each in listed.body} == {started.body["id"], second}
    assert started.body | {"title": ""} in listed.body
    deleted = await guest.call("DELETE", f"/chats/{second}")
    assert (deleted.status, deleted.body) == (204, None)
    assert await guest.ids() == [started.body["id"]]


async def test_all_chats_are_listed_however_many_a_page_has(
    guest: Chats, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatserver.gateways.chats.chats.PAGE", 2)
    chats = [await guest.start() for _ in range(5)]
    assert await guest.ids() == chats[::-1]


async def test_a_chat_that_moves_to_the_front_between_two_pages_is_listed(
    guest: Chats, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatserver.gateways.chats.chats.PAGE", 2)
    chats = [await guest.start() for _ in range(5)]
    list_sessions, busy = ChatService.list_sessions, iter(chats[:3])

    async def and_then_talk(
        service: ChatService, actor: Participant, command: ListSessions
    ) -> SessionPage:
        page = await list_sessions(service, actor, command)
        if (chat := next(busy, None)) is not None:
            await guest.say(chat, "hello")
        return page

    monkeypatch.setattr(ChatService, "list_sessions", and_then_talk)
    assert await guest.ids() == [*chats[2::-1], *chats[:2:-1]]


async def test_a_message_is_answered_with_the_assistants_and_both_are_stored(
    guest: Chats,
) -> None:
    chat_id = await guest.start()
    assert await guest.messages(chat_id) == []
    answered = await guest.say(chat_id, "good morning")
    assert answered.status == 201
    assert answered.body.keys() == {"id", "sender", "content", "timestamp"}
    assert (answered.body["sender"], answered.body["content"]) == ("assistant", "good morning")
    assert datetime.fromisoformat(answered.body["timestamp"]).utcoffset() is not None
    question, answer = await guest.messages(chat_id)
    assert question.keys() == answer.keys()
    assert (question["sender"], question["content"]) == ("user", "good morning")
    assert answer == answered.body
    assert question["id"] != answer["id"]


async def test_a_summary_counts_and_shows_highlights(guest: Chats) -> None:
    chat_id = await guest.start()
    empty = await guest.call("GET", f"/chats/{chat_id}/summary")
    assert (empty.status, empty.body["total_messages"], empty.body["summary"]) == (200, 0, "")
    for text in ("The harbour was wonderful in spring.", "The ferry to the harbour is slow."):
        await guest.say(chat_id, text)
    found = await guest.call("GET", f"/chats/{chat_id}/summary")
    assert found.status == 200
    counts = ("total_messages", "user_message_count", "assistant_message_count")
    assert [found.body[name] for name in counts] == [4, 2, 2]
    assert all(type(found.body[name]) is int for name in counts)
    assert found.body["chat_id"] == chat_id
    assert "harbour" in found.body["summary"]
    assert isinstance(found.body["topics"], list)
    assert "sentiment" in found.body


async def test_an_unknown_or_malformed_id_is_not_found(guest: Chats) -> None:
    deleted = await guest.start()
    await guest.call("DELETE", f"/chats/{deleted}")
    for chat_id in ("nothing", "%00", "a%20b", "%F0%9F%8D%B5", "a" * 65, "a%2Fb", deleted):
        for method, path in ROUTES:
            body = {"json": {"content": "hello"}} if method == "POST" else {}
            assert_refused(await guest.call(method, f"/chats/{chat_id}{path}", **body), 404)


WRONG = {
    b'{"content": ""}': 422,
    b'{"content": " \\n\\t "}': 422,
    b"{}": 422,
    b'{"content": 7}': 422,
    b'{"content": null}': 422,
    b'{"content": ["hello"]}': 422,
    b'{"content": "a\\u0000b"}': 422,
    b'{"content": "\\ud800"}': 422,
    b'{"content": "\xff"}': 422,
    b"": 422,
    b"{": 422,
    b"hello": 422,
    b'["hello"]': 422,
    b'{"content": ' + b"[" * 40 + b"]" * 40 + b"}": 422,
    b'{"content": ' + b"[" * 20_000 + b"]" * 20_000 + b"}": 422,
    b'{"content": "' + b"x" * 20_000 + b'"}': 422,
    b'{"content": "' + b"x" * 70_000 + b'"}': 413,
}


async def test_a_wrong_message_is_refused_and_nothing_is_stored(guest: Chats) -> None:
    chat_id = await guest.start()
    path = f"/chats/{chat_id}/messages"
    for raw, status in WRONG.items():
        assert_refused(await guest.call("POST", path, data=raw, headers=JSON), status)
    assert await guest.messages(chat_id) == []
    assert (await guest.say(chat_id, "hello")).status == 201


async def test_another_content_type_or_method_is_refused(guest: Chats) -> None:
    chat_id = await guest.start()
    path = f"/chats/{chat_id}/messages"
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        refused = await guest.call(
            "POST", path, data=b'{"content": "hello"}', headers={"Content-Type": kind}
        )
        assert_refused(refused, 415)
    refused = await guest.call("PUT", path, json={"content": "hello"})
    assert_refused(refused, 405)
    assert set(refused.headers["Allow"].split(",")) == {"GET", "HEAD", "POST"}
    assert await guest.messages(chat_id) == []
    assert_refused(await guest.call("GET", f"/chats/{chat_id}/nothing"), 404)
    assert_refused(await guest.call("POST", "/chats", json={"title": 7}), 422)
    assert_refused(await guest.call("POST", "/chats", data=b"{", headers=JSON), 422)
    assert await guest.ids() == [chat_id]


async def test_fields_that_are_not_known_are_ignored(guest: Chats) -> None:
    started = await guest.call("POST", "/chats", json={"title": "Tea", "model": "large"})
    assert started.status == 201
    assert [each["title"] for each in (await guest.call("GET", "/chats")).body] == ["Tea"]
    path = f"/chats/{started.body['id']}/messages"
    said = await guest.call("POST", path, json={"content": "hello", "sender": "user"})
    assert (said.status, said.body["content"]) == (201, "hello")


async def test_older_messages_are_asked_for_by_the_id_of_a_message(guest: Chats) -> None:
    chat_id, other = await guest.start(), await guest.start()
    for number in range(3):
        await guest.say(chat_id, str(number))
    everything = await guest.messages(chat_id)
    newest = await guest.messages(chat_id, limit=2)
    assert newest == everything[-2:]
    assert await guest.messages(chat_id, limit=3, before=newest[0]["id"]) == everything[1:4]
    assert await guest.messages(chat_id, before=everything[0]["id"]) == []
    for query in (f"before={other}:1", "before=", "before=x", "limit=0", "limit=501", "after=1"):
        path = f"/chats/{chat_id}/messages?{query}"
        assert_refused(await guest.call("GET", path), 422)


async def test_without_a_token_there_is_nothing_where_guests_are_off(
    server: StartServer, client: As
) -> None:
    nobody = client(await server())
    for method, path in (("POST", "/chats"), ("GET", "/chats"), ("GET", "/chats/x/messages")):
        refused = await nobody.call(method, path)
        assert_refused(refused, 401)
        assert refused.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("guests", ["off", "private", "shared"])
async def test_a_token_that_nobody_issued_is_refused(
    server: StartServer, client: As, guests: str
) -> None:
    stranger = client(await server(guests=guests), token="nobody's")
    refused = await stranger.call("GET", "/chats")
    assert_refused(refused, 401)
    assert "invalid_token" in refused.headers["WWW-Authenticate"]


async def test_everybody_sees_their_own_chats_and_guests_those_of_guests(
    server: StartServer, client: As
) -> None:
    running = await server(guests="shared")
    token = await running.token("Ada")
    ada, bob = client(running, token=token), client(running, token=await running.token("Bob"))
    guest, another = client(running), client(running)
    chats = [await who.start() for who in (ada, bob, guest)]
    assert [await who.ids() for who in (ada, bob, guest)] == [[each] for each in chats]
    assert await another.ids() == [chats[2]]
    for who, foreign in ((bob, chats[0]), (guest, chats[0]), (ada, chats[2])):
        for method, path in ROUTES:
            body = {"json": {"content": "hello"}} if method == "POST" else {}
            assert_refused(await who.call(method, f"/chats/{foreign}{path}", **body), 404)
    assert await ada.said(chats[0]) == []
    # A session that may be joined is no chat of who has not joined it.
    await running.rest(
        "PATCH", f"/api/v1/sessions/{chats[0]}", {"visibility": "public"}, token=token
    )
    assert_refused(await guest.call("GET", f"/chats/{chats[0]}/messages"), 404)


async def test_a_chat_is_a_session_that_other_doors_show_alike(
    server: StartServer, client: As
) -> None:
    running = await server()
    token = await running.token()
    ada = client(running, token=token)
    chat_id = await ada.start()
    await ada.say(chat_id, "by this door")
    path = f"/api/v1/sessions/{chat_id}/messages?wait=30"
    await running.rest("POST", path, {"text": "by another"}, token=token)
    expected = [("user", "by this door"), ("assistant", "by this door")]
    expected += [("user", "by another"), ("assistant", "by another")]
    assert await ada.said(chat_id) == expected
    kinds = {"user": "user", "assistant": "bot"}
    assert await told(running, token, chat_id) == [(kinds[who], text) for who, text in expected]


async def test_guests_have_as_many_chats_as_one_participant(
    server: StartServer, client: As
) -> None:
    guest = client(await server(guests="private", sessions_per_participant=2))
    chats = [await guest.start() for _ in range(2)]
    assert_refused(await guest.call("POST", "/chats"), 409)
    assert sorted(await guest.ids()) == sorted(chats)
    await guest.call("DELETE", f"/chats/{chats[0]}")
    await guest.start()


async def test_requests_are_limited_by_address_and_by_participant(
    server: StartServer, client: As
) -> None:
    running = await server(
        guests="private", requests_per_second=1.0, trusted_proxies=("127.0.0.0/8",)
    )
    first, second = (client(running, address=f"192.0.2.{number}") for number in (1, 2))
    ada = client(running, token=await running.token(), address="192.0.2.1")
    for who in (first, second, ada):
        answers = await asyncio.gather(*[who.call("GET", "/chats") for _ in range(10)])
        assert 200 in {answer.status for answer in answers}
        refused = next(answer for answer in answers if answer.status != 200)
        assert_refused(refused, 429)
        assert refused.headers["Retry-After"] == "1"


async def test_a_page_of_another_origin_may_not_act_as_a_guest(
    server: StartServer, client: As
) -> None:
    running = await server(guests="private", allowed_origins=("https://friend.example",))
    guest = client(running)
    for origin, status in (
        ("https://evil.example", 403),
        ("null", 403),
        ("https://friend.example", 201),
        (running.url, 201),
    ):
        answered = await guest.call("POST", "/chats", headers={"Origin": origin})
        assert answered.status == status, origin
    assert len(await guest.ids()) == 2


async def test_a_reply_that_fails_is_a_bad_gateway_and_no_turn_of_the_assistant(
    server: StartServer, client: As
) -> None:
    bot = ScriptedBot()
    guest = client(await server(guests="private", bots=[bot], default_bot="scripted"))
    chat_id = await guest.start()
    bot.fail()
    failed = await guest.say(chat_id, "hello")
    assert_refused(failed, 502)
    assert failed.body == {"detail": "The model is away."}
    assert await guest.said(chat_id) == [("user", "hello")]
    bot.answers(["here again"])
    assert (await guest.say(chat_id, "and now?")).body["content"] == "here again"


async def test_an_answer_that_is_late_is_among_the_messages_later(
    server: StartServer, client: As, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatserver.gateways.chats.messages.ANSWER_SECONDS", 0.1)
    bot = ScriptedBot()
    guest = client(await server(guests="private", bots=[bot], default_bot="scripted"))
    chat_id = await guest.start()
    assert_refused(await guest.say(chat_id, "hello"), 504)
    assert await guest.said(chat_id) == [("user", "hello")]
    bot.answers(["sorry"])

    async def answered() -> bool:
        return await guest.said(chat_id) == [("user", "hello"), ("assistant", "sorry")]

    await eventually(answered)


async def test_an_answer_that_is_stopped_before_its_first_word_is_a_bad_gateway(
    server: StartServer, client: As
) -> None:
    bot = ScriptedBot()
    running = await server(bots=[bot], default_bot="scripted")
    token = await running.token()
    ada = client(running, token=token)
    chat_id = await ada.start()
    asking = asyncio.create_task(ada.say(chat_id, "a story?"))
    await eventually(lambda: bot.contexts)
    session, prompt = f"/api/v1/sessions/{chat_id}", bot.contexts[0].prompt.seq
    found = await running.rest("GET", f"{session}/messages/{prompt}/reply", token=token)
    path = f"{session}/replies/{found['reply']['reply_id']}/stop"
    await running.rest("POST", path, token=token)
    assert_refused(await asking, 502)
    assert await ada.said(chat_id) == [("user", "a story?")]


async def test_a_server_that_stops_lets_nobody_wait(server: StartServer, client: As) -> None:
    bot = ScriptedBot()
    running = await server(guests="private", bots=[bot], default_bot="scripted", drain_seconds=0.0)
    guest = client(running)
    chat_id = await guest.start()
    asking = asyncio.create_task(guest.say(chat_id, "hello"))
    await eventually(lambda: bot.contexts)
    await running.app.shutdown()
    for refused in (await asking, await guest.say(chat_id, "once more")):
        assert_refused(refused, 503)
        assert refused.headers["Retry-After"]
    assert await guest.said(chat_id) == [("user", "hello")]


async def test_a_server_without_a_bot_for_chats_says_so_and_starts_none(
    server: StartServer, client: As
) -> None:
    guest = client(await server(guests="private", default_bot=""))
    assert_refused(await guest.call("POST", "/chats"), 503)
    assert await guest.ids() == []


@pytest.mark.parametrize("change", [{"bot": None}, {"reply_policy": "off"}])
async def test_a_message_that_nobody_would_answer_is_not_stored(
    server: StartServer, client: As, change: dict[str, Any]
) -> None:
    running = await server()
    token = await running.token()
    ada = client(running, token=token)
    chat_id = await ada.start()
    await running.rest("PATCH", f"/api/v1/sessions/{chat_id}", change, token=token)
    assert_refused(await ada.say(chat_id, "hello?"), 409)
    assert await ada.said(chat_id) == []


async def test_of_concurrent_messages_each_gets_its_own_answer_in_order(guest: Chats) -> None:
    chat_id = await guest.start()
    texts = [f"number {number}" for number in range(20)]
    answers = await asyncio.gather(*[guest.say(chat_id, text) for text in texts])
    assert [(each.status, each.body["content"]) for each in answers] == [(201, t) for t in texts]
    said = await guest.said(chat_id)
    asked = [text for sender, text in said if sender == "user"]
    assert sorted(asked) == sorted(texts)
    assert [text for sender, text in said if sender == "assistant"] == asked
    assert all(said.index(("user", text)) < said.index(("assistant", text)) for text in texts)


async def test_many_chats_at_once_do_not_interfere(guest: Chats) -> None:
    chats = await asyncio.gather(*[guest.start() for _ in range(30)])

    async def converse(number: int, chat_id: str) -> None:
        for turn in range(2):
            assert (await guest.say(chat_id, f"{number}/{turn}")).status == 201

    await asyncio.gather(*[converse(*each) for each in enumerate(chats)])
    for number, chat_id in enumerate(chats):
        assert await guest.said(chat_id) == [
            (sender, f"{number}/{turn}") for turn in range(2) for sender in ("user", "assistant")
        ]


async def test_a_follow_up_is_answered_in_context(server: StartServer, client: As) -> None:
    bot = ScriptedBot()
    guest = client(await server(guests="private", bots=[bot], default_bot="scripted"))
    chat_id, other = await guest.start(), await guest.start()
    bot.answers(["Paris.", "Who knows?", "About two million."])
    await guest.say(chat_id, "The capital of France?")
    await guest.say(other, "Something else?")
    await guest.say(chat_id, "How many live there?")
    assert [event.data["text"] for event in bot.contexts[-1].messages] == [
        "The capital of France?",
        "Paris.",
        "How many live there?",
    ]


@pytest.mark.parametrize("backend", ["haproxy-3"])
async def test_any_instance_takes_part_in_any_chat(server: StartServer, client: As) -> None:
    guest = client(await server(guests="private"))
    chat_id, *others = await asyncio.gather(*[guest.start() for _ in range(4)])
    texts = [f"number {number}" for number in range(6)]
    answers = await asyncio.gather(*[guest.say(chat_id, text) for text in texts])
    assert [(each.status, each.body["content"]) for each in answers] == [(201, t) for t in texts]
    asked = [text for sender, text in await guest.said(chat_id) if sender == "user"]
    assert [t for sender, t in await guest.said(chat_id) if sender == "assistant"] == asked
    assert sorted(await guest.ids()) == sorted([chat_id, *others])
