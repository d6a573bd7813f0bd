"""How many connections there are, and from where."""

from collections import Counter


class Census:
    """Counts connections by address."""

    def __init__(self, connections: int, per_address: int) -> None:
        self._connections = connections
        self._per_address = per_address
        self._by_address: Counter[str] = Counter()
        self.total = 0

    def admit(self, address: str) -> bool:
        """Counts one more, unless there are twice as many as allowed.

        Those between once and twice are let in to be told why they cannot stay: see `too_many`.
        """
        if (
            self._by_address[address] >= 2 * self._per_address
            or self.total >= 2 * self._connections
        ):
            if not self._by_address[address]:
                del self._by_address[address]
            return False
        self._by_address[address] += 1
        self.total += 1
        return True

    def leave(self, address: str) -> None:
        self.total -= 1
        self._by_address[address] -= 1
        if not self._by_address[address]:
            del self._by_address[address]

    def too_many(self, address: str) -> bool:
        """Whether there are more than allowed, in all or from there."""
        return self.total > self._connections or self._by_address[address] > self._per_address
