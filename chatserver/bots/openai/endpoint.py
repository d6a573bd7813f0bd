"""The endpoint of a declared bot, and who is told what became of the requests to it."""

from collections.abc import Iterator
from contextlib import contextmanager

from chatserver.bots.declaration import ModelBotDeclaration
from chatserver.bots.openai.chunks import Usage
from chatserver.bots.openai.failures import Failure, NotConfigured
from chatserver.bots.openai.observer import ModelObserver
from chatserver.bots.openai.upstream import Upstream


class Endpoint:
    """Has an `Upstream` where its key, if it needs one, can be used."""

    def __init__(
        self, declaration: ModelBotDeclaration, key: str | None, observer: ModelObserver
    ) -> None:
        """`key` is the value of the declared variable; None where it is not set."""
        self._declaration = declaration
        self._observer = observer
        self._upstream: Upstream | None = None
        if declaration.key_variable is None or (key is not None and _fits_header(key)):
            self._upstream = Upstream(declaration, key)

    @property
    def upstream(self) -> Upstream:
        """Raises `NotConfigured`."""
        if self._upstream is None:
            raise NotConfigured(f"no usable key in {self._declaration.key_variable}")
        return self._upstream

    def failed(self, failure: Failure) -> None:
        self._observer.failed(self._declaration.name, failure.kind)

    def used(self, usage: Usage | None) -> None:
        """None where the endpoint did not count."""
        if usage is not None:
            self._observer.used(
                self._declaration.name, usage.prompt, usage.completion, usage.reasoning
            )

    def paced(self, tokens_per_second: float) -> None:
        self._observer.paced(self._declaration.name, tokens_per_second)

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Around one request: tells of its `Failure`."""
        try:
            yield
        except Failure as failure:
            self.failed(failure)
            raise

    async def close(self) -> None:
        """Ends the connections that were kept. Nothing can be asked afterwards."""
        if self._upstream is not None:
            await self._upstream.close()


@contextmanager
def explained() -> Iterator[None]:
    """Raises the `BotError` that a `Failure` is for people."""
    try:
        yield
    except Failure as failure:
        raise failure.bot_error() from failure


def _fits_header(key: str) -> bool:
    """A line feed that was read along with the key would not."""
    return key.isascii() and key.isprintable() and bool(key) and " " not in key
