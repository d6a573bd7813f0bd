"""Our whole server, but messages stay in memory: what the product costs without its database.

python in_memory.py (settings as for `chatserver serve`)
"""

import sys

from chatserver.chat.events import MessageCreated
from chatserver.chat.messages import admit, body_digest, require_same_body
from chatserver.chat.models import Event, EventType, Role, Session
from chatserver.chat.ports import Appended, Commit, MessageDraft, Transaction
from chatserver.cli import main
from chatserver.store import open as store_open
from chatserver.store.sqlite import SqliteStore


class InMemoryMessages(SqliteStore):
    """A store whose messages are admitted, told apart from repeats and numbered, but not kept.

    For sessions that change no more once their first message was sent: everything else is in the
    database, which would give the same numbers out again.
    """

    def _known(self) -> "_Known":
        known: _Known = self.__dict__.setdefault("known", _Known())
        return known

    async def append_message(self, draft: MessageDraft) -> Appended:
        known, session_id, sender = self._known(), draft.session_id, draft.sender
        if session_id not in known.sessions:
            known.sessions[session_id] = await self.read(lambda tx: tx.sessions.get(session_id))
        if (session_id, sender.id) not in known.roles:

            def role_of(tx: Transaction) -> Role | None:
                return tx.members.role(session_id, sender.id)

            known.roles[session_id, sender.id] = await self.read(role_of)
        session = admit(known.sessions[session_id], known.roles[session_id, sender.id])
        digest = body_digest(draft.text, draft.reply_to)
        key = session_id, sender.id, draft.client_message_id
        if repeated := known.sent.get(key):
            require_same_body(repeated[0], digest)
            return Appended(repeated[1], duplicate=True)
        seq = known.seqs[session_id] = known.seqs.get(session_id, session.last_seq) + 1
        event = Event(
            session_id=session_id,
            seq=seq,
            type=EventType.MESSAGE_CREATED,
            sender=sender,
            created_at=draft.created_at,
            data=MessageCreated(
                text=draft.text, client_message_id=draft.client_message_id, reply_to=draft.reply_to
            ).wire(),
        )
        known.sent[key] = digest, event
        self._committed(Commit((event,), 0))
        return Appended(event, duplicate=False)


class _Known:
    def __init__(self) -> None:
        self.sessions: dict[str, Session | None] = {}
        self.roles: dict[tuple[str, str], Role | None] = {}
        self.seqs: dict[str, int] = {}
        self.sent: dict[tuple[str, str, str], tuple[bytes, Event]] = {}


if __name__ == "__main__":
    # The composition root has no seam for this, and the product needs none.
    vars(store_open)["SqliteStore"] = InMemoryMessages
    main(["serve", *sys.argv[1:]])
