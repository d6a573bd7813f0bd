"""The use cases for programs, over HTTP under `/api/v1`.

`table` lists every route once; `application` makes aiohttp routes of it and `openapi` the contract.
`dispatch` is the one boundary where requests are checked and errors become problem documents.
"""

from chatserver.gateways.rest.application import setup

__all__ = ["setup"]
