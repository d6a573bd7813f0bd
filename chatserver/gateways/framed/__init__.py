"""A WebSocket at `/ws/{client_id}`: binary frames with a length, a name instead of a token.

`frames` is the format and `lines` what people read; `names` says who may have which; `door` lets in
and refuses, `conversation` is what follows.
"""

from chatserver.gateways.framed.door import setup

__all__ = ["setup"]
