"""A command's fields, split over the parts of a request: path, query and body.

The parts are models derived from the command's, so that its fields are described in one place; they
are what requests are checked against and what the contract shows.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, create_model

from chatserver.chat.commands import BotName, Id, Seq
from chatserver.chat.errors import ChatError, InvalidPayload, NotFound
from chatserver.chat.models import Model


def _nameable(chat_id: str) -> str:
    """Raises `NotFound`: what can name nothing is answered as what names nothing."""
    if not re.fullmatch(r"[\x21-\x7e]{1,64}", chat_id):
        raise NotFound("no such chat")
    return chat_id


ChatId = Annotated[str, AfterValidator(_nameable)]

PATH_FIELDS: dict[str, Any] = {
    "session_id": Id,
    "chat_id": ChatId,
    "seq": Seq,
    "reply_id": Id,
    "bot": BotName,
}
"""What may stand in braces in a path."""


class Body(Model):
    """A JSON object: a number in quotes is no number."""

    model_config = ConfigDict(strict=True)


class Words(Model):
    """What stands in a URL: all of it text, read as the type that is meant."""


def placeholders(path: str) -> list[str]:
    return re.findall(r"{(\w+)}", path)


def path_part(path: str) -> type[Model]:
    fields: dict[str, Any] = {name: (PATH_FIELDS[name], ...) for name in placeholders(path)}
    return create_model("Path", __base__=Words, **fields)


def path_errors(path: str) -> Iterator[type[ChatError]]:
    """What is raised for what does not fit its place in a path."""
    for name in placeholders(path):
        yield NotFound if PATH_FIELDS[name] is ChatId else InvalidPayload


def body_part(
    command: type[BaseModel], without: Collection[str], changed: Mapping[str, Any] | None = None
) -> type[Model]:
    """The command's fields but for those that the path holds; `changed` gives some another type."""
    return _part(f"{command.__name__}Body", Body, command, without, changed or {})


def query_part(command: type[BaseModel], without: Collection[str]) -> type[Model]:
    return _part(f"{command.__name__}Query", Words, command, without, {})


def unset(annotation: Any) -> tuple[Any, Any]:
    """A field that may be left out, but not null. (Its None is never read: it is not set.)"""
    # Not strict: JSON has no enumerations, and a Title is a string either way.
    return annotation, Field(default=None, strict=False)


def _part(
    name: str,
    base: type[Model],
    command: type[BaseModel],
    without: Collection[str],
    changed: Mapping[str, Any],
) -> type[Model]:
    fields: dict[str, Any] = {
        field: (info.annotation, info)
        for field, info in command.model_fields.items()
        if field not in without
    }
    part: type[Model] = create_model(
        name, __base__=base, __doc__=command.__doc__, **(fields | dict(changed))
    )
    return part
