"""Bots that an operator declares, as people on the server meet them."""

from pathlib import Path

import pytest
from aiohttp import ClientSession

from chatserver.observability.metrics import Metrics
from chatserver.observability.model_use import ModelUse
from tests.conftest import Connect
from tests.integration.protocol.people import session_of
from tests.servers import StartServer
from tests.unit.bots.models import FakeModelBot

BOTS = """\
[[bot]]
name = "gpt"
model = "large"
prompt = "p"
key_variable = "BOTS_TEST_KEY"
window = 12

[[bot]]
name = "careful"
model = "small"
prompt = "p"
key_variable = "BOTS_TEST_KEY"
fallback = "echo"
"""


@pytest.fixture
def bots_file(tmp_path: Path) -> Path:
    path = tmp_path / "bots.toml"
    path.write_text(BOTS)
    return path


async def test_without_a_key_a_prompt_ends_in_a_clear_error(
    server: StartServer, connect: Connect, bots_file: Path
) -> None:
    ada = await connect(await server(bots_file=bots_file))
    session_id = await session_of(ada, bot="gpt")
    prompt = await ada.say(session_id, "hello?")
    failed = await ada.told("reply_failed", prompt_seq=prompt["seq"])
    assert failed["sender"]["name"] == "gpt"
    assert (failed["data"]["code"], failed["data"]["retryable"]) == ("bot_not_configured", False)
    assert "gpt" in failed["data"]["message"]
    assert "BOTS_TEST_KEY" not in failed["data"]["message"]
    again = await ada.say(session_id, "still there?")
    await ada.told("reply_failed", prompt_seq=again["seq"])


async def test_without_a_key_the_fallback_answers_under_the_name_of_the_bot(
    server: StartServer, connect: Connect, bots_file: Path
) -> None:
    ada = await connect(await server(bots_file=bots_file))
    session_id = await session_of(ada, bot="careful")
    prompt = await ada.say(session_id, "hello?")
    answer = await ada.told("message_created", reply_to=prompt["seq"])
    assert (answer["sender"]["name"], answer["data"]["text"]) == ("careful", "hello?")


async def test_a_bot_sees_as_many_messages_as_its_window_needs(
    server: StartServer, connect: Connect, bots_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOTS_TEST_KEY", "sesame")
    running = await server(bots_file=bots_file, model_bots=FakeModelBot, context_messages=4)
    ada = await connect(running)
    session_id = await session_of(ada, bot="gpt")
    answers = []
    for number in range(8):
        prompt = await ada.say(session_id, f"message {number}")
        answers.append(await ada.told("message_created", reply_to=prompt["seq"]))
    assert [answer["data"]["text"] for answer in answers[-3:]] == [
        "large saw 11",
        "large saw 12",
        "large saw 12",
    ]


async def test_declared_bots_are_told_to_clients_with_the_default_of_the_environment(
    server: StartServer, connect: Connect
) -> None:
    running = await server(openai_key="sesame", default_bot="gpt", model_bots=FakeModelBot)
    ada = await connect(running)
    welcome = ada.inbox.all("welcome")[0]
    assert [bot["name"] for bot in welcome["bots"]] == ["gpt", "corpus", "echo"]
    assert welcome["server"]["default_bot"] == "gpt"
    assert "sesame" not in str(welcome)


async def test_the_tokens_and_errors_of_models_are_on_the_metrics_page(
    server: StartServer,
) -> None:
    running = await server()
    async with ClientSession() as http, http.get(f"{running.url}/metrics") as answer:
        page = await answer.text()
    assert "chatserver_model_tokens_total" in page
    assert "chatserver_model_errors_total" in page


def test_what_a_model_used_and_how_it_failed_is_counted_by_bot_and_kind() -> None:
    metrics = Metrics()
    use = ModelUse(metrics)
    use.used("gpt", 7, 5, 2)
    use.used("gpt", 1, 1, 0)
    use.failed("gpt", "rate_limited")

    def value(name: str, kind: str) -> float | None:
        labels = {"bot": "gpt", "kind": kind}
        return metrics.registry.get_sample_value(f"chatserver_model_{name}_total", labels)

    assert [value("tokens", kind) for kind in ("prompt", "completion", "reasoning")] == [8, 6, 2]
    assert value("errors", "rate_limited") == 1
