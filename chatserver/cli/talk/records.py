"""What `talk --json` prints: one JSON object to a line, each with its `type`."""

import asyncio
import json
import os
import re
import sys
from typing import Any

from chatserver.chat.errors import ChatError
from chatserver.client import Connected, Connecting, Lost, ReplyFailed, Status

RECORDS = {
    "joined": "first of all: `session`, `participant` (who one is), `members`",
    "done": "the order of line `line` was done; the rest is what came of it",
    "error": "`code`, `message`, `retryable`; of line `line`, or of a reply (`reply_id`)",
    "connection": "`state` is `lost`, `connecting` (in `seconds`) or `connected` (again)",
}
"""Besides the protocol's events."""


class Records:
    """On the standard output, in ASCII: what people write can steer no terminal."""

    def __init__(self) -> None:
        self.broken = asyncio.Event()
        """Set once nobody reads any more; nothing is printed from then on."""

    def put(self, kind: str, fields: dict[str, Any]) -> None:
        if self.broken.is_set():
            return
        try:
            sys.stdout.write(json.dumps({"type": kind, **fields}) + "\n")
            sys.stdout.flush()
        except BrokenPipeError:
            self.broken.set()
            # What is left in the buffer must not fail once more at the end.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def error(self, error: Exception, **about: Any) -> None:
        self.put("error", {**about, **described(error)})

    def status(self, status: Status) -> None:
        match status:
            case Lost():
                self.put("connection", {"state": "lost"})
            case Connecting(seconds=seconds):
                self.put("connection", {"state": "connecting", "seconds": round(seconds, 3)})
            case Connected(again=True):
                self.put("connection", {"state": "connected"})
            case _:
                pass


def described(error: Exception) -> dict[str, Any]:
    """In the words of an ack's `error`; the client's own errors have their names as codes."""
    if isinstance(error, ChatError):
        return error.wire()
    if isinstance(error, ReplyFailed):
        return {"code": error.code, "message": str(error), "retryable": error.retryable}
    code = re.sub(r"(?<!^)(?=[A-Z])", "_", type(error).__name__).lower()
    return {"code": code, "message": str(error), "retryable": isinstance(error, TimeoutError)}
