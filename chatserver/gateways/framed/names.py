"""Which names are free. Each belongs to a connection, and goes with it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from chatserver.chat.errors import Forbidden
from chatserver.chat.models import Member
from chatserver.gateways.framed.lines import SERVER
from chatserver.gateways.naming import reads_as, same


def require_usable(name: str) -> None:
    """Raises `Forbidden` for names whose messages would look like the server's notices."""
    if reads_as(name, SERVER):
        raise Forbidden("this name is the server's")


def require_free(name: str, members: Iterable[Member], mine: str | None) -> None:
    """Raises `Forbidden` where somebody else who is there bears the name; bots always are.

    `mine` is the id of who wants it, if they have one.
    """
    wanted = same(name)
    for member in members:
        who = member.participant
        if member.online and who.id != mine and same(who.name) == wanted:
            raise taken()


def taken() -> Forbidden:
    return Forbidden("somebody of this name is here already")


class Handshakes:
    """Names that somebody is about to get, so that no two get one at once."""

    def __init__(self) -> None:
        self._under_way: defaultdict[tuple[str, str], list[object]] = defaultdict(list)

    @contextmanager
    def reserving(self, session_id: str, name: str, owner: object) -> Iterator[None]:
        """Raises `Forbidden` where another owner is about to get it in that session."""
        key = session_id, same(name)
        owners = self._under_way[key]
        if any(other != owner for other in owners):
            raise taken()
        owners.append(owner)
        try:
            yield
        finally:
            owners.remove(owner)
            if not owners:
                del self._under_way[key]
