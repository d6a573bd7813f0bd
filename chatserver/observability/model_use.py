"""What models use and how they fail, as counted by `Metrics`."""

from chatserver.observability.metrics import Metrics


class ModelUse:
    """The observer that an adapter reports to. Counts; never fails."""

    def __init__(self, metrics: Metrics) -> None:
        self._tokens = metrics.model_tokens
        self._errors = metrics.model_errors
        self._rates = metrics.token_rate

    def used(
        self, bot: str, prompt_tokens: int, completion_tokens: int, reasoning_tokens: int
    ) -> None:
        """Once per answer, as its endpoint reports. Reasoning is a part of the completion."""
        self._tokens.labels(bot, "prompt").inc(prompt_tokens)
        self._tokens.labels(bot, "completion").inc(completion_tokens)
        self._tokens.labels(bot, "reasoning").inc(reasoning_tokens)

    def paced(self, bot: str, tokens_per_second: float) -> None:
        """Once per whole answer, where its endpoint counts tokens."""
        self._rates.labels(bot).observe(tokens_per_second)

    def failed(self, bot: str, kind: str) -> None:
        """Once per failed call, by the kind of failure."""
        self._errors.labels(bot, kind).inc()
