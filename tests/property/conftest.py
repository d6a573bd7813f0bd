"""A theatre for programs."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.property.theatre import Theatre


@pytest.fixture
def theatre() -> Iterator[Theatre]:
    # What a killed process wrote is there without an fsync: the disk may be memory.
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
        yield Theatre(Path(folder))
