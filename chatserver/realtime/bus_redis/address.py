"""What a REDIS_URL says: which servers, and how to connect to them."""

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode

from redis.asyncio.connection import AbstractConnection, Connection, parse_url

SCHEMES = (
    "redis://, rediss://, unix://, redis+sentinel://, rediss+sentinel://, redis+cluster:// or "
    "rediss+cluster://"
)
SEVERAL = re.compile(
    r"(?P<scheme>rediss?)\+(?P<kind>sentinel|cluster)://"
    r"(?:(?P<user>[^@/?#]*)@)?(?P<hosts>[^/?#]+)(?P<path>/[^?#]*)?(?:\?(?P<query>[^#]*))?"
)
PORT = 6379
SENTINEL_PORT = 26379


class BadRedisUrl(Exception):
    """The message says what is wrong, and quotes nothing that may be a password."""


class Topology(Enum):
    SINGLE = auto()
    SENTINEL = auto()
    CLUSTER = auto()


@dataclass(frozen=True, slots=True)
class RedisAddress:
    topology: Topology
    connection: type[AbstractConnection]
    options: dict[str, Any]
    """Of each connection; with host and port where there is a single server."""
    hosts: tuple[tuple[str, int], ...] = ()
    """The sentinels, or some nodes of the cluster."""
    service: str = ""
    sentinel_options: dict[str, Any] | None = None


def parse_address(url: str) -> RedisAddress:
    """Raises `BadRedisUrl`."""
    several = SEVERAL.fullmatch(url)
    if several is not None:
        return _several(several)
    if not url.startswith(("redis://", "rediss://", "unix://")):
        raise BadRedisUrl(f"the URL must begin with {SCHEMES}")
    connection, options = _options(url)
    if url.startswith("unix://"):
        if not options.get("path"):
            raise BadRedisUrl("a unix:// URL needs the path of the socket")
    elif not options.get("host"):
        raise BadRedisUrl("the host is missing")
    return RedisAddress(Topology.SINGLE, connection, options)


def _several(found: re.Match[str]) -> RedisAddress:
    is_sentinel = found["kind"] == "sentinel"
    hosts = tuple(
        _host(each, SENTINEL_PORT if is_sentinel else PORT) for each in found["hosts"].split(",")
    )
    path = [part for part in (found["path"] or "").split("/") if part]
    query = dict(parse_qsl(found["query"] or ""))
    sentinel_options = {
        key: query.pop(f"sentinel_{key}")
        for key in ("username", "password")
        if f"sentinel_{key}" in query
    }
    if is_sentinel and not path:
        raise BadRedisUrl("a sentinel URL ends with /SERVICE, the name of the master")
    if len(path) > (2 if is_sentinel else 0):
        raise BadRedisUrl("the path has parts that mean nothing")
    user = f"{found['user']}@" if found["user"] else ""
    database = f"/{path[1]}" if len(path) > 1 else ""
    plain = f"{found['scheme']}://{user}server{database}?{urlencode(query)}"
    connection, options = _options(plain)
    del options["host"]
    if is_sentinel:
        return RedisAddress(
            Topology.SENTINEL, connection, options, hosts, unquote(path[0]), sentinel_options
        )
    return RedisAddress(Topology.CLUSTER, connection, options, hosts)


def _host(text: str, port: int) -> tuple[str, int]:
    host, colon, digits = text.rpartition(":") if not text.endswith("]") else (text, "", "")
    if not colon:
        host, digits = text, str(port)
    if not host.strip("[]") or not digits.isdecimal() or not 0 < int(digits) < 65_536:
        raise BadRedisUrl("write hosts as HOST:PORT,HOST:PORT")
    return host.strip("[]"), int(digits)


def _options(url: str) -> tuple[type[AbstractConnection], dict[str, Any]]:
    database = re.fullmatch(r"rediss?://[^/?#]*(?:/([^?#]*))?(?:\?.*)?", url)
    if database is not None and not (database[1] or "0").isdecimal():
        raise BadRedisUrl("the path of the URL is the number of the database")
    try:
        options: dict[str, Any] = dict(parse_url(url))
        connection = options.pop("connection_class", Connection)
        connection(**options)  # refuses options that it does not know
    except (ValueError, TypeError) as problem:
        raise BadRedisUrl("the URL has a bad port or an unknown option") from problem
    except Exception as problem:
        raise BadRedisUrl(f"the URL cannot be used ({type(problem).__name__})") from problem
    return connection, options
