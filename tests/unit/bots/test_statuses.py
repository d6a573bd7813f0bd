"""What an error status of an endpoint means."""

import traceback
from typing import Any

import httpx2
import pytest
from openai import APIStatusError

from chatserver.bots.openai.failures import (
    BadRequest,
    ContextTooLong,
    Failure,
    NotConfigured,
    OutputLimit,
    QuotaSpent,
    RateLimited,
    Refused,
    ServerFault,
    UnknownLimit,
)
from chatserver.bots.openai.statuses import failure_of_status

VLLM = {
    "object": "error",
    "message": "This model's maximum context length is 9 tokens.",
    "code": 400,
}
LLAMA = {"code": 400, "message": "too large", "type": "exceed_context_size_error"}

NEW_NAME = {
    "message": "Unsupported parameter: 'max_tokens' is not supported with this model. Use"
    " 'max_completion_tokens' instead.",
    "type": "invalid_request_error",
    "param": "max_tokens",
    "code": "unsupported_parameter",
}


def refused(status: int, body: Any, **headers: str) -> APIStatusError:
    request = httpx2.Request("POST", "http://model.test/v1/chat/completions")
    response = httpx2.Response(status, request=request, headers=headers)
    return APIStatusError("words of the endpoint", response=response, body=body)


@pytest.mark.parametrize(
    ("status", "body", "failure"),
    [
        (400, {"code": "context_length_exceeded"}, ContextTooLong),
        (400, VLLM, ContextTooLong),
        (400, LLAMA, ContextTooLong),
        (400, "the prompt is too long", ContextTooLong),
        (413, None, ContextTooLong),
        (400, {"code": "content_filter"}, Refused),
        (400, {"message": "max_tokens: at least 16"}, OutputLimit),
        (400, {"message": "max_tokens is too large: 9000. At most 4096 is supported"}, OutputLimit),
        (400, NEW_NAME, UnknownLimit),
        (400, {"message": "Unrecognized request argument: max_completion_tokens"}, UnknownLimit),
        (422, {"message": "[{'type': 'extra_forbidden', 'loc': ['max_tokens']}]"}, UnknownLimit),
        (400, {"message": "Unsupported parameter: 'temperature'"}, BadRequest),
        (422, {"detail": []}, BadRequest),
        (451, None, Refused),
        (401, {"code": "invalid_api_key"}, NotConfigured),
        (403, None, NotConfigured),
        (404, {"code": "model_not_found"}, NotConfigured),
        (405, None, NotConfigured),
        (402, None, QuotaSpent),
        (429, {"code": "insufficient_quota"}, QuotaSpent),
        (429, {"type": "insufficient_quota", "code": None}, QuotaSpent),
        (429, {"code": "rate_limit_exceeded"}, RateLimited),
        (429, "<html>", RateLimited),
        (408, None, ServerFault),
        (500, None, ServerFault),
        (529, None, ServerFault),
    ],
)
def test_a_status_and_its_error_object_mean_one_failure(
    status: int, body: Any, failure: type[Failure]
) -> None:
    assert type(failure_of_status(refused(status, body))) is failure


def test_retry_after_is_kept() -> None:
    headers = {"retry-after": "4"}
    failure = failure_of_status(refused(429, None, **headers))
    assert isinstance(failure, RateLimited)
    assert failure.retry_after == 4.0


def test_the_log_learns_status_code_and_request_and_nothing_that_the_endpoint_quotes() -> None:
    body = {"code": "invalid_api_key", "message": "Incorrect API key provided: sk-12**89"}
    headers = {"x-request-id": "req_77"}
    logged = "".join(traceback.format_exception(failure_of_status(refused(401, body, **headers))))
    assert "status 401, code invalid_api_key" in logged
    assert "req_77" in logged
    assert "sk-12" not in logged


def test_a_code_that_is_no_identifier_is_not_logged() -> None:
    assert "none" in str(failure_of_status(refused(400, {"code": "you said: hello"})))


@pytest.mark.parametrize(
    ("message", "limit"),
    [
        (VLLM["message"], 9),
        ("request (5000 tokens) exceeds the available context size (4096 tokens)", 4096),
        ("prompt is too long: 210000 tokens > 200000 maximum", 200_000),
        ("This model's maximum context length is 8192 tokens, however you requested 9000", 8192),
        ("the prompt is too long", None),
        ("context length exceeded", None),
    ],
)
def test_the_limit_that_an_endpoint_states_is_kept(message: str, limit: int | None) -> None:
    failure = failure_of_status(refused(400, {"message": message}))
    assert isinstance(failure, ContextTooLong)
    assert failure.stated == limit
