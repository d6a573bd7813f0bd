"""The use cases for programs, over HTTP under `/api/v1`.

`table` lists every route once; `mounting` makes aiohttp routes of it and `openapi` the contract.
`dispatch` is the one boundary where requests are checked and errors become answers, here in the
style of `problems`; other APIs go through it with tables and styles of their own.
"""

from chatserver.gateways.rest.application import setup

__all__ = ["setup"]
