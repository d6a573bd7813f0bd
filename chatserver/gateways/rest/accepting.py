"""Which media type a client wants, of those that a route has (RFC 9110, 12.5.1)."""

import re
from collections.abc import Sequence

JSON = "application/json"
EVENT_STREAM = "text/event-stream"

QUALITY = re.compile(r"0(\.\d{0,3})?|1(\.0{0,3})?")


def preferred(accepts: Sequence[str], offers: Sequence[str]) -> str | None:
    """The offer that the `Accept` fields rank highest; None: they take none of them.

    Of equals, one that is named comes before one that a wildcard lets in, and then the first. Who
    sends no such field takes everything; what is malformed in one is passed over.
    """
    ranges = _ranges(accepts)
    if not ranges:
        return offers[0]
    best, highest = None, (0.0, -1)
    for offer in offers:
        rank = _rank(offer, ranges)
        if rank[0] > 0 and rank > highest:
            best, highest = offer, rank
    return best


def _ranges(accepts: Sequence[str]) -> dict[str, float]:
    found: dict[str, float] = {}
    for part in ",".join(accepts).split(","):
        media, *parameters = (each.strip().casefold() for each in part.split(";"))
        quality = next((each[2:] for each in parameters if each.startswith("q=")), "1")
        if media.count("/") == 1 and QUALITY.fullmatch(quality):
            found[media] = float(quality)
    return found


def _rank(offer: str, ranges: dict[str, float]) -> tuple[float, int]:
    """Its quality, by what matches most closely, and how close that is."""
    wildcards = ("*/*", f"{offer.partition('/')[0]}/*", offer)
    closeness = max((n for n, each in enumerate(wildcards) if each in ranges), default=-1)
    return (ranges[wildcards[closeness]], closeness) if closeness >= 0 else (0.0, -1)
