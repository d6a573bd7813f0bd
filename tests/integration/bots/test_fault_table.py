"""A model that fails behind a whole server, held to the table of docs/bots.md."""

import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from chatserver.testing import (
    Behaviour,
    Ending,
    FakeModel,
    Refuse,
    Silence,
    Speak,
    bad_request,
    broken_off,
    content_filtered,
    context_too_long,
    cut,
    garbage,
    hang,
    huge,
    keep_alives,
    rate_limited,
    server_error,
    unauthorized,
)
from tests.conftest import Connect
from tests.declared import bots_file
from tests.integration.protocol.people import log_of, session_of
from tests.raw import RawClient
from tests.servers import RunningServer, StartServer
from tests.waiting import eventually
from tests.wire import Wire

DOCS = Path(__file__).resolve().parents[3] / "docs" / "bots.md"
KEY = "sesame-open-up"
ANSWER = ("All ", "is ", "well.")
SAID = ("Once ", "upon 🙂 ", "a ")
CHARS = 1_000

BOUNDS = {
    "at once": 0.0,
    "1 second": 1.0,
    "`Retry-After`": 1.5,  # the second that is asked for, and up to half a one of our own
    "`retries`": 0.5,  # up to so much before the only retry of the test's bot
    # Long enough for a busy machine to answer within, once the model is well.
    "`first_token_seconds`": 0.8,
    "`idle_seconds`": 0.8,
    "`total_seconds`": 0.8,
}
"""Seconds."""
SLACK = 2.0
"""What a busy machine may take for everything else."""


@dataclass(frozen=True)
class Promise:
    """A row of the table."""

    ends_after: str
    state: str
    code: str
    sentence: str
    """Of what the person reads, where the reply failed."""


@dataclass(frozen=True)
class Fault:
    """What the model does, request by request; from then on it is well."""

    script: tuple[Behaviour, ...]
    requests: int
    """How many are made until the reply ends."""
    text: str = "".join(ANSWER)
    """What the person reads where the reply is done."""
    reachable: bool = True


def does(*script: Behaviour, **more: Any) -> Fault:
    """It does so, and the reply ends."""
    return Fault(script, len(script), **more)


def then_well(*script: Behaviour) -> Fault:
    """It does so, and answers within the same reply."""
    return Fault(script, len(script) + 1)


ERROR = Speak(SAID, ending=Ending.ERROR)
TOO_LONG = context_too_long()
FAULTS = {
    "cannot be reached": [does(reachable=False)],
    "answers 429 with `Retry-After`, then well": [then_well(rate_limited(1))],
    "answers 429 each time": [does(rate_limited(), rate_limited())],
    "answers 429 because its quota is spent": [does(Refuse(429, "insufficient_quota"))],
    "answers 5xx, then well": [then_well(server_error())],
    "answers 5xx each time": [
        does(server_error(), server_error()),
        does(server_error(503), server_error(503)),
    ],
    "answers 401, 403 or 404": [does(unauthorized()), does(Refuse(403)), does(Refuse(404))],
    "answers 400": [does(bad_request())],
    "takes the request and says nothing": [does(Silence())],
    "opens the stream and says nothing": [does(hang())],
    "sends keep-alives and no answer": [does(keep_alives())],
    "falls silent in the middle of its answer": [does(hang(SAID))],
    "sends only keep-alives from the middle of its answer on": [does(keep_alives(SAID))],
    "answers for ever": [does(Speak(("on and ",) * 10_000, pace=0.01))],
    "breaks off before its answer, then answers well": [then_well(cut()), then_well(broken_off())],
    "breaks off in the middle of its answer": [does(cut(SAID))],
    "ends its answer without saying that it is whole": [does(broken_off(SAID))],
    "sends what is no chat completion": [does(garbage()), does(garbage(SAID))],
    "sends an error in the middle of its answer": [does(ERROR)],
    "answers nothing": [does(Speak(())), does(Speak(("\n", " ")))],
    "finds the messages too long, then takes fewer": [then_well(TOO_LONG)],
    "finds even the last message too long": [does(TOO_LONG, TOO_LONG)],
    "says more than `CHATSERVER_REPLY_CHARS`": [
        does(huge(2_000_000, "naïve🙂"), text=("naïve🙂" * CHARS)[:CHARS])
    ],
    "refuses by its content filter": [does(content_filtered()), does(content_filtered(SAID))],
    "says that its answer is whole, and never ends the stream": [
        does(Speak(ANSWER, ending=Ending.FINISHED_THEN_HANG))
    ],
}
THEIR_WORDS = re.compile(f"{KEY}|engine|not JSON|Slow down|had an error|Incorrect|maximum")
CASES = [
    pytest.param(case, fault, id=f"{case} {number}" if number else case)
    for case, faults in FAULTS.items()
    for number, fault in enumerate(faults)
]


