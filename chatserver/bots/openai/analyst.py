"""A model that reads a conversation and answers in JSON: for titles and summaries."""

import json
from collections.abc import Sequence
from contextlib import closing
from typing import Any

from chatserver.bots.declaration import ModelBotDeclaration
from chatserver.bots.openai.completion import Completion
from chatserver.bots.openai.deadlines import Deadlines
from chatserver.bots.openai.endpoint import Endpoint, explained
from chatserver.bots.openai.failures import BadRequest, OutputLimit, UnknownLimit
from chatserver.bots.openai.limit import LIMIT
from chatserver.bots.openai.observer import ModelObserver
from chatserver.bots.openai.prompt import Message, transcript
from chatserver.chat.models import Event

MAX_TOKENS = 4_000
"""Of an answer, the reasoning before it included; where the endpoint takes such a bound."""

SHAPE = "Answer with one JSON object of this JSON Schema, and with nothing else:"

Form = dict[str, Any] | None
"""How an endpoint is asked for JSON: its `response_format`; None: in words alone."""


class OpenAiAnalyst:
    """`summaries.analyst.Analyst`, asked through the endpoint of a declared bot.

    Asks for JSON of the schema; an endpoint that refuses that is asked for any JSON, and one that
    refuses that too in words alone. What it took is remembered, and so is a refused bound.
    """

    def __init__(
        self,
        declaration: ModelBotDeclaration,
        key: str | None,
        observer: ModelObserver,
        seconds: float,
    ) -> None:
        """`seconds` is how long an answer may take, all forms together."""
        longest = min(seconds, declaration.total_seconds)
        self._declaration = declaration.model_copy(update={"total_seconds": longest})
        self._endpoint = Endpoint(declaration, key, observer)
        self._refused_forms = 0
        self._bounded = True

    async def analyse(
        self, task: str, messages: Sequence[Event], name: str, schema: dict[str, Any]
    ) -> str:
        prompt = transcript(f"{task}\n\n{SHAPE} {json.dumps(schema)}", messages)
        forms = _forms(name, schema)
        with explained(), closing(Deadlines(self._declaration)) as deadlines:
            for number, form in enumerate(forms[self._refused_forms :], start=self._refused_forms):
                try:
                    answer = await self._ask(prompt, form, deadlines)
                except BadRequest:
                    if number == len(forms) - 1:
                        raise
                    continue
                self._refused_forms = number
                return answer.text
        raise AssertionError("the last form returns or raises")

    async def close(self) -> None:
        await self._endpoint.close()

    async def _ask(self, prompt: list[Message], form: Form, deadlines: Deadlines) -> Completion:
        extra: dict[str, Any] = {} if form is None else {"response_format": form}
        if self._bounded:
            try:
                return await self._complete(prompt, {**extra, LIMIT: MAX_TOKENS}, deadlines)
            except (OutputLimit, UnknownLimit):
                self._bounded = False
        return await self._complete(prompt, extra, deadlines)

    async def _complete(
        self, prompt: list[Message], extra: dict[str, Any], deadlines: Deadlines
    ) -> Completion:
        with self._endpoint.counting():
            answer = await self._endpoint.upstream.complete(prompt, deadlines, extra=extra)
        self._endpoint.used(answer.usage)
        return answer


def _forms(name: str, schema: dict[str, Any]) -> list[Form]:
    strict = {"name": name, "strict": True, "schema": schema}
    return [{"type": "json_schema", "json_schema": strict}, {"type": "json_object"}, None]
