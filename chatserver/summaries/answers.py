"""What a model may answer: read strictly, because a model may answer anything."""

import re
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, ValidationError

from chatserver.chat.ports import BotError
from chatserver.chat.summary import Sentiment

MAX_ITEMS = 20
"""A longer list is no answer; of a shorter one the first are taken."""


class BadAnswer(Exception):
    """The model answered something else than it was asked for."""


def kind_of(failure: BotError | BadAnswer | TimeoutError) -> str:
    """What the log says of a model that gave no answer."""
    if isinstance(failure, BotError):
        return failure.error.code
    return "bad_answer" if isinstance(failure, BadAnswer) else "timeout"


class Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


A = TypeVar("A", bound=Answer)


BOUNDS = {"title", "description", "$defs", "minLength", "maxLength"}
"""What strict endpoints refuse, or have no use for."""


CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


def _text(longest: int) -> Any:
    return StringConstraints(strip_whitespace=True, min_length=1, max_length=longest)


def _printable(text: str) -> str:
    return CONTROL.sub("", text)


class Quote(Answer):
    seq: int
    text: Annotated[str, _text(300)]


class SummaryAnswer(Answer):
    text: Annotated[str, _text(2_000), AfterValidator(_printable)]
    topics: list[Annotated[str, _text(60), AfterValidator(_printable)]]
    sentiment: Sentiment
    highlights: list[Quote]


class TitleAnswer(Answer):
    title: Annotated[str, _text(200)]


def read(kind: type[A], answer: str) -> A:
    """The answer, out of the prose or the fence that may stand around it. Raises `BadAnswer`."""
    start, end = answer.find("{"), answer.rfind("}")
    try:
        found = kind.model_validate_json(answer[start : end + 1])
    except ValidationError as problem:
        # Its words would name the model's fields, which may be anything.
        raise BadAnswer(f"{problem.error_count()} mistakes") from None
    if any(isinstance(value, list) and len(value) > MAX_ITEMS for _, value in found):
        raise BadAnswer("a list without end")
    return found


def schema(kind: type[Answer]) -> dict[str, Any]:
    """In the part of JSON Schema that strict endpoints know: no bounds, no references."""
    whole = kind.model_json_schema()
    return _plain(whole, whole.get("$defs", {}))


def _plain(node: dict[str, Any], defs: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in node:
        return _plain(defs[node["$ref"].rpartition("/")[2]], defs)
    plain = {key: value for key, value in node.items() if key not in BOUNDS}
    if "properties" in node:
        plain["properties"] = {k: _plain(v, defs) for k, v in node["properties"].items()}
    if "items" in node:
        plain["items"] = _plain(node["items"], defs)
    return plain
