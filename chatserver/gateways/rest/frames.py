"""What is told, as Server-Sent Events (https://html.spec.whatwg.org/multipage/server-sent-events.html).

JSON has no line ends outside of its white space, and ours has no white space: one line each.
"""

import orjson

from chatserver.chat.errors import ChatError
from chatserver.chat.events import ServerDraining, Signal
from chatserver.chat.models import Event

RETRY_MS = 1_000
"""How long a client waits before it comes back, unless told otherwise."""

OPENING = b"retry: %d\n\n" % RETRY_MS
KEEP_ALIVE = b": keep-alive\n\n"


def durable(event: Event) -> bytes:
    """Its id is the cursor from which the stream is taken up again."""
    return b"id: %d\nevent: %b\ndata: %b\n\n" % (event.seq, event.type.encode(), event.encoded)


def ephemeral(signal: Signal) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (signal.name.encode(), signal.encoded)


def draining(signal: ServerDraining) -> bytes:
    return b"retry: %d\n%b" % (signal.reconnect_after_ms, ephemeral(signal))


def failure(reason: ChatError) -> bytes:
    return b"event: error\ndata: %b\n\n" % orjson.dumps(reason.wire())
