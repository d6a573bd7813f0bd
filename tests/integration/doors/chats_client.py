"""A client of `/chats`, made from the description of that door alone."""

from collections.abc import Callable
from typing import Any

from aiohttp import ClientSession

from tests.integration.answers import Answered, checked


class Chats:
    """Calls as somebody: with a token, or without one from an address of its own.

    Each answer is held against the contract; `ContractBroken` is raised for what it does not know.
    """

    def __init__(self, http: ClientSession, url: str, token: str = "", address: str = "") -> None:
        self._http = http
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        if address:
            self._headers["X-Forwarded-For"] = address

    async def call(self, method: str, path: str, **kwargs: Any) -> Answered:
        headers = self._headers | kwargs.pop("headers", {})
        async with self._http.request(
            method, self._url + path, headers=headers, allow_redirects=False, **kwargs
        ) as response:
            return await checked(method, path, response)

    async def start(self) -> str:
        """The id of a new chat."""
        started = await self.call("POST", "/chats")
        assert started.status == 201, started
        return str(started.body["id"])

    async def say(self, chat_id: str, content: str) -> Answered:
        return await self.call("POST", f"/chats/{chat_id}/messages", json={"content": content})

    async def messages(self, chat_id: str, **query: Any) -> list[dict[str, Any]]:
        found = await self.call("GET", f"/chats/{chat_id}/messages", params=query)
        assert found.status == 200, found
        return list(found.body)

    async def said(self, chat_id: str) -> list[tuple[str, str]]:
        """Who said what, in order."""
        return [(each["sender"], each["content"]) for each in await self.messages(chat_id)]

    async def ids(self) -> list[str]:
        found = await self.call("GET", "/chats")
        assert found.status == 200, found
        return [each["id"] for each in found.body]


As = Callable[..., Chats]
"""Makes clients of a server: `client(running)`, or as somebody with `token=` or `address=`."""
