"""What may happen to the replies of a few sessions, drawn at random."""

from dataclasses import dataclass

from hypothesis import strategies as st

from chatserver.chat.models import ReplyPolicy
from chatserver.testing import (
    Behaviour,
    Ending,
    Silence,
    Speak,
    bad_request,
    broken_off,
    content_filtered,
    context_too_long,
    cut,
    garbage,
    hang,
    keep_alives,
    rate_limited,
    server_error,
    unauthorized,
)

BOTS = ("ada", "bob")


@dataclass(frozen=True)
class Send:
    session: int
    mentions: tuple[str, ...] = ()
    repeat: bool = False
    """Sends the session's newest message once more, as a client does that got no ack."""


@dataclass(frozen=True)
class Stop:
    pick: int = 0
    """Of the replies that wait or run, then of the others."""


@dataclass(frozen=True)
class Retry:
    pick: int = 0
    """Of the replies that failed or were stopped, then of the others."""


@dataclass(frozen=True)
class Edit:
    pick: int = 0
    """Of the messages that were sent, from the newest; so below."""


@dataclass(frozen=True)
class Delete:
    pick: int = 0


@dataclass(frozen=True)
class SetPolicy:
    session: int
    policy: ReplyPolicy


@dataclass(frozen=True)
class SetMember:
    session: int
    bot: str
    member: bool


@dataclass(frozen=True)
class Wait:
    seconds: float


@dataclass(frozen=True)
class AwaitText:
    """Until a bot says something, but not for long."""


@dataclass(frozen=True)
class Kill:
    """A worker is gone, at once or just before or after one of its next transactions commits."""

    worker: int = 0
    transaction: int = 0
    """The first, second, … from now on; 0: at once."""
    committed: bool = False
    recover: bool = True
    """Whether the next one, if it is alone, takes back at its start what this one held."""


@dataclass(frozen=True)
class Drain:
    worker: int = 0


@dataclass(frozen=True)
class Start:
    """A second worker."""


@dataclass(frozen=True)
class Pause:
    """A worker stands still and comes back; its lease may have lapsed meanwhile."""

    worker: int
    seconds: float


@dataclass(frozen=True)
class Outage:
    """The store is unavailable to everybody."""

    seconds: float


Step = (
    Send
    | Stop
    | Retry
    | Edit
    | Delete
    | SetPolicy
    | SetMember
    | Wait
    | AwaitText
    | Kill
    | Drain
    | Start
    | Pause
    | Outage
)


@dataclass(frozen=True)
class Program:
    sessions: int
    turns: int
    """`bot_turns` of the sessions."""
    hints: bool
    """Whether workers hear of commits, as in the server's own process, or poll only."""
    scripts: tuple[tuple[Behaviour, ...], ...]
    """What the model of each bot does, request after request."""
    steps: tuple[tuple[Step, ...], ...]
    """What stands in one tuple happens at the same time."""


pieces = st.lists(
    st.sampled_from(["Yes", ", and so on", " @ada", " @bob", " né 👍", "\n", " \x00"]),
    min_size=1,
    max_size=5,
).map(tuple)
said_before = st.sampled_from([(), ("So far",), ("So", " far", " so good")])
speaking: st.SearchStrategy[Behaviour] = st.builds(
    Speak, pieces=pieces, pace=st.sampled_from([0.0, 0.0, 0.03, 0.4, 1.5])
)
failing: st.SearchStrategy[Behaviour] = st.one_of(
    st.sampled_from(
        [
            rate_limited(),
            rate_limited(1),
            server_error(),
            unauthorized(),
            bad_request(),
            context_too_long(),
            Silence(),
            Speak(()),
            Speak(("  ",)),
            Speak(("on",) * 60, pace=0.4),
            Speak(("late",), pace=60),
            Speak(("0123456789" * 10,) * 10),
        ]
    ),
    st.builds(hang, said_before),
    st.builds(cut, said_before),
    st.builds(garbage, said_before),
    st.builds(broken_off, said_before),
    st.builds(keep_alives, said_before),
    st.builds(content_filtered, said_before),
    st.builds(
        Speak,
        pieces=said_before,
        ending=st.sampled_from([Ending.ERROR, Ending.FINISHED_THEN_HANG]),
    ),
)
scripts = st.lists(st.one_of(speaking, speaking, failing), max_size=8).map(tuple)

session_numbers = st.integers(0, 2)
picks = st.integers(0, 3)
workers = st.integers(0, 1)
seconds = st.sampled_from([0.01, 0.2, 1.0, 3.0, 11.0, 25.0])
sends = st.builds(
    Send,
    session=session_numbers,
    mentions=st.one_of(st.just(()), st.lists(st.sampled_from(BOTS), max_size=3).map(tuple)),
    repeat=st.sampled_from([False, False, False, True]),
)
kills = st.builds(
    Kill,
    worker=workers,
    transaction=st.integers(0, 4),
    committed=st.booleans(),
    recover=st.booleans(),
)


def mostly(**weights: tuple[int, st.SearchStrategy[Step]]) -> st.SearchStrategy[Step]:
    """One of these, as often as weighed. (`one_of` would give each of its branches' branches the
    same chance.)"""
    choices = [strategy for weight, strategy in weights.values() for _ in range(weight)]
    return st.sampled_from(choices).flatmap(lambda strategy: strategy)


steps = mostly(
    send=(9, sends),
    wait=(3, st.builds(Wait, seconds)),
    text=(4, st.just(AwaitText())),
    stop=(3, st.builds(Stop, picks)),
    retry=(4, st.builds(Retry, picks)),
    edit=(1, st.builds(Edit, picks)),
    delete=(1, st.builds(Delete, picks)),
    policy=(1, st.builds(SetPolicy, session_numbers, st.sampled_from(ReplyPolicy))),
    member=(2, st.builds(SetMember, session_numbers, st.sampled_from(BOTS), st.booleans())),
    kill=(4, kills),
    drain=(1, st.builds(Drain, workers)),
    pause=(2, st.builds(Pause, workers, seconds)),
    outage=(1, st.builds(Outage, seconds)),
    start=(2, st.just(Start())),
)
programs = st.builds(
    Program,
    sessions=st.integers(1, 3),
    turns=st.sampled_from([0, 0, 2]),
    hints=st.booleans(),
    scripts=st.lists(scripts, min_size=1, max_size=len(BOTS)).map(tuple),
    steps=st.lists(st.lists(steps, min_size=1, max_size=3).map(tuple), min_size=6, max_size=10).map(
        tuple
    ),
)
