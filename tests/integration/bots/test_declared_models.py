"""Declared bots before a model's endpoint: from the operator's file to the person's screen."""

import asyncio
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from chatserver.testing import FakeModel, Speak, Usage, cut, server_error, unauthorized
from tests.conftest import Connect
from tests.declared import bots_file
from tests.forked import run_forked
from tests.integration.protocol.people import session_of
from tests.processes import environment
from tests.servers import RunningServer, StartServer


async def test_a_declared_bot_answers_and_its_tokens_are_counted(
    server: StartServer, connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOTS_TEST_KEY", "sesame")
    async with FakeModel(Speak(("Good ", "morning.")), key="sesame") as model:
        running = await server(bots_file=bots_file(tmp_path, model))
        ada = await connect(running)
        session_id = await session_of(ada, bot="gpt")
        prompt = await ada.say(session_id, "hello")
        answer = await ada.told("message_created", reply_to=prompt["seq"])
        assert (answer["sender"]["name"], answer["data"]["text"]) == ("gpt", "Good morning.")
        counted = await metrics_page(running)
    assert 'chatserver_model_tokens_total{bot="gpt",kind="prompt"} 7.0' in counted


async def test_how_a_model_did_is_on_the_metrics_page_by_bot(
    server: StartServer, connect: Connect, tmp_path: Path
) -> None:
    answer = Speak(("word ",) * 20, pace=0.01, usage=Usage(9, 26, 6))
    async with FakeModel(server_error(), answer, unauthorized()) as model:
        running = await server(bots_file=bots_file(tmp_path, model, key_variable=""))
        ada = await connect(running)
        session_id = await session_of(ada, bot="gpt")
        await ada.say(session_id, "answer")
        await ada.told("reply_finished")
        await ada.say(session_id, "fail")
        await ada.told("reply_failed")
        counted = await metrics_page(running)
    assert [
        line
        for line in (
            'model_errors_total{bot="gpt",kind="server_error"} 1.0',
            'model_errors_total{bot="gpt",kind="not_configured"} 1.0',
            'model_tokens_total{bot="gpt",kind="prompt"} 9.0',
            'model_tokens_total{bot="gpt",kind="completion"} 26.0',
            'model_tokens_total{bot="gpt",kind="reasoning"} 6.0',
            'replies_total{bot="gpt",state="done"} 1.0',
            'replies_total{bot="gpt",state="failed"} 1.0',
            'reply_first_token_seconds_count{bot="gpt"} 1.0',
            'model_tokens_per_second_count{bot="gpt"} 1.0',
        )
        if f"chatserver_{line}" not in counted
    ] == []
    rate = re.search(r'chatserver_model_tokens_per_second_sum{bot="gpt"} (\S+)', counted)
    assert rate
    assert 1 < float(rate[1]) < 110, "twenty tokens of answer in a fifth of a second or more"


async def metrics_page(running: RunningServer) -> str:
    async with ClientSession() as http, http.get(f"{running.url}/metrics") as page:
        return await page.text()


async def test_a_key_of_the_environment_is_enough(server: StartServer, connect: Connect) -> None:
    async with FakeModel(key="sesame") as model:
        running = await server(
            openai_key="sesame", openai_base_url=model.base_url, default_bot="gpt"
        )
        ada = await connect(running)
        created = await ada.do("create_session")
        session_id = created["session"]["id"]
        prompt = await ada.say(session_id, "hello")
        answer = await ada.told("message_created", reply_to=prompt["seq"])
    assert (answer["sender"]["name"], answer["data"]["text"]) == ("gpt", "Hello there.")


async def test_a_fallback_answers_before_the_first_piece_and_not_after_it(
    server: StartServer, connect: Connect, tmp_path: Path
) -> None:
    async with FakeModel(unauthorized(), cut(["Good "])) as model:
        file = bots_file(tmp_path, model, key_variable="", fallback="echo")
        ada = await connect(await server(bots_file=file))
        session_id = await session_of(ada, bot="gpt")
        prompt = await ada.say(session_id, "first")
        answer = await ada.told("message_created", reply_to=prompt["seq"])
        assert (answer["sender"]["name"], answer["data"]["text"]) == ("gpt", "first")
        prompt = await ada.say(session_id, "second")
        failed = await ada.told("reply_failed", prompt_seq=prompt["seq"])
        assert failed["data"]["code"] == "model_unavailable"


def check(folder: Path) -> subprocess.CompletedProcess[str]:
    command = ["chatserver", "bots", "check"]
    return run_forked(command, env=environment(), cwd=folder, seconds=40)


async def checked(folder: Path) -> tuple[int, dict[str, Any]]:
    """The exit code, and the line about the only bot."""
    done = await asyncio.to_thread(check, folder)
    assert "sesame" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, json.loads(done.stdout)


async def test_a_check_asks_the_endpoint(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("BOTS_TEST_KEY=sesame\n")
    async with FakeModel(key="sesame") as model:
        bots_file(tmp_path, model)
        code, row = await checked(tmp_path)
        assert (code, row["name"], row["ok"]) == (0, "gpt", True)
        assert row["ms"] > 0
        (tmp_path / ".env").write_text("BOTS_TEST_KEY=sesame-of-yesterday\n")
        code, row = await checked(tmp_path)
        assert (code, row["ok"], row["code"]) == (1, False, "bot_not_configured")
    code, row = await checked(tmp_path)
    assert (code, row["ok"], row["code"]) == (1, False, "model_unavailable")
