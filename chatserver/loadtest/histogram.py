"""Latencies in bounded memory: buckets whose width grows with what they hold."""

from collections.abc import Iterable

BITS = 8
"""Buckets per doubling are 2^(BITS-1): percentiles are read within 1 %."""


class Histogram:
    """Nanoseconds. The largest value is kept exactly."""

    __slots__ = ("_counts", "count", "largest")

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}
        self.count = 0
        self.largest = 0

    def record(self, value: int) -> None:
        """Negative values count as zero: clocks of one machine agree only so far."""
        value = max(value, 0)
        shift = max(value.bit_length() - BITS, 0)
        bucket = shift << BITS | value >> shift
        self._counts[bucket] = self._counts.get(bucket, 0) + 1
        self.count += 1
        if value > self.largest:
            self.largest = value

    def merge(self, others: Iterable["Histogram"]) -> None:
        for other in others:
            for bucket, count in other._counts.items():
                self._counts[bucket] = self._counts.get(bucket, 0) + count
            self.count += other.count
            self.largest = max(self.largest, other.largest)

    def percentile(self, percent: float) -> int | None:
        """The value that so many percent do not exceed (its bucket's top); None where empty."""
        if not self.count:
            return None
        wanted, seen = self.count * percent / 100, 0
        for bucket in sorted(self._counts):
            seen += self._counts[bucket]
            if seen >= wanted:
                shift, mantissa = bucket >> BITS, bucket & (1 << BITS) - 1
                return min((mantissa + 1 << shift) - 1, self.largest)
        return self.largest

    def milliseconds(self, percent: float) -> float | None:
        """`percentile` for a report."""
        value = self.percentile(percent)
        return None if value is None else round(value / 1e6, 3)
