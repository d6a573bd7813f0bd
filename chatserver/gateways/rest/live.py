"""A session's events as a stream, for scripts: `curl -N`, or any reader of Server-Sent Events."""

from contextlib import AsyncExitStack

from pydantic import Field

from chatserver.chat.commands import SeqOrZero
from chatserver.chat.errors import InvalidPayload
from chatserver.gateways.rest.following import Following
from chatserver.gateways.rest.parts import Words
from chatserver.gateways.rest.routes import Call, Stream
from chatserver.gateways.rest.streaming import EventStream


class StreamQuery(Words):
    after_seq: SeqOrZero | None = None
    signals: bool = Field(
        False,
        description="of a stream: ephemeral events, too (replies as they are written, who types)",
    )


class StreamHeaders(Words):
    last_event_id: SeqOrZero | None = Field(
        None,
        alias="Last-Event-ID",
        description="of a stream: go on after this `seq`; counts more than `after_seq`",
    )


async def follow(call: Call) -> EventStream:
    """Refuses what the JSON answer refuses, and a cursor beyond the log, before it begins."""
    values, services = call.values, call.services
    session = await call.chat.session(call.actor, values["session_id"])
    field = "Last-Event-ID" if "last_event_id" in values else "after_seq"
    cursor = values.get("last_event_id", values.get("after_seq", session.last_seq))
    if cursor > session.last_seq:
        raise InvalidPayload(f"{field} is beyond the session's last event", field=field)
    async with AsyncExitStack() as stack:
        visitor = await stack.enter_async_context(
            services.visitors.admit(call.token, call.subscriber)
        )
        following = Following(
            call.chat,
            visitor,
            session.id,
            cursor,
            session.last_seq - cursor,
            shows_signals=values.get("signals", False),
        )
        return EventStream(
            following,
            stack.pop_all(),
            services.rounds,
            keep_alive_seconds=services.keep_alive_seconds,
            silence_seconds=services.silence_seconds,
        )


EVENTS = Stream(
    follow,
    "Server-Sent Events: each event of the log with its `seq` as `id`, its type as `event` and the "
    "`Event` as `data`, from the cursor on (without one, from now on), and then as they happen",
    StreamQuery,
    StreamHeaders,
)
