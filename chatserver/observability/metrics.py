"""Everything that is counted, in a registry of its own (no global state)."""

from collections.abc import Callable
from functools import cache

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500)
LATENCIES = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)
THOUGHTS = (0.001, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50)
RATES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


class Metrics:
    """One instance to a server. All names begin with `chatserver_`, but those of the process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.connections = self._gauge("connections", "Authenticated connections")
        self.refused = self._counter("connections_refused", "Refused connections", "code")
        self.cut_off = self._counter("connections_cut_off", "Slow consumers that were cut off")
        self.ended = self._counter("connections_ended", "Engine.IO sessions that ended", "reason")
        self.rooms = self._gauge("rooms", "Sessions with a connection here")
        # `labels` looks its counter up behind a lock, in four times the time of counting itself.
        self.count_in = cache(self._counter("events_in", "Client events", "event", "code").labels)
        self.count_out = cache(
            self._counter("events_out", "Server events, before fan-out", "event").labels
        )
        self.deliveries = self._counter("deliveries", "Server events times their receivers")
        self.gaps_healed = self._counter("gaps_healed", "Events read again after a lost nudge")
        self.bus_published = self._counter("bus_published", "Frames that Redis took")
        self.bus_received = self._counter("bus_received", "Frames of other instances")
        self.bus_dropped = self._counter("bus_dropped", "Frames given up", "kind")
        self.catch_ups = self._counter("catch_ups", "Comparisons of all rooms with the store")
        self.commit_jobs = self._histogram("commit_jobs", "Jobs in one transaction", SIZES)
        self.commit_seconds = self._histogram("commit_seconds", "Time of a transaction", LATENCIES)
        self.replies = self._counter("replies", "Replies that ended", "bot", "state")
        self.replies_queued = self._gauge("replies_queued", "Replies that wait for a worker")
        self.replies_running = self._gauge("replies_running", "Replies that run here")
        self.first_token = self._histogram(
            "reply_first_token_seconds", "From claim to the first text", THOUGHTS, "bot"
        )
        self.token_rate = self._histogram(
            "model_tokens_per_second", "Tokens of an answer by the time it took", RATES, "bot"
        )
        self.model_tokens = self._counter("model_tokens", "Tokens of models", "bot", "kind")
        self.model_errors = self._counter("model_errors", "Failed calls of models", "bot", "kind")
        self.memory_folds = self._counter(
            "memory_folds", "Memories that were to be brought up to date", "bot", "outcome"
        )
        self.requests = self._counter("http_requests", "REST requests", "operation", "status")
        ProcessCollector(registry=self.registry)  # of Linux only: elsewhere it finds nothing

    def watch(self, name: str, doc: str, read: Callable[[], float]) -> None:
        """A gauge whose value is asked for at each scrape."""
        self._gauge(name, doc).set_function(read)

    def committed(self, jobs: int, seconds: float) -> None:
        """Reported by the store's writer, from its own thread."""
        self.commit_jobs.observe(jobs)
        self.commit_seconds.observe(seconds)

    def _counter(self, name: str, doc: str, *labels: str) -> Counter:
        return Counter(f"chatserver_{name}", doc, labels, registry=self.registry)

    def _gauge(self, name: str, doc: str) -> Gauge:
        return Gauge(f"chatserver_{name}", doc, registry=self.registry)

    def _histogram(
        self, name: str, doc: str, buckets: tuple[float, ...], *labels: str
    ) -> Histogram:
        return Histogram(f"chatserver_{name}", doc, labels, buckets=buckets, registry=self.registry)