def promises() -> dict[str, Promise]:
    """The table, by what the model does."""
    _, _, section = DOCS.read_text("utf-8").partition("## What happens when the model fails\n")
    rows = re.findall(r"^\| (.+) \|$", section.partition("\n## ")[0], re.MULTILINE)
    cells = [[cell.strip() for cell in row.split("|")] for row in rows[1:]]
    return {
        case: Promise(after, state, code.strip("`"), sentence)
        for case, after, state, code, sentence in cells
    }


PROMISES = promises()
WELL = Promise("at once", "done", "", "")


def test_every_row_of_the_table_is_tested() -> None:
    assert list(PROMISES) == list(FAULTS)


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOTS_TEST_KEY", KEY)


@pytest.mark.parametrize(("case", "fault"), CASES)
async def test_a_model_that_fails_ends_the_reply_as_promised(
    server: StartServer, connect: Connect, tmp_path: Path, case: str, fault: Fault
) -> None:
    promise = PROMISES[case]
    async with (
        FakeModel(*fault.script, default=Speak(ANSWER), key=KEY) as model,
        Wire(model.base_url) as wire,
    ):
        if not fault.reachable:
            wire.cut()
        file = bots_file(tmp_path, wire.url, retries=1, **deadlines(promise))
        asked = await ask(await server(bots_file=file, reply_chars=CHARS), connect)
        terminal = "reply_finished" if promise.state == "done" else "reply_failed"
        await asked.person.told(terminal)
        assert time.monotonic() - asked.at < BOUNDS[promise.ends_after] + SLACK
        await eventually(lambda: model.open_streams == 0, within=1.0)
        assert len(model.requests) == fault.requests
        await asked.check(promise, fault.text)
        if promise.state == "failed":
            await wire.mend()
            await asked.again()
            await asked.check(WELL, "".join(ANSWER))
            await eventually(lambda: model.open_streams == 0, within=1.0)


def deadlines(promise: Promise) -> dict[str, float]:
    """Short where it is to end the reply, else too long to matter."""
    awaited = promise.ends_after.strip("`")
    return {
        name: BOUNDS[promise.ends_after] if name == awaited else 60.0
        for name in ("first_token_seconds", "idle_seconds", "total_seconds")
    }


@dataclass(frozen=True)
class Asked:
    """A prompt on its way to a bot that sees what was said before."""

    running: RunningServer
    person: RawClient
    token: str
    prompt: dict[str, Any]
    at: float

    async def check(self, promise: Promise, text: str) -> None:
        """The reply ended so for whoever asks, in the log and in what the person was told."""
        reply = await self.reply()
        assert reply["state"] == promise.state
        log = await log_of(self.person, self.prompt["session_id"])
        assert log[self.prompt["seq"] - 1] == self.prompt, "the prompt is as it was"
        ends = [
            event["data"] for event in log if event["data"].get("reply_id") == reply["reply_id"]
        ]
        said = [data["text"] for data in ends if "text" in data]
        failed = [data for data in ends if "code" in data]
        if promise.state == "done":
            assert (said, failed, reply["error"]) == ([text], [], None)
        else:
            deltas = self.person.inbox.all("reply_delta", reply_id=reply["reply_id"])
            heard = "".join(delta["text"] for delta in deltas)
            assert said == ([heard] if heard.strip() else [])
            (data,) = failed
            assert (data["code"], data["message"]) == (promise.code, promise.sentence)
            assert reply["error"].items() <= data.items()
        assert not THEIR_WORDS.search(str(self.person.inbox.everything))

    async def again(self) -> None:
        """Retries it and waits for the answer."""
        old = await self.reply()
        target = {"session_id": self.prompt["session_id"], "reply_id": old["reply_id"]}
        new = (await self.person.do("retry_reply", **target))["reply"]
        await self.person.told("reply_finished", reply_id=new["reply_id"])

    async def reply(self) -> dict[str, Any]:
        """As the store has it."""
        session_id, seq = self.prompt["session_id"], self.prompt["seq"]
        path = f"/api/v1/sessions/{session_id}/messages/{seq}/reply"
        found: dict[str, Any] = (await self.running.rest("GET", path, token=self.token))["reply"]
        return found


async def ask(running: RunningServer, connect: Connect) -> Asked:
    token = await running.token()
    ada = await connect(running, token=token)
    session_id = await session_of(ada, bot="gpt", reply_policy="mention")
    for text in ("one", "two", "three"):
        await ada.say(session_id, text)
    began = time.monotonic()
    return Asked(running, ada, token, await ada.say(session_id, "@gpt four?"), began)
