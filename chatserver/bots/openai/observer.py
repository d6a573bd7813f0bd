"""Who is told what the models of this server cost and how they fail."""

from typing import Protocol


class ModelObserver(Protocol):
    """Called on the event loop; must neither block nor raise."""

    def used(
        self, bot: str, prompt_tokens: int, completion_tokens: int, reasoning_tokens: int
    ) -> None:
        """Once for each answered request whose endpoint counts; completion includes reasoning."""
        ...

    def paced(self, bot: str, tokens_per_second: float) -> None:
        """Once for each whole answer that did not come all at once, where its endpoint counts.

        Tokens of the answer, without the reasoning before it, by the time from its first piece to
        its end.
        """
        ...

    def failed(self, bot: str, kind: str) -> None:
        """Once for each request that came to nothing, those that were tried again included.

        `kind` is one of the kinds of `failures`.
        """
        ...
