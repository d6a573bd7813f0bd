"""Listing sessions, page by page."""

import base64
from datetime import datetime

from chatserver.chat.commands import ListSessions, SessionPage
from chatserver.chat.errors import InvalidPayload
from chatserver.chat.models import Participant, SessionOverview
from chatserver.chat.ports import Transaction
from chatserver.chat.use_cases import UseCases


class ListingUseCases(UseCases):
    async def list_sessions(self, actor: Participant, command: ListSessions) -> SessionPage:
        before = _read_cursor(command.before) if command.before is not None else None
        limit = command.limit

        def work(tx: Transaction) -> SessionPage:
            pages = tx.sessions.overview if command.scope == "mine" else tx.sessions.public
            found = pages(actor.id, before, limit + 1)
            shown = found[:limit]
            more = len(found) > limit
            return SessionPage(sessions=shown, next=_write_cursor(shown[-1]) if more else None)

        return await self.store.read(work)


def _write_cursor(last: SessionOverview) -> str:
    return base64.urlsafe_b64encode(f"{last.active_at.isoformat()}|{last.id}".encode()).decode()


def _read_cursor(cursor: str) -> tuple[datetime, str]:
    try:
        active_at, session_id = base64.urlsafe_b64decode(cursor.encode()).decode("ascii").split("|")
        when = datetime.fromisoformat(active_at)
    except ValueError:
        raise _not_a_cursor() from None
    if when.tzinfo is None or not session_id.isprintable():
        raise _not_a_cursor()
    return when, session_id


def _not_a_cursor() -> InvalidPayload:
    return InvalidPayload("before: not a cursor of this server", field="before")
