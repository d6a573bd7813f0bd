"""What is made of JSON schemas for TypeScript, and that tsc takes it as it is meant."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from chatserver.gateways.contracts import typescript
from chatserver.gateways.contracts.typescript import type_of
from tests.nodejs import node, web_package

USES = """
import { io } from "socket.io-client";
import type { ChatSocket, Event, ErrorCode, ServerToClientEvents } from "./protocol.js";

const socket: ChatSocket = io("/chat", { auth: { token: "t" } });
socket.on("message_created", (event) => console.log(event.seq + 1, event.data.text.length));
const ack = await socket.emitWithAck("create_session", { title: "Tea", visibility: "link" });
const said: string = ack.ok ? ack.data.session.id : ack.error.code;
const bot: string | null = ack.ok ? ack.data.session.bot : null;
function textOf(event: Event): string {
  return event.type === "reply_failed" ? event.data.message : event.type;
}
const code: ErrorCode = "busy";
const names: (keyof ServerToClientEvents)[] = ["welcome", "reply_delta"];
console.log(said, bot, textOf, code, names);
"""

MISUSES = {
    "an event that there is not": 'socket.on("kettle_boiled", () => {});',
    "a field that there is not": 'socket.on("reply_delta", (delta) => delta.seq);',
    "a payload that lacks something": 'socket.emit("mark_read", { session_id: "s" }, () => {});',
    "a value that there is not": 'socket.emitWithAck("create_session", { visibility: "secret" });',
    "an ack that may be an error": (
        'socket.emitWithAck("create_session", {}).then((ack) => ack.data.session);'
    ),
    "a code that there is not": 'const code: ErrorCode = "out_of_tea";',
    "the data of another type of event": 'socket.on("message_kept", (event) => event.data.text);',
}


@pytest.mark.parametrize(
    ("schema", "written"),
    [
        ({"type": "integer"}, "number"),
        ({"type": "string", "format": "date-time"}, "string"),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "string | null"),
        ({"anyOf": [{"type": "integer"}, {"type": "number"}]}, "number"),
        ({"enum": ["a", "b"]}, '"a" | "b"'),
        ({"type": "boolean", "const": True}, "true"),
        ({"type": "array", "items": {"$ref": "#/components/schemas/Event"}}, "Event[]"),
        ({"type": "array", "items": {"enum": ["a", "b"]}}, '("a" | "b")[]'),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, "Record<string, number>"),
        ({"type": "object", "additionalProperties": False}, "Record<string, never>"),
    ],
)
def test_a_schema_becomes_a_type(schema: dict[str, Any], written: str) -> None:
    assert type_of(schema) == written


@pytest.mark.parametrize(
    "schema",
    [{}, {"type": "object"}, {"type": "object", "properties": {}}, {"type": ["string", "null"]}],
)
def test_a_schema_of_another_make_is_no_type_at_all(schema: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no type"):
        type_of(schema)


def complaints(folder: Path, program: str) -> str:
    """What tsc says of a program beside the declarations."""
    modules = web_package().parent / "node_modules"
    (folder / "node_modules").symlink_to(modules)
    (folder / "package.json").write_text('{"type": "module"}')
    (folder / "protocol.d.ts").write_text(typescript.declarations())
    (folder / "program.ts").write_text(program)
    options = "--strict --noEmit --target es2022 --module nodenext --skipLibCheck --types node"
    done = subprocess.run(
        [node(), str(modules / "typescript" / "bin" / "tsc"), *options.split(), "program.ts"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    return done.stdout + done.stderr


def test_socket_io_client_takes_the_declarations_as_its_own(tmp_path: Path) -> None:
    assert complaints(tmp_path, USES) == ""


def test_each_misuse_is_found(tmp_path: Path) -> None:
    found = complaints(tmp_path, USES + "".join(f"{{ {each} }}\n" for each in MISUSES.values()))
    first = USES.count("\n") + 1
    wrong = {int(line) for line in re.findall(r"program\.ts\((\d+),", found)}
    assert wrong == set(range(first, first + len(MISUSES))), found
