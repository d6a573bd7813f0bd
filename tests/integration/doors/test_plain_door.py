"""Who is let in at `/chat`, and how it ends."""

from datetime import timedelta

import pytest
from aiohttp import ClientSession

from chatserver.app import SERVER
from chatserver.chat.commands import CreateInvite, CreateSession, DeleteSession, LeaveSession
from chatserver.chat.errors import Unavailable
from chatserver.chat.models import ReplyPolicy
from tests.integration.doors.plain_clients import (
    ask,
    closing,
    hear,
    own_session,
    plain,
    refusal,
    texts_of,
    who,
)
from tests.servers import RunningServer, StartServer


async def worthless_tokens(server: RunningServer) -> dict[str, str]:
    service = server.service
    expired = await service.issue_token("Ada", lifetime=timedelta(seconds=-1))
    revoked = await service.issue_token("Ada")
    await service.revoke_token(revoked.token)
    return {"empty": "", "unknown": "x", "expired": expired.token, "revoked": revoked.token}


async def test_without_a_good_token_nobody_is_let_in(server: StartServer) -> None:
    running = await server()
    assert await refusal(running) == 403
    for token in (await worthless_tokens(running)).values():
        assert await refusal(running, token=token) == 403
    assert running.app[SERVER].sockets.census.total == 0


async def test_where_guests_are_let_in_a_worthless_token_still_is_not(server: StartServer) -> None:
    running = await server(guests="private")
    for kind, token in (await worthless_tokens(running)).items():
        if kind != "empty":
            assert await refusal(running, token=token) == 403
    assert await refusal(running, session="guests") == 403


async def test_only_pages_of_ours_and_of_allowed_origins_may_connect(server: StartServer) -> None:
    running = await server(allowed_origins=("https://friend.example",))
    token = await running.token()
    for origin in ("https://stranger.example", "null"):
        assert await refusal(running, page=origin, token=token) == 403
    for origin in ("https://friend.example", running.url):
        async with plain(running, page=origin, token=token) as ada:
            assert await ask(ada, "hi") == "hi"


async def test_a_request_that_is_no_handshake_is_told_to_upgrade(server: StartServer) -> None:
    running = await server()
    async with ClientSession() as http:
        answer = await http.get(f"{running.url}/chat")
        assert (answer.status, answer.headers["Upgrade"]) == (426, "websocket")
        assert (await http.post(f"{running.url}/chat")).status == 405


async def test_too_many_connections_and_a_server_that_stops_or_is_broken(
    server: StartServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = await server(connections_per_address=1)
    token = await running.token()
    async with plain(running, token=token):
        assert await refusal(running, token=token) == 429

    async def fail(*_: object) -> None:
        raise Unavailable("not now")

    with monkeypatch.context() as broken:
        broken.setattr(running.service, "own_session", fail)
        assert await refusal(running, token=token) == 503
    await running.app.shutdown()
    assert await refusal(running, token=token) == 503


async def test_another_session_may_be_joined_by_its_id_or_with_an_invite(
    server: StartServer,
) -> None:
    running = await server()
    service, ada, bob = running.service, await running.token("Ada"), await running.token("Bob")
    create = CreateSession(reply_policy=ReplyPolicy.MENTION)
    session = (await service.create_session(await who(running, ada), create)).session
    invite = (
        await service.create_invite(await who(running, ada), CreateInvite(session_id=session.id))
    ).invite
    for wrong, status in (
        ({"session": "unknown"}, 403),
        ({"session": session.id}, 403),
        ({"session": session.id, "invite": "wrong"}, 403),
        ({"session": ""}, 400),
        ({"session": "x" * 65}, 400),
    ):
        assert await refusal(running, token=bob, **wrong) == status
    async with (
        plain(running, token=ada, session=session.id) as first,
        plain(running, token=bob, session=session.id, invite=invite) as second,
    ):
        await second.send("hi")
        assert await hear(first) == ["Bob: hi"]
    assert await texts_of(running, session.id) == ["hi"]


async def test_it_ends_with_the_token_and_with_the_session(server: StartServer) -> None:
    running = await server()
    service, token, other = running.service, await running.token(), await running.token()
    async with plain(running, token=token) as ada, plain(running, token=other) as bob:
        await service.revoke_token(token)
        assert await closing(ada) == 1008
        assert await ask(bob, "still here") == "still here"
        command = DeleteSession(session_id=await own_session(running, other))
        await service.delete_session(await who(running, other), command)
        assert await closing(bob) == 1008
    assert await refusal(running, token=other) == 403


async def test_who_leaves_the_session_elsewhere_has_left_it_here(server: StartServer) -> None:
    running = await server()
    token = await running.token()
    session_id = await own_session(running, token)
    async with plain(running, token=token) as ada:
        leave = LeaveSession(session_id=session_id)
        await running.service.leave_session(await who(running, token), leave)
        assert await closing(ada) == 1008


async def test_a_drain_closes_with_1012_once_all_was_told(server: StartServer) -> None:
    running = await server()
    async with plain(running, token=await running.token()) as ada:
        await ada.send("last")
        assert await hear(ada) == ["last"]
        await running.app.shutdown()
        assert await closing(ada) == 1012


@pytest.mark.parametrize(
    ("frame", "is_text", "code"),
    [(b"bytes", False, 1003), (b"\xff\xfe", True, 1007), (b"x" * 3_000, True, 1009)],
)
async def test_a_wrong_frame_closes_its_connection_and_no_other(
    server: StartServer, frame: bytes, is_text: bool, code: int
) -> None:
    running = await server(frame_bytes=2_048)
    token = await running.token()
    async with plain(running, token=token) as bad, plain(running, token=token) as good:
        await bad.send(frame, text=is_text)
        assert await closing(bad) == code
        assert await ask(good, "hi") == "hi"
    assert await texts_of(running, await own_session(running, token)) == ["hi", "hi"]


async def test_a_frame_may_have_exactly_so_many_bytes(server: StartServer) -> None:
    running = await server(frame_bytes=2_048)
    async with plain(running, token=await running.token()) as ada:
        assert await ask(ada, "x" * 2_048) == "x" * 2_048
        await ada.send("x" * 2_049)
        assert await closing(ada) == 1009


async def test_what_is_no_websocket_frame_closes_the_connection(server: StartServer) -> None:
    running = await server()
    async with plain(running, token=await running.token()) as ada:
        ada.transport.write(b"\x83\x80\0\0\0\0")  # there is no opcode 3
        assert await closing(ada) == 1002
