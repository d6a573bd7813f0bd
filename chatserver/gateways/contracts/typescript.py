"""TypeScript declarations of the events, for socket.io-client's generics.

    const socket: Socket<ServerToClientEvents, ClientToServerEvents> = io("/chat", {auth});

Only what our schemas are made of is translated; anything else is an error, never `any`.
"""

import json
import textwrap
from collections.abc import Iterable, Iterator

from chatserver.chat.commands import COMMANDS
from chatserver.chat.events import DURABLE, SIGNALS
from chatserver.chat.models import Token
from chatserver.gateways.contracts import asyncapi
from chatserver.gateways.contracts.schemas import Schema, describe, event_name, name_of, told

WIDTH = 100

HEAD = """\
// The events of the namespace /chat. Made from the server's registries: do not edit.

import type { Socket } from "socket.io-client";

/** What every client event is acked with. */
export type Ack<T> = { ok: true; data: T } | { ok: false; error: ErrorBody };

/** The socket of `io("/chat", {auth})`. */
export type ChatSocket = Socket<ServerToClientEvents, ClientToServerEvents>;

/** What a client event carries. */
export type Payload<Name extends keyof ClientToServerEvents> =
  Parameters<ClientToServerEvents[Name]>[0];

/** The `data` of its ack, once it is done. */
export type Done<Name extends keyof ClientToServerEvents> =
  Parameters<Parameters<ClientToServerEvents[Name]>[1]>[0] extends Ack<infer T> ? T : never;
"""

PLAIN = {
    "string": "string",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "null": "null",
}


def declarations() -> str:
    """A module for TypeScript (`.d.ts`), the same for the same registries."""
    refs, schemas = describe([*asyncapi.models(), told(Token)])
    asked = {
        name: f"(payload: {name_of(refs[command])}, ack: (answer: "
        f"Ack<{name_of(refs[command.ack])}>) => void) => void"
        for name, command in COMMANDS.items()
    }
    told_of = {str(kind): f"(event: {event_name(data)}) => void" for kind, data in DURABLE.items()}
    told_of |= {
        name: f"(payload: {name_of(refs[signal])}) => void" for name, signal in SIGNALS.items()
    }
    docs = {name: each.doc for name, each in (COMMANDS | SIGNALS).items()}
    docs |= {str(kind): data.doc for kind, data in DURABLE.items()}
    return "\n".join(
        [
            HEAD,
            _handlers("ClientToServerEvents", asked, docs),
            _handlers("ServerToClientEvents", told_of, docs),
            *(_declaration(name, schema) for name, schema in schemas.items()),
        ]
    )


def _handlers(name: str, events: dict[str, str], docs: dict[str, str]) -> str:
    lines = [f"export interface {name} {{"]
    for event, handler in events.items():
        lines += [*_comment(docs[event], "  "), f"  {event}: {handler};"]
    return "\n".join([*lines, "}", ""])


def _declaration(name: str, schema: Schema) -> str:
    comment = _comment(schema.get("description", ""))
    if "properties" in schema:
        head = f"export interface {name} {{"
        return "\n".join([*comment, head, *_fields(schema), "}", ""])
    line = f"export type {name} = {type_of(schema)};"
    if len(line) > WIDTH:
        line = f"export type {name} =\n  | " + type_of(schema).replace(" | ", "\n  | ") + ";"
    return "\n".join([*comment, line, ""])


def _fields(schema: Schema) -> Iterator[str]:
    for name, field in schema["properties"].items():
        yield from _comment(field.get("description", ""), "  ")
        optional = "" if name in schema.get("required", ()) else "?"
        yield f"  {name}{optional}: {type_of(field)};"


def type_of(schema: Schema) -> str:
    """The type of what fits the schema. Raises `ValueError` for a schema of another make."""
    if "$ref" in schema:
        return name_of(schema)
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return _union(map(json.dumps, schema["enum"]))
    if variants := schema.get("oneOf") or schema.get("anyOf"):
        return _union(map(type_of, variants))
    kind = schema.get("type")
    if isinstance(kind, str) and kind in PLAIN:
        return PLAIN[kind]
    if kind == "array":
        item = type_of(schema["items"])
        return f"({item})[]" if " | " in item else f"{item}[]"
    if kind == "object" and "properties" not in schema:
        values = schema.get("additionalProperties")
        if values is False:
            return "Record<string, never>"
        if isinstance(values, dict):
            return f"Record<string, {type_of(values)}>"
    raise ValueError(f"no type for {schema}")


def _union(types: Iterable[str]) -> str:
    return " | ".join(dict.fromkeys(types))


def _comment(text: str, indent: str = "") -> list[str]:
    if not text:
        return []
    text = text.replace("*/", "*\\/")
    if "\n" not in text and len(indent) + len(text) + 7 <= WIDTH:
        return [f"{indent}/** {text} */"]
    lines = [
        wrapped
        for line in text.split("\n")
        for wrapped in textwrap.wrap(line, WIDTH - len(indent) - 3) or [""]
    ]
    return [f"{indent}/**", *(f"{indent} * {line}".rstrip() for line in lines), f"{indent} */"]
