"""The checker of `test_every_prompt_ends` finds what is wrong with servers that break a promise."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, find, settings
from sqlalchemy import and_, bindparam, false, text

from chatserver.chat import answers, desk
from chatserver.chat.models import Reply
from chatserver.chat.ports import Claim, Commit, Transaction
from chatserver.replies.pool import ReplyPool
from chatserver.replies.stream import ReplyStream
from chatserver.store import claims, replies
from chatserver.testing import Speak
from tests.property.programs import (
    AwaitText,
    Kill,
    Pause,
    Program,
    Send,
    Start,
    Step,
    Wait,
    programs,
)
from tests.property.theatre import Theatre

Break = Callable[[pytest.MonkeyPatch], None]


def with_two_workers(*steps: Step) -> Program:
    """The first of them has begun to speak."""
    begin = ((Send(0),), (AwaitText(),), (Start(),))
    speaking = Speak(("on",) * 20, pace=0.4)
    return Program(
        sessions=1,
        turns=0,
        hints=True,
        scripts=((speaking,) * 4,),
        steps=(*begin, *((step,) for step in steps), (Wait(60),)),
    )


KILLED = with_two_workers(Kill(0, recover=False))
LATE = with_two_workers(Pause(0, 40))
"""The first comes back when the second has ended its reply."""


def without_fences(patch: pytest.MonkeyPatch) -> None:
    """A worker may end a reply that was taken over."""

    asked = [bindparam("held_by").is_not(None), bindparam("held_attempt").is_not(None)]
    anybody = and_(replies.R.id == bindparam("held_id"), *asked)
    patch.setattr(replies, "FENCE", anybody)


def without_hints(patch: pytest.MonkeyPatch) -> None:
    """Workers neither hear of prompts nor look for them."""

    async def never(self: ReplyPool) -> None:
        pass

    def deaf(self: ReplyPool, commit: Commit) -> None:
        pass

    patch.setattr(ReplyPool, "committed", deaf)
    patch.setattr(ReplyPool, "_poll", never)


def without_takeover(patch: pytest.MonkeyPatch) -> None:
    """The leases of the dead never lapse."""
    claim = replies.ReplyRows.claim

    def held_for_ever(
        self: replies.ReplyRows, owner: str, now: datetime, lease: timedelta, **more: int
    ) -> Claim | None:
        return claim(self, owner, now, lease + timedelta(days=365), **more)

    patch.setattr(replies.ReplyRows, "claim", held_for_ever)


def saying_it_twice(patch: pytest.MonkeyPatch) -> None:
    """The final message is appended two times."""
    say = answers.say

    def twice(tx: Transaction, reply: Reply, *what: Any) -> Any:
        say(tx, reply, *what)
        return say(tx, reply, *what)

    patch.setattr(desk, "say", twice)


def newest_first(patch: pytest.MonkeyPatch) -> None:
    """The last prompt of a session is answered first."""

    def backwards(reply: Any) -> tuple[Any, ...]:
        return -reply.prompt_seq, reply.created_at, reply.position, reply.id

    patch.setattr(claims, "turn", backwards)
    claiming_anew(patch)


def all_at_once(patch: pytest.MonkeyPatch) -> None:
    """Whatever waits may run, and the database allows it."""

    class Never:
        def where(self, *_: Any) -> Any:
            return false()

    claim = replies.ReplyRows.claim

    def unguarded(self: replies.ReplyRows, *given: Any, **more: Any) -> Claim | None:
        self._connection.execute(text("DROP INDEX IF EXISTS uq_reply_running"))
        return claim(self, *given, **more)

    patch.setattr(claims, "exists", Never)
    patch.setattr(replies.ReplyRows, "claim", unguarded)
    claiming_anew(patch)


def claiming_anew(patch: pytest.MonkeyPatch) -> None:
    """The statements are made when the module is imported."""
    patch.setattr(claims, "_ALONE", claims._alone())


def dropping_text(patch: pytest.MonkeyPatch) -> None:
    """What waits to be sent when a reply ends is never sent."""

    def forget(self: ReplyStream) -> None:
        self.close()

    flush = ReplyStream.flush

    def first_only(self: ReplyStream) -> None:
        (forget if self._sent else flush)(self)

    patch.setattr(ReplyStream, "flush", first_only)


@pytest.mark.parametrize(
    ("broken", "complaint"),
    [
        (without_fences, "ended in 2 messages|failed 2 times|ended 2 times|was told to be"),
        (without_hints, "is still queued"),
        (without_takeover, "is still running"),
        (saying_it_twice, "ended in 2 messages"),
        (newest_first, "replies began in the order"),
        (all_at_once, "ran side by side"),
        (dropping_text, "was streamed as"),
    ],
    ids=lambda each: each.__name__ if callable(each) else "",
)
def test_a_broken_server_is_found_out(
    theatre: Theatre, monkeypatch: pytest.MonkeyPatch, broken: Break, complaint: str
) -> None:
    broken(monkeypatch)
    pattern = re.compile(complaint)

    def found_out(program: Program) -> bool:
        return any(pattern.search(each) for each in theatre.complaints(program))

    # What chance takes long to come upon is tried first.
    if not any(found_out(program) for program in (KILLED, LATE)):
        find(programs, found_out, settings=FIRST, random=Random(4))


FIRST = settings(
    max_examples=100,
    phases=[Phase.generate],
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
"""The first that is found will do. `find` raises NoSuchExample where there is none."""
