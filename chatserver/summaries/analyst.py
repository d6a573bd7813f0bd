"""Who reads a conversation and says something of it, as the summaries need it."""

from collections.abc import Sequence
from typing import Any, Protocol

from chatserver.chat.models import Event


class Analyst(Protocol):
    async def analyse(
        self, task: str, messages: Sequence[Event], name: str, schema: dict[str, Any]
    ) -> str:
        """An answer that should be JSON of this schema, called `name`. It need not be.

        The messages are shown as data, each with its `seq`; `task` says what to do with them.
        Raises `chat.ports.BotError`. Takes no longer than the analyst's deadline.
        """
        ...
