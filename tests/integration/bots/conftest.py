"""A bot in front of the fake model, with what it was asked and what was observed."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from chatserver.bots.declaration import ModelBotDeclaration
from chatserver.bots.openai import OpenAiBot
from chatserver.chat.ports import BotError
from chatserver.cli.long import new_event_loop
from chatserver.testing import FakeModel
from tests.talks import said, talk

NETWORK = {"test_hanging_up.py", "test_transport.py"}
"""What they test, each kind of event loop does in its own way."""

LoopFactory = Callable[[], asyncio.AbstractEventLoop]


def pytest_asyncio_loop_factories(item: pytest.Item) -> Mapping[str, LoopFactory]:
    """asyncio's, and for the tests of the network also that of a running server."""
    factories: dict[str, LoopFactory] = {"asyncio": asyncio.new_event_loop}
    if item.path.name in NETWORK:
        factories["server's"] = new_event_loop
    return factories


@dataclass
class Observed:
    """`ModelObserver`."""

    usage: list[tuple[str, int, int, int]] = field(default_factory=list)
    rates: list[float] = field(default_factory=list)
    kinds: list[str] = field(default_factory=list)

    def used(
        self, bot: str, prompt_tokens: int, completion_tokens: int, reasoning_tokens: int
    ) -> None:
        self.usage.append((bot, prompt_tokens, completion_tokens, reasoning_tokens))

    def paced(self, bot: str, tokens_per_second: float) -> None:
        self.rates.append(tokens_per_second)

    def failed(self, bot: str, kind: str) -> None:
        self.kinds.append(kind)


@dataclass
class Outcome:
    """What became of one reply."""

    pieces: list[str]
    error: BotError | None

    @property
    def text(self) -> str:
        return "".join(self.pieces)

    @property
    def code(self) -> str | None:
        return None if self.error is None else self.error.error.code


@dataclass
class Asked:
    """A bot, and what it told its observer."""

    bot: OpenAiBot
    observed: Observed

    async def answer(self, *texts: str) -> Outcome:
        """Lets it answer the last text to its end."""
        context = talk(*[said(text) for text in texts or ("Hello?",)])
        outcome = Outcome([], None)
        try:
            async for piece in self.bot.reply(context):
                outcome.pieces.append(piece)
        except BotError as error:
            outcome.error = error
        return outcome


Ask = Callable[..., Asked]


@pytest.fixture
async def ask() -> AsyncIterator[Ask]:
    """`ask(model, idle_seconds=0.2)`: a bot of that declaration, closed in the end.

    Its deadlines are long enough not to matter where a test does not say otherwise.
    """
    async with AsyncExitStack() as stack:

        def make(
            model: FakeModel | str, *, key: str | None = "secret-key", **declared: Any
        ) -> Asked:
            url = model if isinstance(model, str) else model.base_url
            declaration = ModelBotDeclaration.model_validate(
                {"name": "ada", "model": "fake-model", "prompt": "Be brief.", "base_url": url}
                | {"key_variable": "MODEL_KEY", "first_token_seconds": 60, "idle_seconds": 60}
                | declared
            )
            observed = Observed()
            bot = OpenAiBot(declaration, key, observed)
            stack.push_async_callback(bot.close)
            return Asked(bot, observed)

        yield make


@pytest.fixture
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forgets those of this machine."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
