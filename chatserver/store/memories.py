"""The `memory` table."""

from sqlalchemy import Connection, delete, select

from chatserver.chat.ports import Memory
from chatserver.store import schema

M = schema.memory.c


class MemoryRows:
    """`chat.ports.Memories`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, session_id: str, bot: str) -> Memory | None:
        found = self._connection.execute(
            select(M.through_seq, M.text, M.updated_at).where(M.session == session_id, M.bot == bot)
        ).one_or_none()
        return None if found is None else Memory(*found)

    def put(self, session_id: str, bot: str, memory: Memory) -> None:
        self._connection.execute(delete(schema.memory).where(M.session == session_id, M.bot == bot))
        self._connection.execute(
            schema.memory.insert().values(
                session=session_id,
                bot=bot,
                through_seq=memory.through_seq,
                text=memory.text,
                updated_at=memory.updated_at,
            )
        )
