"""A scripted answer in the form of OpenAI's chat completions: event stream, or one body."""

import asyncio
from typing import Any, NoReturn

import orjson
from aiohttp import web

from chatserver.testing.behaviour import PAUSE, Ending, Speak, Usage

GARBAGE = b"data: {this is not JSON\n\n"
ERROR = {"error": {"message": "The engine died.", "type": "server_error", "code": 502}}


async def speak(
    answer: Speak, request: web.Request, name: str, *, counts: bool
) -> web.StreamResponse:
    """Streams the answer; `counts` is whether the request asked for usage."""
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    for _ in range(answer.comments):
        await response.write(b": keep-alive\n\n")
    await response.write(_event(_chunk(name, {"role": "assistant", "content": ""})))
    for thought in answer.reasoning:
        await asyncio.sleep(answer.pace)
        await response.write(_event(_chunk(name, {answer.reasoning_field: thought})))
    for piece in answer.pieces:
        await asyncio.sleep(answer.pace)
        await response.write(_event(_chunk(name, {"content": piece})))
    match answer.ending:
        case Ending.BROKEN_OFF:
            return response
        case Ending.CUT:
            _cut(request)
            return response
        case Ending.HANG:
            await wait_for_ever()
        case Ending.KEEP_ALIVES:
            while True:
                await response.write(b": keep-alive\n\n")
                await asyncio.sleep(PAUSE)
        case Ending.GARBAGE:
            await response.write(GARBAGE)
        case Ending.ERROR:
            await response.write(_event(ERROR))
            return response
    await response.write(_event(_chunk(name, {}, answer.finish_reason)))
    if answer.ending is Ending.FINISHED_THEN_HANG:
        await wait_for_ever()
    if counts and answer.usage is not None:
        last = _chunk(name, None)
        await response.write(_event({**last, "usage": _usage(answer.usage)}))
    await response.write(b"data: [DONE]\n\n")
    return response


async def speak_at_once(answer: Speak, request: web.Request, name: str) -> web.StreamResponse:
    """The whole answer as one body."""
    await asyncio.sleep(answer.pace * (len(answer.reasoning) + len(answer.pieces)))
    match answer.ending:
        case Ending.HANG | Ending.KEEP_ALIVES:
            await wait_for_ever()
        case Ending.CUT | Ending.BROKEN_OFF:
            _cut(request)
        case Ending.GARBAGE:
            return web.Response(body=GARBAGE, content_type="application/json")
        case Ending.ERROR:
            return web.json_response(ERROR)
    message = {"role": "assistant", "content": "".join(answer.pieces)}
    if answer.reasoning:
        message[answer.reasoning_field] = "".join(answer.reasoning)
    choice = {"index": 0, "message": message, "finish_reason": answer.finish_reason}
    body = {"id": "chatcmpl-1", "object": "chat.completion", "created": 0, "model": name}
    usage = {} if answer.usage is None else {"usage": _usage(answer.usage)}
    return web.json_response({**body, "choices": [choice], **usage})


async def wait_for_ever() -> NoReturn:
    """Until the client leaves or the server stops, which cancels the handler."""
    await asyncio.get_running_loop().create_future()
    raise AssertionError("nobody resolves it")


def _chunk(name: str, delta: dict[str, str] | None, finish: str | None = None) -> dict[str, Any]:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    kind = "chat.completion.chunk"
    return {"id": "chatcmpl-1", "object": kind, "created": 0, "model": name, "choices": choices}


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "total_tokens": usage.prompt + usage.completion,
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
    }


def _event(payload: dict[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(payload) + b"\n\n"


def _cut(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
