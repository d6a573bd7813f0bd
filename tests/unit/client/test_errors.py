"""Refusals become the domain's exceptions; delays stay within their bounds."""

import random

import pytest

from chatserver.chat import errors
from chatserver.client.backoff import STEADY_SECONDS, Backoff
from chatserver.client.client import ChatClient
from chatserver.client.errors import BadAddress, UnknownRefusal, refusal


@pytest.mark.parametrize("code", sorted(errors.CODES))
def test_a_refusal_is_the_class_of_its_code(code: str) -> None:
    error = refusal({"code": code, "message": "no", "retryable": True, "retry_after_ms": 5})
    assert type(error) is errors.CODES[code]
    assert (error.code, error.message, error.retry_after_ms) == (code, "no", 5)


def test_every_error_of_the_domain_is_known() -> None:
    assert errors.CODES["token_expired"] is errors.TokenExpired
    assert errors.CODES["internal"] is errors.Internal
    assert len(errors.CODES) >= 24


def test_a_code_of_a_newer_server_is_raised_as_it_is() -> None:
    error = refusal({"code": "teapot", "message": "short and stout", "retryable": True})
    assert isinstance(error, UnknownRefusal)
    assert (error.code, error.retryable) == ("teapot", True)


@pytest.mark.parametrize("nonsense", [None, "oops", 7, []])
def test_a_refusal_without_shape_is_a_defect_of_the_server(nonsense: object) -> None:
    assert isinstance(refusal(nonsense), errors.Internal)


def test_delays_grow_are_jittered_and_stay_below_their_cap() -> None:
    backoff = Backoff(first=0.1, cap=5.0, rng=random.Random(1))
    delays = [backoff.next() for _ in range(100)]
    assert all(0.025 <= delay <= 5.0 for delay in delays)
    assert max(delays[:3]) <= 0.4
    assert len(set(delays[20:])) == 80
    assert backoff.next(at_least=7.0) >= 7.0
    backoff.reset()
    assert backoff.next() <= 0.1


def test_only_a_connection_that_lasted_makes_the_delays_short_again() -> None:
    backoff = Backoff()
    for _ in range(5):
        backoff.next()
        backoff.lasted(STEADY_SECONDS / 2)
    assert backoff.attempt == 5
    backoff.lasted(STEADY_SECONDS)
    assert backoff.attempt == 0


@pytest.mark.parametrize(
    "address",
    ["", "nonsense", "127.0.0.1:8000", "ftp://x", "http://", "http://host:port", "http://[::1"],
)
async def test_an_address_that_cannot_be_one_is_refused_at_once(address: str) -> None:
    with pytest.raises(BadAddress, match="no address of a server") as refused:
        ChatClient(address, name="Ada")
    assert isinstance(refused.value, ValueError)
