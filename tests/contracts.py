"""Holds what a server says against its contracts: the AsyncAPI document, and the OpenAPI one."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from jsonschema_rs import Draft202012Validator

from chatserver.gateways import chats
from chatserver.gateways.contracts import asyncapi
from chatserver.gateways.rest import openapi, table
from chatserver.gateways.rest.routes import Api

Document = Mapping[str, Any]
APIS = (table.API, chats.API)
"""Those that the OpenAPI document of a server describes."""

JSON = {"application/json"} | {api.errors.media_type for api in APIS}
CHANNEL = "#/channels/chat/messages/"


class ContractBroken(AssertionError):
    """The server said something that its contract does not know."""


class EventContract:
    """What the AsyncAPI document says of packets. Every check raises `ContractBroken`.

    One that is to `remember` has in `heard` what was found to be right, by the message's name.
    """

    def __init__(self, document: Document, *, remember: bool = False) -> None:
        self.document = document
        self.heard: list[tuple[str, Any]] = []
        self._remember = remember
        self.messages: Mapping[str, Any] = document["channels"]["chat"]["messages"]
        self._operations = document["operations"]
        self._validators = {
            name: _validator(message["payload"], document)
            for name, message in self.messages.items()
        }

    def told(self, event: str, payload: Any) -> None:
        """The server emitted this."""
        self._check(event, self._messages_of(event, "send"), payload)

    def asked(self, event: str, payload: Any) -> None:
        """The server took this from a client, and did it."""
        self._check(event, self._messages_of(event, "receive"), payload)

    def acked(self, event: Any, ack: Any) -> None:
        """The server answered so; an event that there is not is refused."""
        operation = self._operations.get(event, {}) if isinstance(event, str) else {}
        known = operation.get("action") == "receive"
        answers = _names(operation["reply"]["messages"]) if known else [asyncapi.REFUSED]
        self._check(f"the ack of {event}", answers, ack)

    def refused(self, data: Any) -> None:
        """The server sent this in a CONNECT_ERROR."""
        self._check("connect_error", ["connect_error"], data)

    def sent_by_server(self) -> set[str]:
        """The names of all messages that a server may send."""
        asked = {
            name
            for operation in self._operations.values()
            if operation["action"] == "receive"
            for name in _names(operation["messages"])
        }
        return self.messages.keys() - asked

    def _messages_of(self, event: str, action: str) -> list[str]:
        operation = self._operations.get(event)
        if operation is None or operation["action"] != action:
            raise ContractBroken(f"{event} is no operation that the server would {action}")
        return _names(operation["messages"])

    def _check(self, what: str, names: Iterable[str], payload: Any) -> None:
        complaints: list[str] = []
        for name in names:
            found = _complaints(self._validators[name], payload)
            if not found:
                if self._remember:
                    self.heard.append((name, payload))
                return
            complaints += [f"not {name}: {each}" for each in found]
        raise ContractBroken("\n".join([f"{what}: {payload}", *complaints]))


class RestContract:
    """What the OpenAPI document of these APIs says of answers."""

    def __init__(self, document: Document, apis: Sequence[Api]) -> None:
        self._operations = {
            (method.upper(), path): operation
            for path, operations in document["paths"].items()
            for method, operation in operations.items()
        }
        self._paths = {path: _pattern(path) for path in document["paths"]}
        self._validators = {
            (*key, status, media): _validator(content["schema"], document)
            for key, operation in self._operations.items()
            for status, response in operation["responses"].items()
            for media, content in response.get("content", {}).items()
        }
        self._errors = {
            api.prefix: (api.errors.media_type, _errors_validator(api, document)) for api in apis
        }

    def answered(
        self, method: str, path: str, status: int, headers: Mapping[str, str], body: Any
    ) -> None:
        """The server answered so. Raises `ContractBroken`."""
        if method == "OPTIONS" and "Access-Control-Allow-Methods" in headers:
            return  # a browser's question beforehand, whatever it is about
        media = headers.get("Content-Type", "").partition(";")[0] or None
        said = f"{method} {path} -> {status} {media}: {body}"
        key = self._operation_of("GET" if method == "HEAD" else method, path)
        if key is None:
            complaints = list(self._wrong_for_nothing(method, path, status, media, body))
        else:
            complaints = list(self._wrong(key, method, status, media, headers, body))
        if complaints:
            raise ContractBroken("\n".join([said, *complaints]))

    def _wrong_for_nothing(
        self, method: str, path: str, status: int, media: str | None, body: Any
    ) -> Iterator[str]:
        """Where there is no operation, the API that it would be of says so in its own style."""
        for prefix, (expected, validator) in self._errors.items():
            if path.startswith(prefix) and media == expected and status in (404, 405):
                yield from _complaints(validator, body) if method != "HEAD" else ()
                return
        yield "no operation, and no error that says so"

    def _wrong(
        self,
        key: tuple[str, str],
        method: str,
        status: int,
        media: str | None,
        headers: Mapping[str, str],
        body: Any,
    ) -> Iterator[str]:
        response = self._operations[key]["responses"].get(str(status))
        if response is None:
            yield f"{key} has no status {status}"
            return
        for name in response.get("headers", {}):
            if name not in headers:
                yield f"{name} is missing"
        if media not in response.get("content", {None: None}):
            yield f"{key} has no {media} with status {status}"
        elif media in JSON and method != "HEAD":
            yield from _complaints(self._validators[*key, str(status), media], body)

    def _operation_of(self, method: str, path: str) -> tuple[str, str] | None:
        plain = path.partition("?")[0]
        # A path with fewer placeholders is meant where several fit.
        fitting = sorted((p.count("{"), p) for p, fits in self._paths.items() if fits.match(plain))
        found = [(method, each) for _, each in fitting if (method, each) in self._operations]
        return found[0] if found else None


@cache
def event_contract() -> EventContract:
    """That of this version; made once."""
    return EventContract(asyncapi.document(title="test", version="1.2.3"))


@cache
def rest_contract() -> RestContract:
    return RestContract(openapi.document(APIS, title="test", version="1.2.3"), APIS)


def _names(messages: Iterable[Document]) -> list[str]:
    return [str(each["$ref"]).removeprefix(CHANNEL) for each in messages]


def _errors_validator(api: Api, document: Document) -> Draft202012Validator:
    return _validator({"$ref": f"#/components/schemas/{api.errors.model.__name__}"}, document)


def _validator(schema: Document, document: Document) -> Draft202012Validator:
    whole = {"allOf": [schema], "components": {"schemas": document["components"]["schemas"]}}
    return Draft202012Validator(whole, validate_formats=True)


def _complaints(validator: Draft202012Validator, payload: Any) -> list[str]:
    return [
        f"{error.message} (at {'/'.join(map(str, error.instance_path)) or 'the top'})"
        for error in validator.iter_errors(payload)
    ]


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\{\w+\\}", "[^/]+", re.escape(path)) + r"\Z")
