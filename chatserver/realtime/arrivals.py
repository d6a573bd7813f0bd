"""Connections between their first look at the token and their place among the others."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(slots=True, eq=False)
class Arrival:
    """One of them, and what became of its token since it began."""

    is_worthless: bool = False
    is_doubtful: bool = False


class Arrivals:
    """Bounded by the connections that are being made."""

    def __init__(self) -> None:
        self._by_digest: defaultdict[bytes, set[Arrival]] = defaultdict(set)

    @contextmanager
    def arriving(self, digest: bytes) -> Iterator[Arrival]:
        """Begin it before the token is looked up: what is heard since then is noted."""
        arrival = Arrival()
        self._by_digest[digest].add(arrival)
        try:
            yield arrival
        finally:
            self._by_digest[digest].discard(arrival)
            if not self._by_digest[digest]:
                del self._by_digest[digest]

    def drop(self, digest: bytes) -> None:
        """The token became worthless."""
        for arrival in self._by_digest.get(digest, ()):
            arrival.is_worthless = True

    def doubt(self) -> None:
        """Any of the tokens may have become worthless unheard."""
        for arrivals in self._by_digest.values():
            for arrival in arrivals:
                arrival.is_doubtful = True
