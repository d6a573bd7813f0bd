"""The contracts themselves are routes, too."""

from typing import Any

from pydantic import ConfigDict

from chatserver.chat.models import Model
from chatserver.gateways.rest.routes import Answer, Call, Route


class Contract(Model):
    """An OpenAPI document."""

    model_config = ConfigDict(extra="allow")

    openapi: str
    info: dict[str, Any]
    paths: dict[str, Any]


class EventContract(Model):
    """An AsyncAPI document."""

    model_config = ConfigDict(extra="allow")

    asyncapi: str
    info: dict[str, Any]
    channels: dict[str, Any]
    operations: dict[str, Any]


async def read(call: Call) -> Answer:
    return Answer(200, call.services.contract)


async def read_events(call: Call) -> Answer:
    return Answer(200, call.services.event_contract)


ROUTES = (
    Route(
        "GET",
        "/openapi.json",
        "get_contract",
        "this document",
        read,
        answers={200: Contract},
        authenticated=False,
    ),
    Route(
        "GET",
        "/asyncapi.json",
        "get_event_contract",
        "what goes over Socket.IO, as AsyncAPI",
        read_events,
        answers={200: EventContract},
        authenticated=False,
    ),
)
