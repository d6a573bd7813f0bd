"""What a fault is."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from tests.faults.metered import Meter
from tests.faults.scene import Scene


@dataclass(frozen=True, slots=True)
class Expectation:
    """What clients may notice of a fault, beside that nothing is lost.

    `recovers`: seconds from the heal until 99 of 100 clients are served again. `acks`: messages are
    acknowledged while it lasts, too.
    """

    recovers: float = 10.0
    acks: bool = True


class Fault:
    """Something that goes wrong, and is put right.

    It is made once for a scene and done any number of times: `ready` (no harm yet), `inject`, and
    after `seconds` `heal`; some time later `evidence`. With `heals_itself` clients need no heal to
    go on: their recovery is counted from the injection.
    """

    name: ClassVar[str]
    lasts: ClassVar[float] = 2.0
    heals_itself: ClassVar[bool] = False
    expected: ClassVar[Expectation] = Expectation()
    stage: ClassVar[type[Scene]] = Scene

    def __init__(
        self, scene: Scene, meter: Meter, rng: random.Random, *, brief: bool = False
    ) -> None:
        """`brief`: as short as it can be and still bite."""
        self.scene = scene
        self.meter = meter
        self.rng = rng
        self.brief = brief
        self.mark: Callable[[str], None] = lambda what: None
        """Writes `inject` or `heal` down, for clients' recovery to be counted from."""
        self.acked_meanwhile = 0
        """Messages, between the last injection and its heal."""

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

    async def evidence(self) -> str:
        """How it shows that it did harm this time; empty: it did none. May wait for that."""
        raise NotImplementedError


class Nothing(Fault):
    """To compare with."""

    name = "nothing"
    heals_itself = True

    async def inject(self) -> None:
        pass

    async def evidence(self) -> str:
        return "nothing was to happen"
