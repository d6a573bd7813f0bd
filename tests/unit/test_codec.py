"""What the codec does at the edges of JSON, exactly."""

import json

import pytest

from chatserver.realtime.codec import TOO_DEEP, Codec

CODEC = Codec(max_depth=4)


@pytest.mark.parametrize("text", ["NaN", "[1,NaN]", "Infinity", "-Infinity", '{"a":-Infinity}'])
def test_numbers_that_are_not_json_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not JSON"):
        CODEC.loads(text)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_such_numbers_are_written_as_null(value: float) -> None:
    assert CODEC.dumps([value]) == "[null]"


HALF = '"\\ud800"'
"""Makes the text one that orjson leaves to the fallback."""


@pytest.mark.parametrize("beside", ["1", HALF])
def test_integers_within_64_bits_are_read_exactly_and_beyond_as_the_nearest_float(
    beside: str,
) -> None:
    for exact in (2**53 + 1, 2**63, 2**64 - 1, -(2**63)):
        read = CODEC.loads(f"[{exact},{beside}]")[0]
        assert (read, type(read)) == (exact, int)
    for beyond in (2**64, 2**64 + 1, -(2**63) - 1, 10**300):
        read = CODEC.loads(f"[{beyond},{beside}]")[0]
        assert (read, type(read)) == (float(beyond), float)


@pytest.mark.parametrize("number", ["1e400", "-1e400", "1" * 400, "-" + "1" * 100_000])
@pytest.mark.parametrize("beside", ["1", HALF])
def test_a_number_beyond_all_floats_is_refused(number: str, beside: str) -> None:
    with pytest.raises(ValueError, match="beyond all floats"):
        CODEC.loads(f"[{number},{beside}]")


def test_an_integer_beyond_64_bits_is_not_written() -> None:
    assert CODEC.dumps([2**64 - 1, -(2**63)]) == f"[{2**64 - 1},{-(2**63)}]"
    with pytest.raises(TypeError):
        CODEC.dumps([2**64])


def test_half_a_surrogate_pair_is_read_as_it_is_and_never_written() -> None:
    half = CODEC.loads('"\\ud800"')
    assert half == "\ud800"
    with pytest.raises(TypeError):
        CODEC.dumps(half)
    assert CODEC.loads('"\\ud83c\\udf88"') == "🎈"


@pytest.mark.parametrize("text", ["", "[", '{"a"}', "[1,]", "'a'", "[1] 2", "\x00", "﻿[]"])
def test_what_is_not_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        CODEC.loads(text)


def test_nesting_up_to_the_limit_is_read_and_beyond_it_is_an_event_without_payload() -> None:
    assert CODEC.loads('["say",[[[1]]]]') == ["say", [[[1]]]]
    assert CODEC.loads('["say",[[[[1]]]]]') == ["say", TOO_DEEP]


def test_brackets_in_strings_nest_nothing() -> None:
    text = json.dumps(["say", "[[[[[[{{{{" * 10, '\\"[[[['])
    assert CODEC.loads(text) == json.loads(text)


def test_deep_nesting_that_is_no_event_is_refused_at_any_depth() -> None:
    for depth in (5, 1_000, 1_000_000):
        with pytest.raises(ValueError, match="deeply"):
            CODEC.loads("[" * depth + "]" * depth)
        with pytest.raises(ValueError, match="deeply"):
            CODEC.loads('{"a":' * depth + "1" + "}" * depth)
