"""Bots files for the fake model."""

import json
from pathlib import Path

from chatserver.testing import FakeModel


def bots_file(folder: Path, model: FakeModel | str, **more: str | float) -> Path:
    """A file with one bot `gpt` for that endpoint; `more` is declared of it."""
    given: dict[str, str | float] = {
        "name": "gpt",
        "model": "fake-model",
        "base_url": model if isinstance(model, str) else model.base_url,
        "prompt": "Be brief.",
        "key_variable": "BOTS_TEST_KEY",
    }
    path = folder / "bots.toml"
    # Strings and numbers are written the same in TOML and in JSON.
    lines = [f"{key} = {json.dumps(value)}" for key, value in (given | more).items()]
    path.write_text("\n".join(["[[bot]]", *lines, ""]))
    return path
