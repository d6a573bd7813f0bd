"""Which messages a widget sends again by itself, and which a person says twice."""

import hashlib
import json
import secrets
from collections import Counter
from typing import Any

from chatserver.chat.ports import Clock

RESEND_SECONDS = 3.0
"""A message that comes so soon after a `session_confirm` may be one that had waited for it."""


class Resends:
    """Gives messages of one connection their `client_message_id`.

    rasa-webchat keeps what was said before its first `session_confirm` and sends it at each one:
    on every connection of the page, at once, in the same order, and to the letter (`session_id` as
    it was known, or null, when the message was queued). So messages get ids that are the same on
    the next connection, by their content and by how many like them came before, where they

    - come within `RESEND_SECONDS` after a confirm, and
    - do not carry a session id that this very confirm was the first to tell: who knows it has
      waited already.

    All others are said on purpose, and get ids of their own.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until = clock.monotonic()
        self._news: str | None = None
        self._seen: Counter[str] = Counter()

    def confirmed(self, session_id: str, asked: str | None) -> None:
        """The client is told `session_id`, having asked for that, another, or none."""
        self._until = self._clock.monotonic() + RESEND_SECONDS
        self._news = session_id if session_id != asked else None
        self._seen.clear()

    def client_message_id(self, payload: dict[str, Any]) -> str:
        """Of a `user_uttered`."""
        if self._clock.monotonic() >= self._until:
            self._seen.clear()
            return secrets.token_urlsafe(15)
        if self._news is not None and payload.get("session_id") == self._news:
            return secrets.token_urlsafe(15)
        content = json.dumps(payload, sort_keys=True)
        self._seen[content] += 1
        numbered = f"{self._seen[content]}:{content}".encode()
        return f"resend-{hashlib.blake2b(numbered, digest_size=16).hexdigest()}"
