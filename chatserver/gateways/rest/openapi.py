"""The OpenAPI 3.1 document of the APIs of a server."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from http import HTTPStatus

from pydantic import BaseModel

from chatserver.chat.errors import (
    ChatError,
    Draining,
    Forbidden,
    Internal,
    InvalidPayload,
    PayloadTooDeep,
    PayloadTooLarge,
    RateLimited,
    TokenExpired,
    TokenRevoked,
    TooManyConnections,
    Unauthorized,
    Unavailable,
)
from chatserver.chat.events import DURABLE
from chatserver.chat.models import Model
from chatserver.gateways.contracts.schemas import (
    Schema,
    asked,
    describe,
    event_name,
    reference,
    told,
)
from chatserver.gateways.rest.accepting import EVENT_STREAM, JSON
from chatserver.gateways.rest.parts import path_errors
from chatserver.gateways.rest.refusals import Malformed, NotAcceptable, UnsupportedMediaType
from chatserver.gateways.rest.routes import Api, Route, Stream

HEADERS: dict[HTTPStatus, dict[str, str]] = {
    HTTPStatus.UNAUTHORIZED: {"WWW-Authenticate": "how to authenticate (RFC 6750)"},
    HTTPStatus.TOO_MANY_REQUESTS: {"Retry-After": "seconds after which to try again"},
    HTTPStatus.SERVICE_UNAVAILABLE: {"Retry-After": "seconds after which to try again"},
}


def document(apis: Sequence[Api], *, title: str, version: str) -> Schema:
    """Everything a client needs to know, taken from the routes and their models."""
    refs, schemas = _schemas(apis)
    paths: defaultdict[str, Schema] = defaultdict(dict)
    for api in apis:
        for route in api.routes:
            operation = _operation(route, api, refs)
            paths[api.prefix + route.path][route.method.lower()] = operation
    nouns = dict.fromkeys(route.noun for api in apis for route in api.routes)
    return {
        "openapi": "3.1.0",
        "info": {"title": f"{title} REST API", "version": version},
        "servers": [{"url": "/"}],
        "tags": [{"name": noun} for noun in nouns],
        "security": [{"bearer": []}],
        "paths": dict(paths),
        "components": {
            "schemas": schemas,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def errors_of(route: Route, api: Api) -> Iterable[type[ChatError]]:
    """What a route may end in: by its nature, and what it declares."""
    yield from (Internal, Unavailable)
    if route.authenticated:
        yield from (Unauthorized, TokenExpired, TokenRevoked, RateLimited)
        if api.token_optional:
            yield Forbidden
    yield from path_errors(route.path)
    if route.body or route.query:
        yield InvalidPayload
    if route.body:
        yield from (Malformed, PayloadTooLarge, PayloadTooDeep, UnsupportedMediaType)
    if route.stream:
        yield from (NotAcceptable, TooManyConnections, Draining)
    yield from route.errors


def _operation(route: Route, api: Api, refs: dict[type[BaseModel], Schema]) -> Schema:
    operation: Schema = {
        "operationId": route.name,
        "summary": route.summary,
        "tags": [route.noun],
        "parameters": [*_parameters(route.params, "path"), *_parameters(route.query, "query")],
        "responses": _answers(route, refs) | _errors(route, api, refs[api.errors.model]),
    }
    if route.body is not None:
        operation["requestBody"] = {
            "required": route.needs_body,
            "content": {"application/json": {"schema": refs[route.body]}},
        }
    if not route.authenticated:
        operation["security"] = []
    elif api.token_optional:
        operation["security"] = [{"bearer": []}, {}]
    if route.stream is not None:
        _add_stream(operation, route.stream)
    return operation


def _add_stream(operation: Schema, stream: Stream) -> None:
    operation["responses"]["200"]["content"][EVENT_STREAM] = {
        "schema": {"type": "string", "description": stream.doc}
    }
    known = {each["name"] for each in operation["parameters"]}
    of_stream = [*_parameters(stream.query, "query"), *_parameters(stream.headers, "header")]
    operation["parameters"] += [each for each in of_stream if each["name"] not in known]


def _parameters(part: type[Model] | None, where: str) -> list[Schema]:
    if part is None:
        return []
    schema = part.model_json_schema()
    return [
        _parameter(name, where, field, required=name in schema.get("required", ()))
        for name, field in schema["properties"].items()
    ]


def _parameter(name: str, where: str, field: Schema, *, required: bool) -> Schema:
    schema = {key: value for key, value in field.items() if key not in ("title", "description")}
    if "anyOf" in schema:
        # Left out is left out: a URL has no null.
        schema = next(each for each in schema["anyOf"] if each.get("type") != "null")
    parameter = {"name": name, "in": where, "required": required, "schema": schema}
    return parameter | ({"description": field["description"]} if "description" in field else {})


def _answers(route: Route, refs: dict[type[BaseModel], Schema]) -> Schema:
    answers: Schema = {}
    for status, model in route.answers.items():
        answer: Schema = {"description": HTTPStatus(status).phrase}
        if model is not None:
            answer["content"] = {JSON: {"schema": refs[model]}}
        if status in route.located:
            answer["headers"] = _headers({"Location": "where it can be found"})
        answers[str(status)] = answer
    return answers


def _errors(route: Route, api: Api, body: Schema) -> Schema:
    codes: defaultdict[HTTPStatus, list[str]] = defaultdict(list)
    for error in errors_of(route, api):
        codes[api.errors.status_of(error)].append(error.code)
    return {
        str(status.value): {
            "description": "`" + "`, `".join(dict.fromkeys(codes[status])) + "`",
            "content": {api.errors.media_type: {"schema": body}},
            **({"headers": _headers(HEADERS[status])} if status in HEADERS else {}),
        }
        for status in sorted(codes)
    }


def _headers(described: dict[str, str]) -> Schema:
    return {
        name: {"description": text, "required": True, "schema": {"type": "string"}}
        for name, text in described.items()
    }


def _schemas(apis: Sequence[Api]) -> tuple[dict[type[BaseModel], Schema], Schema]:
    """References to the models that routes name, and the schemas that these refer to."""
    wanted = [asked(api.errors.model) for api in apis]
    for route in (route for api in apis for route in api.routes):
        if route.body is not None:
            wanted.append(asked(route.body))
        wanted += [told(model) for model in route.answers.values() if model is not None]
    refs, schemas = describe(wanted)
    schemas["Event"]["discriminator"] = {
        "propertyName": "type",
        "mapping": {kind: reference(event_name(data))["$ref"] for kind, data in DURABLE.items()},
    }
    return refs, schemas
