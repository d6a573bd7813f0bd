"""The AsyncAPI 3 document of the namespace `/chat`: everything that goes over Socket.IO.

The server's side is described: it receives what clients emit and sends what they are told. The
messages of the channel are the packets; an operation is an event, with its ack as the reply.
"""

from collections.abc import Iterable, Mapping

from pydantic import BaseModel

from chatserver.chat.commands import COMMANDS
from chatserver.chat.events import DURABLE, SIGNALS
from chatserver.gateways.contracts.errors import ErrorBody
from chatserver.gateways.contracts.handshake import ConnectAuth, ConnectRefused
from chatserver.gateways.contracts.schemas import (
    Described,
    Schema,
    asked,
    describe,
    event_name,
    reference,
    told,
)

NAMESPACE = "/chat"
CHANNEL = "#/channels/chat"
REFUSED = "refused"

INTRODUCTION = """\
Socket.IO 5 over Engine.IO 4, by WebSocket or long-polling, in the namespace `/chat`.

- Every client event carries one object and is acked: with `{ok: true, data}`, or with
  `{ok: false, error}`, after which nothing was stored or sent and the connection goes on.
- The events of a session's log have a `seq`, 1..N without a hole; who was away joins again with
  `after_seq`. Everything else is ephemeral: told to who is connected now, never repeated.
- Times are ISO 8601 in UTC, ids opaque strings. The server never asks a client for an ack.
"""


def document(*, title: str, version: str) -> Schema:
    """Everything a client of the events needs to know, taken from the registries."""
    refs, schemas = describe(models())
    return {
        "asyncapi": "3.0.0",
        "info": {"title": f"{title} events", "version": version, "description": INTRODUCTION},
        "defaultContentType": "application/json",
        "servers": {"chat": _server()},
        "channels": {
            "chat": {
                "address": NAMESPACE,
                "title": f"The namespace {NAMESPACE}",
                "servers": [{"$ref": "#/servers/chat"}],
                "messages": _messages(refs),
            }
        },
        "operations": _operations(),
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": {
                    "type": "apiKey",
                    "in": "password",
                    "description": "`token` in the `auth` object that a client connects with; "
                    "`POST /api/v1/tokens` gives one",
                }
            },
        },
    }


def models() -> Iterable[Described]:
    """Everything that the events are made of."""
    yield from (asked(ConnectAuth), asked(ErrorBody), asked(ConnectRefused))
    for command in COMMANDS.values():
        yield from (asked(command), told(command.ack))
    for signal in SIGNALS.values():
        yield told(signal)


def _server() -> Schema:
    return {
        "host": "{host}",
        "pathname": "/socket.io/",
        "protocol": "socket.io",
        "protocolVersion": "5",
        "description": "The same host as this document's; `https` and `wss` behind a balancer.",
        "variables": {"host": {"default": "127.0.0.1:8000", "description": "host and port"}},
        "security": [{"$ref": "#/components/securitySchemes/token"}],
    }


def _messages(refs: Mapping[type[BaseModel], Schema]) -> Schema:
    messages = {
        "connect": _message("CONNECT", "connect", "the `auth` of a client", refs[ConnectAuth]),
        "connect_error": _message(
            "CONNECT_ERROR", "connect_error", "the connection is refused", refs[ConnectRefused]
        ),
        REFUSED: _message(
            "ACK", REFUSED, "the ack of whatever cannot be done", _ack(False, refs[ErrorBody])
        ),
    }
    for name, command in COMMANDS.items():
        messages[name] = _message("EVENT", name, command.doc, refs[command])
        messages[ack_of(name)] = _message(
            "ACK", ack_of(name), f"`{name}` was done", _ack(True, refs[command.ack])
        )
    for kind, data in DURABLE.items():
        messages[kind] = _message("EVENT", kind, data.doc, reference(event_name(data)))
    for name, signal in SIGNALS.items():
        messages[name] = _message("EVENT", name, signal.doc, refs[signal])
    return messages


def ack_of(name: str) -> str:
    """The name of the message that acks this client event when it is done."""
    return f"{name}_done"


def _message(packet: str, name: str, summary: str, payload: Schema) -> Schema:
    return {"name": name, "summary": summary, "payload": payload, "x-socketio-packet": packet}


def _ack(ok: bool, content: Schema) -> Schema:
    field = "data" if ok else "error"
    return {
        "type": "object",
        "properties": {"ok": {"type": "boolean", "const": ok}, field: content},
        "required": ["ok", field],
        "additionalProperties": False,
    }


def _operations() -> Schema:
    operations = {"connect": _receive("connect", "connection", "connect_error", "welcome")}
    for name in COMMANDS:
        operations[name] = _receive(name, "client events", ack_of(name), REFUSED)
    for kind in DURABLE:
        operations[kind] = _operation("send", kind, "log")
    for name in SIGNALS:
        operations[name] = _operation("send", name, "signals")
    return operations


def _receive(name: str, tag: str, *answers: str) -> Schema:
    return _operation("receive", name, tag) | {
        "reply": {"channel": {"$ref": CHANNEL}, "messages": [_named(each) for each in answers]}
    }


def _operation(action: str, name: str, tag: str) -> Schema:
    return {
        "action": action,
        "channel": {"$ref": CHANNEL},
        "tags": [{"name": tag}],
        "messages": [_named(name)],
    }


def _named(message: str) -> Schema:
    return {"$ref": f"{CHANNEL}/messages/{message}"}
