"""Servers whose summaries and titles a fake model writes."""

import json
from typing import Any

from chatserver.testing import Behaviour, FakeModel, ModelRequest, Silence, Speak
from tests.servers import RunningServer, StartServer

SUMMARY = {
    "text": "They talk about tea.",
    "topics": ["tea", "kettles"],
    "sentiment": "positive",
    "highlights": [],
}


def writes(answer: Any) -> Speak:
    """Answers with that JSON, or with that text."""
    return Speak((answer if isinstance(answer, str) else json.dumps(answer),))


class Writer:
    """The model behind the bot `gpt`: streams replies, and writes what a test tells it to."""

    def __init__(self) -> None:
        self.writing: Behaviour = Silence()
        self.model = FakeModel(default=self._behave)

    @property
    def asked(self) -> list[ModelRequest]:
        """What it was asked to write; replies aside."""
        return [request for request in self.model.requests if not request.body.get("stream")]

    async def serve(self, server: StartServer, **settings: Any) -> RunningServer:
        given: dict[str, Any] = {"openai_key": "sesame", "openai_base_url": self.model.base_url}
        return await server(**{**given, "default_bot": "gpt", **settings})

    def _behave(self, asked: ModelRequest) -> Behaviour:
        return Speak() if asked.body.get("stream") else self.writing
