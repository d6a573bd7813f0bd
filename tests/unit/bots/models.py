"""Declarations, and what speaks for them where no endpoint does."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

from chatserver.bots.declaration import ModelBotDeclaration
from chatserver.chat.models import BotInfo, Event
from chatserver.chat.ports import BotError, ReplyContext


def declaration(name: str, **given: Any) -> ModelBotDeclaration:
    return ModelBotDeclaration.model_validate(
        {"name": name, "model": "m", "prompt": "p", "key_variable": "KEY", **given}
    )


class FakeModelBot:
    """`bots.model.ModelBot` that says its model's name and how many messages it sees."""

    def __init__(self, declaration: ModelBotDeclaration, key: str | None) -> None:
        self.info = BotInfo(name=declaration.name, description=declaration.description)
        self.key = key
        self.failing: BotError | None = None
        self.closed = False
        self._model = declaration.model

    async def reply(self, context: ReplyContext) -> AsyncIterator[str]:
        if self.failing is not None:
            raise self.failing
        yield f"{self._model} saw {len(context.messages)}"

    async def check(self) -> None:
        if self.failing is not None:
            raise self.failing

    async def close(self) -> None:
        self.closed = True


class RememberingBot:
    """`chat.ports.RememberingBot` that is shown the prompt alone, and folds when a test lets it."""

    info = BotInfo(name="rememberer", description="remembers")
    remembers = True

    def __init__(self, failure: Exception | None = None) -> None:
        self.folding = 0
        self.may_fold = asyncio.Event()
        self._failure = failure

    async def reply(self, context: ReplyContext) -> AsyncIterator[str]:
        yield "said"

    def shown_from(self, context: ReplyContext) -> int:
        return context.prompt.seq

    async def fold(self, memory: str | None, turns: Sequence[Event]) -> str:
        if self._failure is not None:
            raise self._failure
        self.folding += 1
        await self.may_fold.wait()
        return "Something was said."
