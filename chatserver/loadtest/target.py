"""Which server is loaded. One that is not on this machine only where its owner says so."""

import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from chatserver.loadtest.errors import LoadError


@dataclass(frozen=True, slots=True)
class Target:
    """A server by the address its name led to: what was checked is what is used."""

    address: str
    port: int
    host: str
    secure: bool = False

    @classmethod
    def parse(cls, url: str, *, i_own_this_server: bool = False) -> "Target":
        """The target of a URL such as http://127.0.0.1:8000.

        Raises `LoadError` with code `not_loopback` unless every address of its host is a loopback
        address or `i_own_this_server`; `bad_url` and `unknown_host` where it leads nowhere.
        """
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError as error:
            raise LoadError("bad_url", f"{url}: {error}") from None
        if parts.scheme not in ("http", "https") or not host or parts.path.strip("/"):
            raise LoadError("bad_url", f"{url} is no address such as http://127.0.0.1:8000")
        secure = parts.scheme == "https"
        port = port or (443 if secure else 80)
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise LoadError("unknown_host", f"{host} is not known: {error}") from None
        addresses = [str(each[4][0]) for each in found]
        if not i_own_this_server and not all(map(_is_loopback, addresses)):
            raise LoadError(
                "not_loopback",
                f"{host} is not this machine. A load test is an attack on a server whose owner did "
                "not ask for it; if this one is yours, say so with --i-own-this-server",
            )
        return cls(addresses[0], port, parts.netloc.rpartition("@")[2], secure)

    @property
    def base(self) -> str:
        """The URL of the checked address."""
        shown = f"[{self.address}]" if ":" in self.address else self.address
        return f"{'https' if self.secure else 'http'}://{shown}:{self.port}"

    @property
    def name(self) -> str:
        """The host's name alone, for TLS."""
        return urlsplit(f"//{self.host}").hostname or self.address


def _is_loopback(address: str) -> bool:
    parsed = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(parsed, "ipv4_mapped", None)
    return bool((mapped or parsed).is_loopback)
