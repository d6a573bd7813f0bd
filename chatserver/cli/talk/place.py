"""Where to talk: a server and, perhaps, a session with an invite."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qs, quote, urlsplit


class NotAPlace(ValueError):
    """Neither a session's id nor a link to one."""


@dataclass(frozen=True, slots=True)
class Place:
    url: str
    session_id: str | None = None
    invite: str | None = None

    @classmethod
    def parse(cls, text: str | None, url: str, invite: str | None = None) -> "Place":
        """Of a session's id, or of a link as the web client shares it. Raises `NotAPlace`."""
        url = url.rstrip("/")
        if not text:
            return cls(url, None, invite)
        if "://" not in text:
            if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", text):
                raise NotAPlace(f"{text!r} is neither a session's id nor a link to one")
            return cls(url, text, invite)
        try:
            parts = urlsplit(text)
            _ = parts.port
        except ValueError:
            raise NotAPlace(f"{text!r} is not a link to a session") from None
        found = re.fullmatch(r"/s/([A-Za-z0-9_-]{1,64})(?:\?(.*))?", parts.fragment)
        if parts.scheme not in ("http", "https") or not parts.hostname or not found:
            raise NotAPlace(f"{text!r} is not a link to a session")
        codes = parse_qs(found[2] or "").get("invite")
        server = f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")
        return cls(server, found[1], invite or (codes[0] if codes else None))

    def link(self) -> str:
        """As the web client understands it."""
        invite = f"?invite={quote(self.invite)}" if self.invite else ""
        return f"{self.url}/#/s/{self.session_id}{invite}"
