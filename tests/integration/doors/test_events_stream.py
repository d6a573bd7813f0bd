"""`GET /api/v1/sessions/{id}/events` as Server-Sent Events."""

import asyncio
import socket
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from chatserver.app import SERVER, create_app
from chatserver.chat.commands import FollowSession, SendMessage
from chatserver.chat.errors import NotMember
from chatserver.chat.models import Participant
from chatserver.chat.use_cases import new_id
from chatserver.compose.running import running
from chatserver.testing import ScriptedBot
from tests.conftest import Connect
from tests.integration.doors.listening import EVENT_STREAM, listening
from tests.integration.protocol.people import session_of
from tests.servers import Reachable, RunningServer, StartServer, settings_for_test
from tests.waiting import PATIENCE, eventually

ACCEPT = {"Accept": EVENT_STREAM}


async def a_session(server: Reachable, token: str, **settings: Any) -> str:
    chosen = {"bot": None, **settings}
    made = await server.rest("POST", "/api/v1/sessions", chosen, token=token)
    return str(made["session"]["id"])


async def say(server: Reachable, token: str, session_id: str, text: str) -> int:
    path = f"/api/v1/sessions/{session_id}/messages"
    return int((await server.rest("POST", path, {"text": text}, token=token))["message"]["seq"])


async def say_many(
    server: RunningServer, token: str, session_id: str, count: int, *, more: str = ""
) -> None:
    """At once, as many senders do."""
    chat = server.service
    who = (await chat.authenticate(token)).participant
    messages = [
        SendMessage(session_id=session_id, text=f"{number} {more}", client_message_id=new_id())
        for number in range(count)
    ]
    await asyncio.gather(*[chat.send_message(who, each) for each in messages])


async def asked(
    server: Reachable, path: str, token: str = "", method: str = "GET", **headers: str
) -> tuple[int, Any]:
    """Status and body of a request for a stream."""
    sent = ACCEPT | ({"Authorization": f"Bearer {token}"} if token else {}) | headers
    async with (
        asyncio.timeout(PATIENCE),
        aiohttp.ClientSession() as http,
        http.request(method, f"{server.url}/api/v1/sessions/{path}", headers=sent) as answer,
    ):
        if answer.status == 200:
            return 200, answer.headers
        assert answer.content_type == "application/problem+json"
        assert answer.headers["Vary"] == "Accept"
        return answer.status, await answer.json()


# --- what comes ----------------------------------------------------------------------------------


async def test_the_log_comes_from_the_start_and_goes_on_live(server: StartServer) -> None:
    running = await server()
    token = await running.token()
    session_id = await a_session(running, token)
    await say(running, token, session_id, "before")
    async with listening(running.url, token, session_id, after_seq=0) as listener:
        assert await listener.events(2) == [1, 2]
        await say(running, token, session_id, "schön,\nor \u2028 not?")
        await listener.take("message_created", seq=3)
    opening, *told = listener.frames
    assert opening.retry
    path = f"/api/v1/sessions/{session_id}/events"
    log = (await running.rest("GET", path, token=token))["events"]
    assert [frame.data for frame in told] == log
    assert [frame.event for frame in told] == [event["type"] for event in log]
    assert listener.answer.headers["Cache-Control"] == "no-store"
    assert listener.answer.headers["X-Accel-Buffering"] == "no"
    assert "Content-Encoding" not in listener.answer.headers


async def test_without_a_cursor_it_begins_with_what_is_said_next(server: StartServer) -> None:
    running = await server()
    token = await running.token()
    session_id = await a_session(running, token)
    async with listening(running.url, token, session_id) as listener:
        seq = await say(running, token, session_id, "now")
        assert await listener.events(seq) == [seq]


async def test_last_event_id_counts_more_than_the_url_that_one_came_back_to(
    server: StartServer,
) -> None:
    running = await server()
    token = await running.token()
    session_id = await a_session(running, token)
    await say_many(running, token, session_id, 5)
    async with listening(running.url, token, session_id, last=4, after_seq=0) as listener:
        assert await listener.events(6) == [5, 6]


async def test_more_than_a_thousand_missed_events_come_once_while_others_send(
    server: StartServer,
) -> None:
    running = await server()
    token = await running.token()
    session_id = await a_session(running, token)
    await say_many(running, token, session_id, 1_000)
    sending = asyncio.create_task(say_many(running, token, session_id, 300))
    async with listening(running.url, token, session_id, last=1) as listener:
        assert await listener.events(1_301) == list(range(2, 1_302))
        await sending
        seq = await say(running, token, session_id, "the end")
        assert await listener.events(seq) == list(range(2, 1_303))


