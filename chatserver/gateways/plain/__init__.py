"""The plain WebSocket `/chat`: text in, text out, no envelope.

`door` decides who comes in, and to which session; `guests` are those without a token;
`conversation` turns frames into messages and what is said into `lines`; `marks` knows how far a
client has read.
"""

from chatserver.gateways.plain.door import setup

__all__ = ["setup"]
