"""Declarations, and what speaks for them where no endpoint does."""

from collections.abc import AsyncIterator
from typing import Any

from chatserver.bots.declaration import ModelBotDeclaration
from chatserver.chat.models import BotInfo
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
