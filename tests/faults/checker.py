"""Holds what clients wrote down against the database, long after both have come to rest."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.faults.findings import Verdict

Resources = Mapping[str, float]


def check(
    folder: Path, database_url: str, *, resources: Sequence[Resources] | None = None
) -> Verdict:
    """Every invariant that is broken, with its evidence.

    `resources` are what servers held before and after, by name; none may have grown but memory
    (`*_bytes`), and that by half at most.
    """
    raise NotImplementedError
