"""`talk --json` in pipes: orders in, records out, exit codes that say what happened."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from signal import SIGINT
from typing import Any

from chatserver.client import ChatClient
from tests.integration.talk.commands import piped
from tests.processes import environment
from tests.servers import RunningServer, StartServer
from tests.waiting import PATIENCE

LIVELY = {"typing_changed", "presence_changed", "read_changed", "reply_delta"}
"""Events that come as often as it pleases them."""


def records(printed: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in printed.splitlines()]


def steady(printed: str) -> list[str]:
    return [each["type"] for each in records(printed) if each["type"] not in LIVELY]


async def talked(
    server: RunningServer, orders: Iterable[object], *arguments: str
) -> subprocess.CompletedProcess[str]:
    given = "".join(f"{o if isinstance(o, str) else json.dumps(o)}\n" for o in orders)
    return await asyncio.to_thread(piped, server.url, "--json", *arguments, given=given)


async def test_orders_go_in_and_events_come_out(server: StartServer) -> None:
    done = await talked(
        await server(),
        [
            {"text": "Is there t\u00e9a \u8336?"},
            {"do": "wait"},
            {"text": "again", "client_message_id": "x", "reply_to": 3},
            {"do": "send", "text": "again", "client_message_id": "x", "reply_to": 3},
            {"do": "search", "words": "T\u00c9A", "limit": 1},
            {"do": "history", "after_seq": 2, "limit": 1},
            {"do": "edit", "seq": 3, "text": "Is there coffee?"},
            {"do": "delete", "seq": 3},
            {"do": "read", "seq": 4},
            {"do": "typing", "typing": True},
            {"do": "stop"},
        ],
        "--title",
        "Tea",
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.isascii()
    out = records(done.stdout)
    first = out[0]
    assert (first["type"], first["session"]["title"]) == ("joined", "Tea")
    assert first["participant"]["name"] == "Terminal"
    answers = {each["line"]: each for each in out if each["type"] == "done"}
    assert list(answers) == list(range(1, 12))
    assert answers[1]["message"]["data"]["text"] == "Is there t\u00e9a \u8336?"
    assert answers[3]["message"] == answers[4]["message"], "stored once"
    assert [each["data"]["reply_to"] for each in answers[5]["messages"]] == [3]
    assert answers[5]["next"] == 4
    assert [each["seq"] for each in answers[6]["events"]] == [3]
    durable = [each["seq"] for each in out if "seq" in each and "sender" in each]
    assert durable == list(range(1, len(durable) + 1)), "all of the log, in order"
    said = [each for each in out if each["type"] == "message_created"]
    assert {each["data"]["text"] for each in said} >= {"Is there t\u00e9a \u8336?", "again"}
    first_reply = [t for t in steady(done.stdout) if t.startswith(("reply", "message_c"))][:4]
    assert first_reply == ["message_created", "reply_started", "message_created", "reply_finished"]


async def test_what_cannot_be_done_is_named_with_its_line(server: StartServer) -> None:
    done = await talked(
        await server(),
        [
            "no json",
            "[1]",
            {"do": "dance"},
            {"text": 1},
            "",
            {"text": "hello", "colour": "red"},
            {"text": " "},
            {"do": "retry", "reply_id": "nobody's"},
            "[" * 10_000,
            {"text": "good"},
        ],
        "--bot",
        "",
    )
    assert done.returncode == 1
    wrong = [each for each in records(done.stdout) if each["type"] == "error"]
    assert [(each["line"], each["code"], each.get("field")) for each in wrong] == [
        (1, "invalid_payload", None),
        (2, "invalid_payload", None),
        (3, "invalid_payload", "do"),
        (4, "invalid_payload", "text"),
        (6, "invalid_payload", "colour"),
        (7, "blank_text", wrong[5].get("field")),
        (8, "not_found", wrong[6].get("field")),
        (9, "invalid_payload", None),
    ]
    texts = [e["data"]["text"] for e in records(done.stdout) if e["type"] == "message_created"]
    assert texts == ["good"], "the others left nothing behind"


async def test_a_refusal_and_a_server_that_is_not_there_are_records_too(
    server: StartServer,
) -> None:
    running = await server()
    refused = await talked(running, [], "nowhere")
    assert (refused.returncode, refused.stderr) == (1, "")
    (error,) = records(refused.stdout)
    assert (error["type"], error["code"]) == ("error", "not_found")
    denied = await talked(running, [], "--token", "nobody's")
    assert (denied.returncode, records(denied.stdout)[-1]["code"]) == (1, "unauthorized")
    assert (await talked(running, [], "--follow", "--no")).returncode == 2


async def test_what_is_too_long_is_named_and_the_rest_is_obeyed(server: StartServer) -> None:
    long = "x" * 70_000
    orders = [{"text": long}, {"text": "good"}, {"do": "edit", "seq": 2, "text": long}]
    done = await talked(await server(), [*orders, "x" * 1_200_000, {"do": "wait"}], "--bot", "")
    assert done.returncode == 1
    answers = [each for each in records(done.stdout) if each["type"] in ("done", "error")]
    assert [(each["line"], each.get("code")) for each in answers] == [
        (1, "payload_too_large"),
        (2, None),
        (3, "payload_too_large"),
        (4, "line_too_long"),
        (5, None),
    ]


async def test_a_hostile_message_comes_out_as_ascii(server: StartServer) -> None:
    running = await server()
    evil = "ev\x1b]0;owned\x07il\x1b[2J\x9b2J\u202e"
    async with ChatClient(running.url, name="Eve") as eve:
        session = await eve.create_session(visibility="link", bot=None)
        await session.send(evil)
        heard = await talked(running, [], session.id)
    assert heard.returncode == 0
    assert heard.stdout.replace("\n", "").isprintable()
    assert heard.stdout.isascii()
    texts = [e["data"]["text"] for e in records(heard.stdout) if e["type"] == "message_created"]
    assert texts == [evil], "and says what was said"


async def test_following_goes_on_until_nobody_reads_or_the_session_ends(
    server: StartServer,
) -> None:
    running = await server()
    async with ChatClient(running.url, name="Eve") as eve:
        session = await eve.create_session(visibility="link", bot=None)
        async with following(running, session.id) as (listening, lines):
            assert (await anext(lines))["type"] == "joined"
            for number in range(3):
                await session.send(f"message {number}")
            heard = list[str]()
            while len(heard) < 3:
                if (line := await anext(lines))["type"] == "message_created":
                    heard.append(line["data"]["text"])
            assert heard == ["message 0", "message 1", "message 2"]
            await session.delete()
            rest = [line async for line in lines]
            assert "session_deleted" in [line["type"] for line in rest]
            assert rest[-1]["code"] == "not_found"
            assert await listening.wait() == 1


async def test_an_interrupt_ends_it_at_once_though_its_input_is_open(server: StartServer) -> None:
    running = await server()
    async with ChatClient(running.url, name="Eve") as eve:
        session = await eve.create_session(visibility="link", bot=None)
        pipe = asyncio.subprocess.PIPE
        async with following(running, session.id, stdin=pipe) as (listening, lines):
            assert (await anext(lines))["type"] == "joined"
            listening.send_signal(SIGINT)
            assert await asyncio.wait_for(listening.wait(), PATIENCE) == 130


@asynccontextmanager
async def following(
    server: RunningServer, session_id: str, stdin: int = asyncio.subprocess.DEVNULL
) -> AsyncIterator[tuple[asyncio.subprocess.Process, AsyncIterator[dict[str, Any]]]]:
    """Without any input from the start, unless `stdin` says otherwise."""
    listening = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "chatserver", "talk", session_id),
        *("--json", "--follow", "--url", server.url),
        stdin=stdin,
        stdout=asyncio.subprocess.PIPE,
        env=environment(),
    )

    async def lines() -> AsyncIterator[dict[str, Any]]:
        assert listening.stdout is not None
        while line := await asyncio.wait_for(listening.stdout.readline(), 2 * PATIENCE):
            yield json.loads(line)

    try:
        yield listening, lines()
    finally:
        if listening.returncode is None:
            listening.kill()
            await listening.wait()
