"""What one load showed."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from chatserver.loadtest.histogram import Histogram
from chatserver.loadtest.watch import BUSY_SHARE, LATE_NS


@dataclass(frozen=True, slots=True)
class Measured:
    """Latencies count from the intended send time (open loop) or from sending (closed loop)."""

    seconds: float
    """From the first message to the last ack or delivery."""
    messages: int
    """Acknowledged with success."""
    deliveries: int
    expected: int
    """Deliveries that the acknowledged messages owe their rooms."""
    strays: int
    """Deliveries of messages that this load did not send."""
    unanswered: int
    """Messages without an ack when the load gave up waiting."""
    errors: Counter[str]
    acks: Histogram
    delivery: Histogram
    late: Histogram
    """How late messages left; empty for a closed loop."""
    lag: Histogram
    """How late the generator's event loop was."""
    generator_cpu: float
    """Seconds, of all the generator's processes together."""
    processes: int = 1

    @classmethod
    def merged(cls, parts: Sequence["Measured"]) -> "Measured":
        """The same load, measured by several processes side by side."""
        merged = cls(
            seconds=max(part.seconds for part in parts),
            messages=sum(part.messages for part in parts),
            deliveries=sum(part.deliveries for part in parts),
            expected=sum(part.expected for part in parts),
            strays=sum(part.strays for part in parts),
            unanswered=sum(part.unanswered for part in parts),
            errors=sum((part.errors for part in parts), Counter()),
            acks=Histogram(),
            delivery=Histogram(),
            late=Histogram(),
            lag=Histogram(),
            generator_cpu=sum(part.generator_cpu for part in parts),
            processes=len(parts),
        )
        for name in ("acks", "delivery", "late", "lag"):
            getattr(merged, name).merge(getattr(part, name) for part in parts)
        return merged

    @property
    def generator_share(self) -> float:
        """CPU of one generator process, of one core, while the load ran."""
        return self.generator_cpu / self.seconds / self.processes

    @property
    def busy(self) -> bool:
        """Whether the generator used nearly all of its core: the server may be able to do more."""
        return self.generator_share > BUSY_SHARE

    @property
    def blurred(self) -> bool:
        """Whether the generator ran so late that latencies hold its own delay."""
        return max(self.lag.percentile(99) or 0, self.late.percentile(99) or 0) > LATE_NS
