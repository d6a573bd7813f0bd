"""The contract itself is a route, too."""

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


async def read(call: Call) -> Answer:
    return Answer(200, call.services.contract)


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
)
