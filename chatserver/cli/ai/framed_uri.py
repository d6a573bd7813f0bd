"""The address of a framed door, as `ws://HOST/ws/NAME`. Pure."""

import re
from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit


class NotAUri(ValueError):
    """No address of a framed door."""


@dataclass(frozen=True, slots=True)
class FramedUri:
    base: str
    """Up to and with `/ws`."""
    name: str
    query: str = ""

    @classmethod
    def parse(cls, text: str) -> "FramedUri":
        """The name may be left out, and is empty then. Raises `NotAUri`."""
        refusal = NotAUri(f"{shown(text)!r} is no address such as ws://HOST:8000/ws/NAME")
        try:
            parts = urlsplit(text)
            _ = parts.port
        except ValueError:
            raise refusal from None
        found = re.fullmatch(r"(.*/ws)(?:/([^/]*))?", parts.path)
        if parts.scheme not in ("ws", "wss") or not parts.hostname or not found:
            raise refusal
        return cls(
            f"{parts.scheme}://{parts.netloc}{found[1]}", unquote(found[2] or ""), parts.query
        )

    def named(self, name: str) -> "FramedUri":
        return replace(self, name=name)

    @property
    def has_token(self) -> bool:
        return any(key == "token" for key, _ in parse_qsl(self.query))

    def with_token(self, token: str | None) -> "FramedUri":
        """With the token where it has none."""
        if token is None or self.has_token:
            return self
        return replace(self, query=urlencode([*parse_qsl(self.query), ("token", token)]))

    @property
    def url(self) -> str:
        """What is connected to. It may hold a token: not to be shown."""
        query = f"?{self.query}" if self.query else ""
        return f"{self.base}/{quote(self.name, safe='', errors='replace')}{query}"

    def __str__(self) -> str:
        return f"{shown(self.base)}/{self.name}"


def shown(text: str) -> str:
    """Without what may be a secret."""
    return re.sub(r"//[^/]*@", "//", text.partition("?")[0])
