"""A model's bot in a whole server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chatserver.testing import FakeModel, Speak, Usage, cut, hang
from tests.conftest import Connect
from tests.declared import bots_file
from tests.integration.bots.conftest import Ask
from tests.servers import StartServer
from tests.waiting import eventually

HISTORY = [("user", "Who are you?"), ("assistant", "Ada."), ("user", "Really?")]


async def test_a_talk_is_answered_with_what_was_said_before(
    server: StartServer, connect: Connect, ask: Ask
) -> None:
    async with FakeModel(Speak(("Ada.",)), Speak(("Yes", "."))) as model:
        running = await server(bots=[ask(model).bot], default_bot="ada")
        eve = await connect(running, "Eve")
        session_id = (await eve.do("create_session", title="Talk"))["session"]["id"]
        for question in ("Who are you?", "Really?"):
            await eve.say(session_id, question)
            await eve.told("reply_finished", session_id=session_id)
    sent = [(m["role"], m["content"]) for m in model.requests[-1].body["messages"]]
    assert sent[1:] == HISTORY


async def test_stopping_a_reply_ends_the_stream_at_the_model_and_keeps_what_was_said(
    server: StartServer, connect: Connect, ask: Ask
) -> None:
    async with FakeModel(hang(["Once upon a time"])) as model:
        running = await server(bots=[ask(model).bot], default_bot="ada")
        eve = await connect(running, "Eve")
        session_id = (await eve.do("create_session", title="Talk"))["session"]["id"]
        await eve.say(session_id, "A story?")
        delta = await eve.told("reply_delta", text="Once upon a time")
        assert model.open_streams == 1
        await eve.do("stop_reply", session_id=session_id, reply_id=delta["reply_id"])
        await eventually(lambda: model.open_streams == 0, within=1.0)
        message = await eve.told("message_created", stopped=True)
    assert message["data"]["text"] == "Once upon a time"


@pytest.mark.parametrize("pieces", [[], ["Once upon"]], ids=["before", "after the first piece"])
async def test_a_model_that_breaks_off_fails_the_reply_with_its_reason(
    server: StartServer, connect: Connect, ask: Ask, pieces: list[str]
) -> None:
    async with FakeModel(default=cut(pieces)) as model:
        running = await server(bots=[ask(model, retries=0).bot], default_bot="ada")
        eve = await connect(running, "Eve")
        session_id = (await eve.do("create_session", title="Talk"))["session"]["id"]
        await eve.say(session_id, "A story?")
        failed = await eve.told("reply_failed", session_id=session_id)
    assert failed["data"]["code"] == "model_unavailable"
    assert failed["data"]["retryable"] is True


async def test_who_used_up_the_tokens_of_the_day_is_refused(
    server: StartServer, connect: Connect, ask: Ask
) -> None:
    async with FakeModel(default=Speak(usage=Usage(prompt=60, completion=20))) as model:
        running = await server(
            bots=[ask(model).bot], default_bot="ada", tokens_per_participant_day=100
        )
        eve, bob = await connect(running, "Eve"), await connect(running, "Bob")
        session_id = (await eve.do("create_session", visibility="link"))["session"]["id"]
        await bob.do("join_session", session_id=session_id)
        for question in ("A story?", "Another?"):
            await eve.say(session_id, question)
            await eve.told("reply_finished", session_id=session_id)
        more = {"session_id": session_id, "text": "More?", "client_message_id": "more"}
        error = await eve.refused("send_message", more)
        assert (error["code"], error["message"]) == (
            "quota_exceeded",
            "the 100 tokens a day are used up",
        )
        await bob.say(session_id, "And mine?")
        await bob.told("reply_finished", session_id=session_id)


async def test_a_stopped_answer_uses_up_tokens_though_nobody_counted_them(
    server: StartServer, connect: Connect, ask: Ask
) -> None:
    async with FakeModel(hang(["Once ", "upon ", "a ", "time"])) as model:
        running = await server(
            bots=[ask(model).bot], default_bot="ada", tokens_per_participant_day=5
        )
        eve = await connect(running, "Eve")
        session_id = (await eve.do("create_session", title="Talk"))["session"]["id"]
        await eve.say(session_id, "A story?")
        delta = await eve.told("reply_delta")
        await eve.do("stop_reply", session_id=session_id, reply_id=delta["reply_id"])
        await eve.told("reply_stopped")
        more = {"session_id": session_id, "text": "More?", "client_message_id": "more"}
        assert (await eve.refused("send_message", more))["code"] == "quota_exceeded"


class Thoughts(tuple[str, ...]):
    """Knows how many of them the model has begun with."""

    begun = 0

    def __iter__(self) -> Iterator[str]:
        for thought in super().__iter__():
            self.begun += 1
            yield thought


async def test_a_reply_that_is_stopped_while_its_model_thinks_uses_up_tokens(
    server: StartServer, connect: Connect, tmp_path: Path
) -> None:
    thoughts = Thoughts(["Hm. "] * 10_000)
    async with FakeModel(Speak(reasoning=thoughts, pace=0.01)) as model:
        file = bots_file(tmp_path, model, key_variable="")
        eve = await connect(await server(bots_file=file, tokens_per_participant_day=1), "Eve")
        session_id = (await eve.do("create_session", bot="gpt"))["session"]["id"]
        await eve.say(session_id, "A story?")
        reply_id = (await eve.told("reply_started"))["reply_id"]
        await eventually(lambda: thoughts.begun > 10)
        await eve.do("stop_reply", session_id=session_id, reply_id=reply_id)
        await eve.told("reply_stopped")
        more = {"session_id": session_id, "text": "More?", "client_message_id": "more"}
        assert (await eve.refused("send_message", more))["code"] == "quota_exceeded"
