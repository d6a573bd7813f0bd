"""The fields that a contract declares, and those that a payload has, by the same names."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from jsonschema_rs import Draft202012Validator

Schema = Mapping[str, Any]
SCHEMAS = "#/components/schemas/"


class Fields:
    """Of a document's schemas, each as `Schema.field`."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._schemas = document["components"]["schemas"]

    def declared(self, roots: Iterable[Schema]) -> set[str]:
        """All that payloads of these schemas may have."""
        found: set[str] = set()
        waiting = [name for root in roots for name in _names(root)]
        known: set[str] = set()
        while waiting:
            name = waiting.pop()
            if name not in known:
                known.add(name)
                found |= {f"{name}.{field}" for field in self._schemas[name].get("properties", ())}
                waiting += _names(self._schemas[name])
        return found

    def had(self, schema: Schema, value: Any, name: str = "") -> Iterator[str]:
        """Those that the payload has."""
        if "$ref" in schema:
            name = schema["$ref"].removeprefix(SCHEMAS)
            yield from self.had(self._schemas[name], value, name)
        elif variants := schema.get("oneOf") or schema.get("anyOf"):
            yield from self.had(next(each for each in variants if self._fits(each, value)), value)
        elif isinstance(value, dict):
            for field, content in value.items():
                if field in schema.get("properties", ()):
                    if name:
                        yield f"{name}.{field}"
                    yield from self.had(schema["properties"][field], content)
        elif isinstance(value, list):
            for each in value:
                yield from self.had(schema["items"], each)

    def _fits(self, schema: Schema, value: Any) -> bool:
        whole = {"allOf": [schema], "components": {"schemas": self._schemas}}
        return Draft202012Validator(whole).is_valid(value)


def _names(schema: Any) -> Iterator[str]:
    """The schemas that this one refers to."""
    if isinstance(schema, Mapping):
        for key, value in schema.items():
            if key == "$ref":
                yield value.removeprefix(SCHEMAS)
            else:
                yield from _names(value)
    elif isinstance(schema, list):
        for each in schema:
            yield from _names(each)
