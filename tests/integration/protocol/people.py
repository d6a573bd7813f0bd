"""Situations that many tests begin with."""

from typing import Any

from tests.raw import RawClient


async def session_of(owner: RawClient, *others: RawClient, **settings: Any) -> str:
    """The id of a new session that all of them are members of; nobody answers unless asked to."""
    chosen = {"bot": None, "visibility": "link", **settings}
    session_id: str = (await owner.do("create_session", **chosen))["session"]["id"]
    for other in others:
        await other.do("join_session", session_id=session_id)
    return session_id


async def log_of(member: RawClient, session_id: str) -> list[dict[str, Any]]:
    """The whole log."""
    events: list[dict[str, Any]] = []
    while True:
        after = events[-1]["seq"] if events else 0
        page = await member.do("get_history", session_id=session_id, after_seq=after, limit=200)
        events += page["events"]
        if page["complete"]:
            return events


async def texts_of(member: RawClient, session_id: str) -> list[str]:
    return [
        event["data"]["text"]
        for event in await log_of(member, session_id)
        if event["type"] == "message_created"
    ]


LONG = " ".join(f"word{number}" for number in range(200))
"""What the echo bot takes long to repeat."""
