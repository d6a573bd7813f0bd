from typing import Any

from tests.integration.rest.world import Api


async def test_a_session_is_made_without_saying_anything_about_it(ada: Api) -> None:
    made = await ada.post("/sessions")
    assert made.status == 201
    session = made.body["session"]
    assert made.headers["Location"] == f"/api/v1/sessions/{session['id']}"
    assert (session["visibility"], session["bot"]) == ("private", "parrot")
    assert (await ada.get(f"/sessions/{session['id']}")).body["session"] == session


async def test_null_asks_for_a_session_without_a_bot(ada: Api) -> None:
    made = await ada.post("/sessions", {"title": "Quiet", "bot": None})
    assert made.body["session"]["bot"] is None


async def test_a_bot_nobody_has_is_refused(ada: Api) -> None:
    refused = await ada.post("/sessions", {"bot": "oracle"})
    assert (refused.status, refused.body["code"]) == (422, "unknown_bot")
    assert refused.body["field"] == "bot"
    assert (await ada.get("/sessions")).body["sessions"] == []


async def test_more_sessions_than_allowed_is_a_conflict(ada: Api) -> None:
    for _ in range(5):
        await ada.session()
    refused = await ada.post("/sessions")
    assert (refused.status, refused.body["code"]) == (409, "too_many_sessions")
    assert refused.body["retryable"] is False


async def test_sessions_are_listed_page_by_page(ada: Api) -> None:
    made = [await ada.session(title=str(n)) for n in range(3)]
    first = (await ada.get("/sessions?limit=2")).body
    assert [each["id"] for each in first["sessions"]] == made[:0:-1]
    rest = (await ada.get("/sessions", params={"limit": "2", "before": first["next"]})).body
    assert [each["id"] for each in rest["sessions"]] == made[:1]
    assert rest["next"] is None


async def test_public_sessions_are_listed_for_everybody(ada: Api, bob: Api) -> None:
    public = await ada.session(visibility="public")
    await ada.session()
    found = (await bob.get("/sessions?scope=public")).body["sessions"]
    assert [each["id"] for each in found] == [public]


async def test_settings_change_one_by_one(ada: Api) -> None:
    session_id = await ada.session(title="Tea")
    changed = await ada.patch(f"/sessions/{session_id}", {"visibility": "link", "bot": None})
    assert changed.status == 200
    session = changed.body["session"]
    assert (session["title"], session["visibility"], session["bot"]) == ("Tea", "link", None)


async def test_a_setting_may_be_left_out_but_not_null(ada: Api) -> None:
    session_id = await ada.session()
    refused = await ada.patch(f"/sessions/{session_id}", {"title": None})
    assert (refused.status, refused.body["field"]) == (422, "title")
    assert (await ada.patch(f"/sessions/{session_id}", {})).status == 422


async def test_only_the_owner_changes_or_removes_a_session(ada: Api, bob: Api) -> None:
    session_id = await ada.session(visibility="link")
    await bob.post(f"/sessions/{session_id}/join")
    refused = await bob.patch(f"/sessions/{session_id}", {"title": "Mine"})
    assert (refused.status, refused.body["code"]) == (403, "forbidden")
    assert (await bob.delete(f"/sessions/{session_id}")).status == 403
    assert (await ada.delete(f"/sessions/{session_id}")).status == 204
    assert (await ada.get(f"/sessions/{session_id}")).status == 404


async def test_a_private_session_does_not_exist_for_others(ada: Api, bob: Api) -> None:
    session_id = await ada.session()
    for refused in (
        await bob.get(f"/sessions/{session_id}"),
        await bob.post(f"/sessions/{session_id}/join"),
        await bob.get(f"/sessions/{session_id}/events"),
        await bob.get(f"/sessions/{session_id}/members"),
        await bob.get(f"/sessions/{session_id}/summary"),
        await bob.post(f"/sessions/{session_id}/messages", {"text": "hello?"}),
        await bob.get("/sessions/no-such-session"),
    ):
        assert (refused.status, refused.body["code"]) == (404, "not_found")


async def test_an_invite_opens_a_private_session_until_it_is_revoked(ada: Api, bob: Api) -> None:
    session_id = await ada.session()
    made = await ada.post(f"/sessions/{session_id}/invites")
    assert made.status == 201
    joined = await bob.post(f"/sessions/{session_id}/join", {"invite": made.body["invite"]})
    assert joined.status == 200
    assert [each["seq"] for each in joined.body["events"]] == [1, 2, 3]
    assert joined.body["complete"] is True
    assert (await bob.post(f"/sessions/{session_id}/leave")).status == 204
    assert (await ada.delete(f"/sessions/{session_id}/invites")).status == 204
    again = await bob.post(f"/sessions/{session_id}/join", {"invite": made.body["invite"]})
    assert again.status == 404


async def test_a_full_session_takes_nobody_else(anonymous: Api, ada: Api) -> None:
    session_id = await ada.session(visibility="public")
    for name in ("Bob", "Cyd"):
        await (await anonymous.named(name)).post(f"/sessions/{session_id}/join")
    refused = await (await anonymous.named("Dan")).post(f"/sessions/{session_id}/join")
    assert (refused.status, refused.body["code"]) == (409, "session_full")


async def test_members_are_listed_with_their_roles(ada: Api, bob: Api) -> None:
    session_id = await ada.session(visibility="link")
    await bob.post(f"/sessions/{session_id}/join")
    members = (await ada.get(f"/sessions/{session_id}/members")).body["members"]
    roles = {each["participant"]["name"]: each["role"] for each in members}
    assert roles == {"Ada": "owner", "Bob": "member", "parrot": "member"}


async def test_a_summary_counts_and_names_topics(ada: Api) -> None:
    session_id = await ada.session()
    await ada.say(session_id, "Tea?")
    summary = (await ada.get(f"/sessions/{session_id}/summary")).body["summary"]
    assert summary["messages_by_kind"] == {"user": 1, "bot": 0, "operator": 0}
    assert summary["topics"] == ["tea"]


async def test_a_bot_is_put_into_a_session_and_taken_out(ada: Api) -> None:
    session_id = await ada.session(bot=None)
    path = f"/sessions/{session_id}/bots/parrot"
    put = [await ada.call("PUT", path) for _ in range(2)]
    assert [each.status for each in put] == [200, 200]
    assert put[0].body == put[1].body
    kinds = [each["participant"]["kind"] for each in (await _members(ada, session_id))]
    assert sorted(kinds) == ["bot", "user"]
    assert (await ada.delete(path)).body["session"]["bot"] is None
    assert len(await _members(ada, session_id)) == 1
    refused = await ada.call("PUT", f"/sessions/{session_id}/bots/oracle")
    assert (refused.status, refused.body["code"]) == (422, "unknown_bot")


async def _members(ada: Api, session_id: str) -> list[Any]:
    found: list[Any] = (await ada.get(f"/sessions/{session_id}/members")).body["members"]
    return found
