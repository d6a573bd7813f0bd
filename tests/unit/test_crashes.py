"""What logs say of a crash."""

import pytest

from chatserver.observability.crashes import traced


def failing(secret: str) -> None:
    try:
        raise KeyError(secret)
    except KeyError as cause:
        raise ValueError(secret) from cause


def test_kinds_and_places_are_told_and_no_words() -> None:
    with pytest.raises(ValueError, match="secret") as crash:
        failing("secret")
    told = traced(crash.value)
    assert told["error"] == "builtins.ValueError from builtins.KeyError"
    places = told["where"]
    assert isinstance(places, list)
    assert [place.rpartition(" ")[2] for place in places] == [
        "failing",  # where it began
        "test_kinds_and_places_are_told_and_no_words",
        "failing",
    ]
    assert "secret" not in str(told)


def test_causes_that_go_round_come_once() -> None:
    first, second = ValueError(), KeyError()
    first.__cause__, second.__cause__ = second, first
    assert traced(first)["error"] == "builtins.ValueError from builtins.KeyError"


def test_a_hidden_context_stays_hidden() -> None:
    shown = ValueError()
    shown.__context__, shown.__suppress_context__ = KeyError(), True
    assert traced(shown)["error"] == "builtins.ValueError"
