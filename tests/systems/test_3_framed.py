"""System 3: a framed WebSocket at `/ws/{client_id}`. Its AI client is tested with the command."""

import asyncio
import struct

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from tests.servers import RunningServer, StartServer
from tests.systems.conftest import ws
from tests.waiting import PATIENCE, eventually


@pytest.fixture
async def chat(server: StartServer) -> RunningServer:
    return await server(guests="private")


def framed(text: str) -> bytes:
    payload = text.encode()
    return struct.pack("<I", len(payload)) + payload


async def heard(socket: ClientConnection) -> str:
    frame = await asyncio.wait_for(socket.recv(), PATIENCE)
    assert isinstance(frame, bytes)
    (length,) = struct.unpack("<I", frame[:4])
    payload = frame[4:]
    assert length == len(payload)
    return payload.decode()


async def test_texts_reach_the_others_with_their_sender_and_not_the_sender(
    chat: RunningServer,
) -> None:
    async with connect(ws(chat.url, "/ws/ada")) as ada, connect(ws(chat.url, "/ws/bob")) as bob:
        assert await heard(ada) == "Server: Client bob joined the chat"
        await ada.send(framed("hëllo 👩‍👩‍👧"))
        assert await heard(bob) == "ada: hëllo 👩‍👩‍👧"
        await bob.send(framed("hi"))
        # Had her own text come back to her, it would have come before this.
        assert await heard(ada) == "bob: hi"


async def test_who_joins_and_leaves_is_told_to_the_others(chat: RunningServer) -> None:
    async with connect(ws(chat.url, "/ws/ada")) as ada:
        async with connect(ws(chat.url, "/ws/bob")):
            assert await heard(ada) == "Server: Client bob joined the chat"
        assert await heard(ada) == "Server: Client bob left the chat"


async def test_a_live_name_cannot_be_taken_and_who_has_it_stays(chat: RunningServer) -> None:
    async with connect(ws(chat.url, "/ws/ada")) as ada:
        with pytest.raises(InvalidStatus) as refused:
            await connect(ws(chat.url, "/ws/ada"))
        assert refused.value.response.status_code == 403
        async with connect(ws(chat.url, "/ws/bob")) as bob:
            assert await heard(ada) == "Server: Client bob joined the chat"
            await ada.send(framed("still me"))
            assert await heard(bob) == "ada: still me"


async def test_a_name_is_free_again_once_its_client_has_gone(chat: RunningServer) -> None:
    async with connect(ws(chat.url, "/ws/ada")):
        pass

    async def comes_back() -> bool:
        try:
            async with connect(ws(chat.url, "/ws/ada")):
                return True
        except InvalidStatus:
            return False

    assert await eventually(comes_back)