async def test_what_no_page_and_no_snapshot_holds_is_paged_for(
    server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Much is said just before the room is entered."""
    running = await server()
    token = await running.token()
    session_id = await a_session(running, token)
    follow = running.service.follow_session

    async def late(actor: Participant, command: FollowSession) -> Any:
        monkeypatch.undo()
        await say_many(running, token, session_id, 250)
        return await follow(actor, command)

    monkeypatch.setattr(running.service, "follow_session", late)
    async with listening(running.url, token, session_id, after_seq=0) as listener:
        assert await listener.events(251) == list(range(1, 252))


async def test_signals_come_where_they_are_asked_for(server: StartServer) -> None:
    bot = ScriptedBot()
    running = await server(bots=[bot], default_bot="scripted")
    token = await running.token()
    session_id = await a_session(running, token, bot="scripted")
    async with (
        listening(running.url, token, session_id, signals="true") as listener,
        listening(running.url, token, session_id) as log_only,
    ):
        prompt = await say(running, token, session_id, "A story?")
        bot.say("Once upon ")
        started = await listener.take("reply_started", prompt_seq=prompt)
        await listener.take("reply_delta", offset=0, text="Once upon ")
        # Who comes now is told what was said so far.
        async with listening(running.url, token, session_id, signals="true") as late:
            said = await late.take("reply_delta", offset=0, text="Once upon ")
            assert said.data["reply_id"] == started.data["reply_id"]
            bot.say("a time.").end()
            await late.take("reply_delta", offset=10, text="a time.")
            await late.take("reply_finished", seq=prompt + 1)
        assert await log_only.events(prompt + 1) == [prompt, prompt + 1]
        assert {frame.event for frame in log_only.frames} == {"", "message_created"}


async def test_who_listens_is_online_until_the_connection_ends(
    server: StartServer, connect: Connect
) -> None:
    running = await server()
    ada = await connect(running)
    session_id = await session_of(ada)
    token = await running.token("Bob")
    await running.rest("POST", f"/api/v1/sessions/{session_id}/join", {}, token=token)
    async with listening(running.url, token, session_id):
        await ada.told("presence_changed", online=True)
    await ada.told("presence_changed", online=False)
    parts = running.app[SERVER]
    await ada.close()
    await eventually(lambda: parts.sockets.census.total == 0)
    assert not parts.sockets.rooms_manager.rooms


async def test_a_silent_stream_shows_that_it_lives_and_outlives_idle_connections(
    tmp_path: Path,
) -> None:
    settings = settings_for_test(
        tmp_path / "chat.db", http_idle_seconds=0.2, ping_interval_seconds=0.3
    )
    server = Reachable()
    async with running(create_app(settings), settings, 0) as server.url:
        token = await server.token()
        session_id = await a_session(server, token)
        async with listening(server.url, token, session_id) as listener:
            while [frame.comment for frame in listener.frames] != ["", *["keep-alive"] * 3]:
                assert await listener.next()
            seq = await say(server, token, session_id, "still there?")
            assert await listener.events(seq) == [seq]


async def test_json_is_answered_unless_a_stream_is_wanted(server: StartServer) -> None:
    running = await server()
    token = await running.token()
    session_id = await a_session(running, token)
    for accept in ("*/*", "application/json", "text/html, */*;q=0.8", f"{EVENT_STREAM};q=0, */*"):
        headers = {"Authorization": f"Bearer {token}", "Accept": accept}
        path = f"{running.url}/api/v1/sessions/{session_id}/events"
        async with aiohttp.ClientSession() as http, http.get(path, headers=headers) as answer:
            assert answer.headers["Vary"] == "Accept"
            assert (await answer.json())["complete"]


async def test_head_has_the_headers_of_the_stream_and_ends(server: StartServer) -> None:
    running = await server()
    token = await running.token()
    session_id = await a_session(running, token)
    status, headers = await asked(running, f"{session_id}/events", token, "HEAD")
    assert (status, headers["Content-Type"]) == (200, EVENT_STREAM)
    assert (await asked(running, f"{session_id}/events", method="HEAD"))[0] == 401


async def test_a_page_of_an_allowed_origin_may_follow(server: StartServer) -> None:
    friend = "https://friend.example"
    running = await server(allowed_origins=(friend,))
    token = await running.token()
    session_id = await a_session(running, token)
    headers = {"Origin": friend}
    async with listening(running.url, token, session_id, headers=headers) as listener:
        assert listener.answer.headers["Access-Control-Allow-Origin"] == friend
        assert listener.answer.headers["Vary"] == "Accept, Origin"


# --- what is refused -----------------------------------------------------------------------------


async def test_a_stream_that_cannot_be_had_is_refused_before_it_begins(
    server: StartServer,
) -> None:
    running = await server()
    token = await running.token()
    session_id = await a_session(running, token)
    for last in ("x", "", "-1", "2", "9007199254740992"):
        path = f"{session_id}/events?after_seq=0"
        status, problem = await asked(running, path, token, **{"Last-Event-ID": last})
        assert (status, problem["code"]) == (422, "invalid_payload")
        assert problem["field"] == "Last-Event-ID"
    for query, field in (
        ("after_seq=2", "after_seq"),
        ("after_seq=-1", "after_seq"),
        ("after_seq=0&after_seq=0", "after_seq"),
        ("before_seq=1", "before_seq"),
        ("limit=1", "limit"),
        ("token=secret", "token"),
        ("signals=maybe", "signals"),
    ):
        status, problem = await asked(running, f"{session_id}/events?{query}", token)
        assert (status, problem["code"], problem["field"]) == (422, "invalid_payload", field)


async def test_only_members_may_follow_and_nobody_becomes_one(server: StartServer) -> None:
    running = await server()
    ada, eve = await running.token("Ada"), await running.token("Eve")
    hidden = await a_session(running, ada)
    public = await a_session(running, ada, visibility="public")
    assert (await asked(running, f"{hidden}/events"))[0] == 401
    assert (await asked(running, f"{hidden}/events", "nobody's"))[0] == 401
    for path, status, code in (
        (hidden, 404, "not_found"),
        (public, 403, "not_member"),
        ("nothing", 404, "not_found"),
    ):
        refused, problem = await asked(running, f"{path}/events", eve)
        assert (refused, problem["code"]) == (status, code)
    # Nor does it where they left since it was looked at.
    async with running.app[SERVER].visitors.admit(eve, "192.0.2.1") as visitor:
        with pytest.raises(NotMember):
            await visitor.perform(FollowSession(session_id=public))
    path = f"/api/v1/sessions/{public}/members"
    members = (await running.rest("GET", path, token=ada))["members"]
    assert [member["participant"]["name"] for member in members] == ["Ada"]


async def test_streams_count_as_connections_and_as_requests(server: StartServer) -> None:
    running = await server(connections_per_address=1, requests_per_second=3)
    token = await running.token()
    session_id = await a_session(running, token)
    async with listening(running.url, token, session_id):
        refused, problem = await asked(running, f"{session_id}/events", token)
        assert (refused, problem["code"]) == (429, "too_many_connections")
        # As fast as one can: on a slow machine a few more are let through.
        codes = {
            (await asked(running, f"{session_id}/events", token))[1]["code"] for _ in range(40)
        }
        assert codes <= {"too_many_connections", "rate_limited"}
        assert "rate_limited" in codes


async def test_who_accepts_neither_is_told_so(server: StartServer) -> None:
    running = await server()
    token = await running.token()
    session_id = await a_session(running, token)
    refused, problem = await asked(running, f"{session_id}/events", token, Accept="text/html")
    assert (refused, problem["field"]) == (406, "Accept")


# --- how it ends ---------------------------------------------------------------------------------


async def test_a_stream_goes_on_after_a_restart_of_the_server(
    server: StartServer, tmp_path: Path
) -> None:
    database = tmp_path / "restarted.db"
    first = await server(database=database)
    token = await first.token()
    session_id = await a_session(first, token)
    async with listening(first.url, token, session_id, after_seq=0) as listener:
        await say_many(first, token, session_id, 3)
        await listener.events(2)
        await first.stop()
        assert (await listener.names_to_the_end())[-1] == "server_draining"
    assert listener.frames[-1].retry == listener.frames[-1].data["reconnect_after_ms"]
    second = await server(database=database)
    await say_many(second, token, session_id, 3)
    last = listener.ids[-1]
    async with listening(second.url, token, session_id, last=last) as again:
        assert listener.ids + await again.events(7) == list(range(1, 8))


async def test_the_stream_of_who_leaves_ends(server: StartServer) -> None:
    running = await server()
    ada, bob = await running.token("Ada"), await running.token("Bob")
    session_id = await a_session(running, ada, visibility="link")
    path = f"/api/v1/sessions/{session_id}"
    for _ in range(2):  # having left before ends nothing
        await running.rest("POST", f"{path}/join", {}, token=bob)
        async with listening(running.url, bob, session_id, after_seq=0) as listener:
            await listener.take("participant_joined")
            await say(running, ada, session_id, "hello")
            await listener.take("message_created")
            await running.rest("POST", f"{path}/leave", token=bob)
            await say(running, ada, session_id, "he has gone")
            assert (await listener.names_to_the_end())[-2:] == ["participant_left", "error"]
        assert listener.frames[-1].data["code"] == "not_member"
    assert (await asked(running, f"{session_id}/events", bob))[0] == 403


async def test_the_stream_of_a_deleted_session_ends(server: StartServer) -> None:
    running = await server()
    token = await running.token()
    session_id, other = await a_session(running, token), await a_session(running, token)
    async with listening(running.url, token, session_id) as listener:
        await running.rest("DELETE", f"/api/v1/sessions/{other}", token=token)
        await say(running, token, session_id, "that was another")
        await running.rest("DELETE", f"/api/v1/sessions/{session_id}", token=token)
        assert await listener.names_to_the_end() == ["message_created", "session_deleted"]
    assert listener.frames[-1].data == {"session_id": session_id}


async def test_a_revoked_token_ends_the_stream(server: StartServer) -> None:
    running = await server()
    token = await running.token()
    session_id = await a_session(running, token)
    async with listening(running.url, token, session_id) as listener:
        await running.rest("DELETE", "/api/v1/tokens/current", token=token)
        assert await listener.names_to_the_end() == ["error"]
    assert listener.frames[-1].data["code"] == "token_revoked"


async def test_who_reads_too_slowly_is_cut_off_and_goes_on_from_the_last_id(
    server: StartServer, connect: Connect
) -> None:
    running = await server(unsent_bytes=65_536, text_chars=60_000, frame_bytes=262_144)
    ada = await connect(running)
    session_id = await session_of(ada)
    token = await running.token("Slow")
    await running.rest("POST", f"/api/v1/sessions/{session_id}/join", {}, token=token)
    slow = await connection(running, token, session_id)
    await ada.told("presence_changed", online=True)
    for number in range(200):  # one by one: all at once, nobody could read
        await ada.say(session_id, f"{number} " + "x" * 50_000)
    await ada.told("presence_changed", online=False)
    got = await asyncio.to_thread(all_of, slow)
    assert b"message_created" in got
    last = int(got.rpartition(b"\n\n")[0].rpartition(b"\nid: ")[2].partition(b"\n")[0])
    async with listening(running.url, token, session_id, last=last) as listener:
        assert await listener.events(202) == list(range(last + 1, 203))


async def test_who_reads_nothing_of_a_long_past_is_cut_off(server: StartServer) -> None:
    running = await server(
        text_chars=60_000, frame_bytes=262_144, ping_interval_seconds=0.2, ping_timeout_seconds=0.3
    )
    token = await running.token()
    session_id = await a_session(running, token)
    await say_many(running, token, session_id, 250, more="x" * 50_000)
    slow = await connection(running, token, session_id, "?after_seq=0")
    census = running.app[SERVER].sockets.census
    await eventually(lambda: census.total == 1)
    await eventually(lambda: census.total == 0)
    slow.close()


async def connection(
    server: RunningServer, token: str, session_id: str, query: str = ""
) -> socket.socket:
    """One that has asked for the stream and reads nothing of it."""
    address = urlsplit(server.url)
    peer = socket.socket()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    peer.settimeout(PATIENCE)
    await asyncio.to_thread(peer.connect, (address.hostname, address.port))
    head = (
        f"GET /api/v1/sessions/{session_id}/events{query} HTTP/1.1\r\nHost: {address.netloc}\r\n"
        f"Authorization: Bearer {token}\r\nAccept: {EVENT_STREAM}\r\n\r\n"
    )
    peer.sendall(head.encode())
    return peer


def all_of(peer: socket.socket) -> bytes:
    """What came until the connection was reset."""
    got = b""
    try:
        while piece := peer.recv(65_536):
            got += piece
    except ConnectionResetError:
        pass
    peer.close()
    return got
