"""What each client did and saw, written down as it happened, to be judged later.

One file of JSON lines for each client, and `marks` for what was done to the servers. A line is
`[kind, monotonic ns, wall time, fields]`; it is with the kernel before `write` returns, so a client
that crashes loses none. Texts appear only as digests.
"""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

import orjson

MARKS = "marks"


def digest(text: str, reply_to: int | None = None) -> str:
    """What the store keeps of a message as it was first sent (`body_digest`), in hex."""
    return blake2b(f"{reply_to or 0}:{text}".encode(), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class Seen:
    """A durable event as it travelled. `digest` is of its text, empty where it has none."""

    seq: int
    type: str
    sender: str
    message_id: str | None
    reply_id: str | None
    digest: str


@dataclass(frozen=True, slots=True)
class Named:
    """Who this client is."""

    participant: str


@dataclass(frozen=True, slots=True)
class Connected:
    connection: int
    transport: str


@dataclass(frozen=True, slots=True)
class Disconnected:
    connection: int
    why: str


@dataclass(frozen=True, slots=True)
class Sent:
    """One transmission of a message; `op` counts them, a repeat has the same `message_id`."""

    op: int
    connection: int
    session: str
    message_id: str
    digest: str
    prompt: bool


@dataclass(frozen=True, slots=True)
class Acked:
    """The answer to transmission `op`; `code` is empty where it was ok."""

    op: int
    ok: bool
    code: str
    seq: int | None
    duplicate: bool


@dataclass(frozen=True, slots=True)
class Unknown:
    """Transmission `op` will have no answer: the connection ended first."""

    op: int
    why: str


@dataclass(frozen=True, slots=True)
class Changed:
    """The answer to an edit or deletion; `seq` is that of the event, `of` of the message."""

    connection: int
    session: str
    action: str
    of: int
    code: str
    seq: int | None
    digest: str


@dataclass(frozen=True, slots=True)
class Joined:
    """A snapshot: what was asked for, and what came."""

    connection: int
    session: str
    after_seq: int
    from_seq: int
    to_seq: int
    complete: bool
    events: list[Seen]


@dataclass(frozen=True, slots=True)
class Paged:
    """A page of the history."""

    connection: int
    session: str
    events: list[Seen]


@dataclass(frozen=True, slots=True)
class Left:
    """The session was left; what is read of it from here on is a breach."""

    connection: int
    session: str


@dataclass(frozen=True, slots=True)
class Probed:
    """An attempt at a session of others. `code` is the refusal's; empty: it was let in."""

    connection: int
    session: str
    action: str
    code: str


@dataclass(frozen=True, slots=True)
class Received:
    """A durable event, live, exactly as it came."""

    connection: int
    session: str
    event: Seen


@dataclass(frozen=True, slots=True)
class Heard:
    """An ephemeral event about a session."""

    connection: int
    session: str
    name: str


@dataclass(frozen=True, slots=True)
class Settled:
    """Everything this client sent is determined, and it has joined all its sessions once more."""

    connection: int


@dataclass(frozen=True, slots=True)
class Mark:
    """What was done to the servers: `inject` or `heal`, and which fault."""

    what: str
    fault: str


Record = (
    Named
    | Connected
    | Disconnected
    | Sent
    | Acked
    | Unknown
    | Changed
    | Joined
    | Paged
    | Left
    | Probed
    | Received
    | Heard
    | Settled
    | Mark
)
KINDS: dict[str, type[Any]] = {kind.__name__.lower(): kind for kind in Record.__args__}


@dataclass(frozen=True, slots=True)
class Entry:
    """A record with its times (`at`: CLOCK_MONOTONIC in ns) and where it stands."""

    at: int
    wall: float
    record: Record
    where: str


class ClientLog:
    """The file of one client."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)

    def write(self, record: Record) -> None:
        head = b'["%b",%d,%.6f,' % (
            type(record).__name__.lower().encode(),
            time.monotonic_ns(),
            time.time(),
        )
        os.write(self._fd, head + orjson.dumps(record) + b"]\n")

    def close(self) -> None:
        os.close(self._fd)


class History:
    """A folder of such files; made where it is missing, added to where it is there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._logs: dict[str, ClientLog] = {}

    def client(self, name: str) -> ClientLog:
        log = self._logs.get(name)
        if log is None:
            log = self._logs[name] = ClientLog(self.folder / f"{name}.jsonl")
        return log

    def mark(self, what: str, fault: str) -> None:
        """Says that a fault begins (`inject`) or has ended (`heal`)."""
        self.client(MARKS).write(Mark(what, fault))

    def close(self) -> None:
        for log in self._logs.values():
            log.close()
        self._logs.clear()


def clients(folder: Path) -> list[str]:
    """The names of those who wrote, without `MARKS`."""
    return sorted(path.stem for path in folder.glob("*.jsonl") if path.stem != MARKS)


def read(folder: Path, name: str) -> Iterator[Entry]:
    """What one client wrote, in order. A last line that is cut off was never written."""
    path = folder / f"{name}.jsonl"
    if not path.exists():
        return
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if not line.endswith(b"\n"):
                return
            kind, at, wall, fields = orjson.loads(line)
            if "event" in fields:
                fields["event"] = Seen(**fields["event"])
            elif "events" in fields:
                fields["events"] = [Seen(**event) for event in fields["events"]]
            yield Entry(at, wall, KINDS[kind](**fields), f"{name}:{number}")
