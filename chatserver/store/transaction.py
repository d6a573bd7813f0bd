"""One database transaction, as the domain sees it."""

from sqlalchemy import Connection

from chatserver.chat.models import Event
from chatserver.store.archives import ArchiveRows
from chatserver.store.invites import InviteRows
from chatserver.store.log import LogRows
from chatserver.store.members import MemberRows
from chatserver.store.memories import MemoryRows
from chatserver.store.replies import ReplyRows
from chatserver.store.sessions import SessionRows
from chatserver.store.tokens import TokenRows
from chatserver.store.usage import UsageRows


class SqlTransaction:
    """`chat.ports.Transaction` on an open connection; begin and commit are its maker's.

    `locking`: what it looks at is locked, where others may write at the same time.
    """

    def __init__(self, connection: Connection, *, locking: bool = False) -> None:
        self.appended: list[Event] = []
        self.sessions = SessionRows(connection, locking=locking)
        self.members = MemberRows(connection)
        self.log = LogRows(connection, self.appended)
        self.replies = ReplyRows(connection, locking=locking)
        self.tokens = TokenRows(connection)
        self.invites = InviteRows(connection)
        self.memories = MemoryRows(connection)
        self.usage = UsageRows(connection)
        self.archives = ArchiveRows(connection)
