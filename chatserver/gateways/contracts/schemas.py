"""JSON schemas of the models: what several contracts speak of is described once, here."""

from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from chatserver.chat.errors import CODES, meanings
from chatserver.chat.events import DURABLE, EventData
from chatserver.chat.models import Event, EventType
from chatserver.gateways.contracts.errors import ErrorDetails

Schema = dict[str, Any]
Described = tuple[type[BaseModel], Literal["validation", "serialization"]]

MESSAGES = ("message", "last_message")
"""What fields are called that hold no other Event than a `message_created`."""

LEFT_OUT_WHEN_NONE = (EventData, ErrorDetails)
PREFIX = "#/components/schemas/"


def asked(model: type[BaseModel]) -> Described:
    """As it may come in; also for what is left out when unset, which only this mode tells."""
    return model, "validation"


def told(model: type[BaseModel]) -> Described:
    """As it goes out, whole."""
    return model, "serialization"


def describe(models: Iterable[Described]) -> tuple[dict[type[BaseModel], Schema], Schema]:
    """References to the models, and the schemas by name that these lead to."""
    wanted = dict.fromkeys([*models, told(Event), *map(asked, DURABLE.values())])
    found, definitions = models_json_schema(
        [(model, mode) for model, mode in wanted], ref_template=PREFIX + "{model}"
    )
    refs = {model: found[model, mode] for model, mode in wanted}
    schemas: Schema = definitions["$defs"]
    for schema in schemas.values():
        _forget_null_defaults(schema)
    for model, ref in refs.items():
        if issubclass(model, LEFT_OUT_WHEN_NONE):
            _forget_null(schemas[name_of(ref)])
        if issubclass(model, ErrorDetails):
            schemas[name_of(ref)]["properties"]["code"] = reference("ErrorCode")
            schemas["ErrorCode"] = _error_codes()
    _tell_events_apart(schemas, refs)
    return refs, dict(sorted(schemas.items()))


def reference(name: str) -> Schema:
    return {"$ref": PREFIX + name}


def name_of(ref: Schema) -> str:
    return str(ref["$ref"]).removeprefix(PREFIX)


def event_name(data: type[EventData]) -> str:
    """The name of the schema of a whole durable event."""
    return f"{data.__name__}Event"


def _tell_events_apart(schemas: Schema, refs: dict[type[BaseModel], Schema]) -> None:
    """An Event is one of those that there are; its `type` says what its `data` is."""
    event = schemas["Event"]
    for kind, data in DURABLE.items():
        schemas[event_name(data)] = event | {
            "title": event_name(data),
            "description": data.doc,
            "properties": event["properties"]
            | {"type": {"type": "string", "const": kind.value}, "data": refs[data]},
        }
    schemas["Event"] = {
        "title": "Event",
        "description": event["description"],
        "oneOf": [reference(event_name(data)) for data in DURABLE.values()],
    }
    del schemas["EventType"]
    message = reference(event_name(DURABLE[EventType.MESSAGE_CREATED]))
    for schema in schemas.values():
        for field in filter(None, map(schema.get("properties", {}).get, MESSAGES)):
            for each in (field, *field.get("anyOf", ())):
                if each.get("$ref") == reference("Event")["$ref"]:
                    each.update(message)


def _error_codes() -> Schema:
    return {
        "title": "ErrorCode",
        "description": "\n".join(
            ["Stable, for programs:", "", *(f"- `{code}`: {text}" for code, text in meanings())]
        ),
        "type": "string",
        "enum": list(CODES),
    }


def _forget_null_defaults(schema: Schema) -> None:
    """None stands for "left out" in our models, which is not always what null says (`bot`)."""
    for field in schema.get("properties", {}).values():
        if "default" in field and field["default"] is None:
            del field["default"]


def _forget_null(schema: Schema) -> None:
    """What may be left out is never null."""
    for name, field in schema["properties"].items():
        if "anyOf" in field and name not in schema.get("required", ()):
            (kind,) = [each for each in field.pop("anyOf") if each.get("type") != "null"]
            field.update(kind)
