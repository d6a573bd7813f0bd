"""What REST and the routes below `/chats` answer with."""

from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import ClientResponse

from tests.contracts import rest_contract


@dataclass
class Answered:
    status: int
    body: Any
    headers: Any


async def checked(method: str, path: str, response: ClientResponse) -> Answered:
    """The answer, held against the contract; `ContractBroken` is raised for what it knows not."""
    raw = await response.read()
    answered = Answered(response.status, orjson.loads(raw) if raw else None, response.headers)
    rest_contract().answered(method, path, answered.status, answered.headers, answered.body)
    return answered
