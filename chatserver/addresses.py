"""Where a request really comes from, when proxies stand between."""

from collections.abc import Iterable, Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

UNKNOWN = "unknown"
"""The address of a peer that has none, such as one at the other end of a Unix socket."""


class BadNetwork(ValueError):
    """What should be an address or a network is neither. Says what it is."""


def parse_networks(names: Iterable[str]) -> tuple[Network, ...]:
    """Addresses and networks as an operator writes them. Raises `BadNetwork` with the wrong one."""
    try:
        return tuple(ip_network(name, strict=False) for name in names)
    except ValueError as failure:
        raise BadNetwork(str(failure)) from failure


def client_address(
    remote: str | None, forwarded_for: str | None, trusted: Sequence[Network]
) -> str:
    """The nearest address that no trusted proxy vouches for.

    `remote` is the peer of the connection; `forwarded_for` are all X-Forwarded-For headers of the
    request, joined by commas, where each proxy appended who spoke to it. They are read from the
    right and only as long as the one who wrote the entry is trusted: what stands further left may
    be a client's invention. Returns a normalised address, or `UNKNOWN`.
    """
    nearest = _parse(remote or "")
    if nearest is None:
        return UNKNOWN
    hops = (forwarded_for or "").split(",")
    while hops and _is_in(nearest, trusted):
        before = _parse(hops.pop())
        if before is None:
            break
        nearest = before
    return str(nearest)


def subscriber(address: str) -> str:
    """What to count limits by: an IPv4 address; of IPv6 the /64, all of which one host can use."""
    parsed = _parse(address)
    if isinstance(parsed, IPv6Address):
        return str(ip_network((int(parsed), 64), strict=False))
    return address


def _parse(hop: str) -> Address | None:
    text = hop.strip().strip('"')
    if text.startswith("["):  # [2001:db8::1]:443
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:  # 192.0.2.1:443
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        # A dual-stack socket shows IPv4 peers like this; operators write them as IPv4.
        return address.ipv4_mapped
    return address


def _is_in(address: Address, networks: Sequence[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)
