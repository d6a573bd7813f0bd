"""What a fault is."""

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from tests.faults.findings import Verdict
from tests.faults.scene import Scene


@dataclass(frozen=True, slots=True)
class Expectation:
    """What clients may notice of a fault, beside that nothing is lost.

    `recovers`: seconds from the heal until 99 of 100 clients get acks or events again. `acks`:
    messages are acknowledged while it lasts, too.
    """

    recovers: float = 10.0
    acks: bool = True


@dataclass(slots=True)
class Aftermath:
    """What is known once everything came to rest, for `Fault.bite`."""

    counted: Counter[str]
    """By how much the metrics of all instances grew."""
    verdict: Verdict
    takeovers: int
    """Replies that another worker took over."""
    acked_meanwhile: list[int] = field(default_factory=list)
    """Messages acked between injection and heal, each time."""


class Fault:
    """Something that goes wrong, and is put right.

    It is made once for a scene and done `rounds` times: `ready` (no harm yet), `inject`, and after
    `lasts` seconds `heal`. With `heals_itself` clients need no heal to go on: their recovery is
    counted from the injection.
    """

    name: ClassVar[str]
    lasts: ClassVar[float] = 2.0
    heals_itself: ClassVar[bool] = False
    expected: ClassVar[Expectation] = Expectation()
    stage: ClassVar[type[Scene]] = Scene

    def __init__(self, scene: Scene, rng: random.Random, *, brief: bool = False) -> None:
        """`brief`: as short as it can be and still bite."""
        self.scene = scene
        self.rng = rng
        self.brief = brief
        self.mark: Callable[[str], None] = lambda what: None
        """Writes `inject` or `heal` down, for clients' recovery to be counted from."""

    @property
    def seconds(self) -> float:
        return self.lasts

    async def prepare(self) -> None:
        """Once, while nobody is connected."""

    async def ready(self) -> None:
        """Waits for the worst moment."""

    async def inject(self) -> None:
        raise NotImplementedError

    async def heal(self) -> None:
        """What was broken is there again when it returns."""

    async def finish(self) -> None:
        """Once, while nobody is connected: what `prepare` did is undone. Also after a failure."""

    def bite(self, after: Aftermath) -> str:
        """How it shows that the fault did any harm; empty: it did not."""
        raise NotImplementedError


class Nothing(Fault):
    """To compare with."""

    name = "nothing"
    heals_itself = True

    async def inject(self) -> None:
        pass

    def bite(self, after: Aftermath) -> str:
        return "nothing was to happen"
