import pytest

from tests.integration.rest.world import Api


async def test_a_message_without_an_id_of_its_own_gets_one(ada: Api) -> None:
    session_id = await ada.session()
    sent = await ada.post(f"/sessions/{session_id}/messages", {"text": "hello"})
    assert sent.status == 201
    assert (sent.body["duplicate"], sent.body["reply"]) == (False, None)
    assert sent.body["message"]["data"]["client_message_id"]


async def test_send_message_twice_with_same_client_id_returns_the_first(ada: Api) -> None:
    session_id = await ada.session()
    body = {"text": "hello", "client_message_id": "one"}
    first = await ada.post(f"/sessions/{session_id}/messages", body)
    second = await ada.post(f"/sessions/{session_id}/messages", body)
    assert (first.status, second.status) == (201, 200)
    assert second.body["duplicate"] is True
    assert second.body["message"] == first.body["message"]


async def test_the_same_client_id_with_another_text_is_a_conflict(ada: Api) -> None:
    session_id = await ada.session()
    await ada.say(session_id, "hello", client_message_id="one")
    refused = await ada.post(
        f"/sessions/{session_id}/messages", {"text": "bye", "client_message_id": "one"}
    )
    assert (refused.status, refused.body["code"]) == (409, "conflict")


@pytest.mark.parametrize(
    ("body", "code", "field"),
    [
        ({"text": " \n"}, "blank_text", "text"),
        ({"text": "x" * 1_001}, "text_too_long", "text"),
        ({"text": "a\x00b"}, "invalid_payload", "text"),
        ({"text": 7}, "invalid_payload", "text"),
        ({"text": None}, "invalid_payload", "text"),
        ({}, "invalid_payload", "text"),
        ({"text": "x", "client_message_id": "a b"}, "invalid_payload", "client_message_id"),
        ({"text": "x", "client_message_id": None}, "invalid_payload", "client_message_id"),
        ({"text": "x", "reply_to": -1}, "invalid_payload", "reply_to"),
        ({"text": "x", "reply_to": "1"}, "invalid_payload", "reply_to"),
        ({"text": "x", "reply_to": 99}, "invalid_payload", "reply_to"),
        ({"text": "x", "reply_to": 2**53}, "invalid_payload", "reply_to"),
        ({"text": "x", "reply_to": 10**30}, "invalid_payload", "reply_to"),
        ({"text": "x", "session_id": "another"}, "invalid_payload", "session_id"),
        ({"text": "x", "k" * 500: 1}, "invalid_payload", "k" * 100),
    ],
)
async def test_a_wrong_message_is_refused_by_field_and_not_stored(
    ada: Api, body: dict[str, object], code: str, field: str
) -> None:
    session_id = await ada.session()
    refused = await ada.post(f"/sessions/{session_id}/messages", body)
    assert (refused.status, refused.body["code"], refused.body["field"]) == (422, code, field)
    assert len((await ada.get(f"/sessions/{session_id}/events")).body["events"]) == 2


async def test_a_message_is_edited_and_erased_by_its_sender(ada: Api) -> None:
    session_id = await ada.session()
    path = f"/sessions/{session_id}/messages/{await ada.say(session_id, 'helo')}"
    edited = await ada.patch(path, {"text": "hello"})
    assert (edited.status, edited.body["event"]["data"]["text"]) == (200, "hello")
    erased = await ada.delete(path)
    assert (erased.status, erased.body["event"]["type"]) == (200, "message_deleted")
    assert (await ada.patch(path, {"text": "again"})).status == 409
    events = (await ada.get(f"/sessions/{session_id}/events")).body["events"]
    assert "hello" not in str(events)


async def test_nobody_edits_the_message_of_another(ada: Api, bob: Api) -> None:
    session_id = await ada.session(visibility="link")
    await bob.post(f"/sessions/{session_id}/join")
    seq = await ada.say(session_id, "mine")
    refused = await bob.patch(f"/sessions/{session_id}/messages/{seq}", {"text": "no"})
    assert (refused.status, refused.body["code"]) == (403, "forbidden")
    not_a_message = await ada.patch(f"/sessions/{session_id}/messages/1", {"text": "no"})
    assert not_a_message.status == 404


async def test_history_is_paged_in_both_directions(ada: Api) -> None:
    session_id = await ada.session(bot=None)
    for n in range(5):
        await ada.say(session_id, str(n))
    events = f"/sessions/{session_id}/events"

    async def page(**query: int) -> tuple[list[int], bool]:
        found = await ada.get(events, params=query)
        assert found.status == 200, found
        return [event["seq"] for event in found.body["events"]], found.body["complete"]

    assert await page(limit=2) == ([5, 6], False)
    assert await page(limit=4, before_seq=5) == ([1, 2, 3, 4], True)
    assert await page(limit=2, after_seq=2) == ([3, 4], False)
    assert await page(limit=3, after_seq=3) == ([4, 5, 6], True)


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=-1",
        "limit=201",
        "limit=many",
        "limit=1&limit=2",
        "before_seq=0",
        "before_seq=99999999999999999999",
        "after_seq=1&before_seq=9",
        "befor_seq=1",
        "limit=NaN",
        "limit=",
    ],
)
async def test_a_wrong_page_is_refused(ada: Api, query: str) -> None:
    session_id = await ada.session()
    refused = await ada.get(f"/sessions/{session_id}/events?{query}")
    assert (refused.status, refused.body["code"]) == (422, "invalid_payload")


async def test_the_read_mark_rises_and_never_falls(ada: Api) -> None:
    session_id = await ada.session()
    seq = await ada.say(session_id, "hello")
    assert (await ada.put(f"/sessions/{session_id}/read", {"seq": 10**6})).body == {"seq": seq}
    assert (await ada.put(f"/sessions/{session_id}/read", {"seq": 1})).body == {"seq": seq}
