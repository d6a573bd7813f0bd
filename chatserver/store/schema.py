"""The tables. Migrations build them; `tests/contract` holds the two against each other."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)

from chatserver.store.types import JsonText, Timestamp

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)

participant = Table(
    "participant",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("name", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("created_at", Timestamp, nullable=False),
)

token = Table(
    "token",
    metadata,
    Column("hash", LargeBinary(32), primary_key=True),
    Column("participant", ForeignKey("participant.id"), nullable=False),
    Column("created_at", Timestamp, nullable=False),
    Column("expires_at", Timestamp, nullable=False),
    Column("revoked_at", Timestamp),
    Index("ix_token_expires_at", "expires_at"),
)

session = Table(
    "session",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("title", Text, nullable=False),
    Column("visibility", String(16), nullable=False),
    Column("reply_policy", String(16), nullable=False),
    Column("bot", Text),
    Column("bot_turns", Integer, nullable=False, server_default="0"),
    Column("created_by", ForeignKey("participant.id"), nullable=False),
    Column("created_at", Timestamp, nullable=False),
    Column("last_seq", BigInteger, nullable=False),
    Column("active_at", Timestamp, nullable=False),
    Column("deleted_at", Timestamp),
    Index("ix_session_visibility_active_at", "visibility", "active_at"),
)

member = Table(
    "member",
    metadata,
    Column("session", ForeignKey("session.id"), primary_key=True),
    Column("participant", ForeignKey("participant.id"), primary_key=True),
    Column("role", String(16), nullable=False),
    Column("joined_at", Timestamp, nullable=False),
    Column("left_at", Timestamp),
    Column("read_seq", BigInteger, nullable=False),
    Index("ix_member_participant", "participant"),
    sqlite_with_rowid=False,
)

invite = Table(
    "invite",
    metadata,
    Column("hash", LargeBinary(32), primary_key=True),
    Column("session", ForeignKey("session.id"), nullable=False),
    Column("created_by", ForeignKey("participant.id"), nullable=False),
    Column("created_at", Timestamp, nullable=False),
    Column("expires_at", Timestamp, nullable=False),
    Index("ix_invite_session", "session"),
    Index("ix_invite_expires_at", "expires_at"),
)

event = Table(
    "event",
    metadata,
    Column("session", ForeignKey("session.id"), primary_key=True),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("type", String(32), nullable=False),
    Column("sender", ForeignKey("participant.id"), nullable=False),
    Column("client_message_id", String(64)),
    # Of the text as it was first sent: an edited message must still know its own repeat.
    Column("body_digest", LargeBinary(16)),
    Column("body", JsonText, nullable=False),
    Column("created_at", Timestamp, nullable=False),
    Column("deleted_at", Timestamp),
    Index(
        "uq_event_session_sender_client_message_id",
        "session",
        "sender",
        "client_message_id",
        unique=True,
        sqlite_where=text("client_message_id IS NOT NULL"),
        postgresql_where=text("client_message_id IS NOT NULL"),
    ),
    # The log is read by session in order: keep it on disk that way.
    sqlite_with_rowid=False,
)

# What a bot remembers of messages up to `through_seq`. It goes where one of their texts does.
memory = Table(
    "memory",
    metadata,
    Column("session", ForeignKey("session.id"), primary_key=True),
    Column("bot", Text, primary_key=True),
    Column("through_seq", BigInteger, nullable=False),
    Column("text", Text, nullable=False),
    Column("updated_at", Timestamp, nullable=False),
)

# What somebody's replies used. It outlives the sessions that they were in.
usage = Table(
    "usage",
    metadata,
    Column("participant", String(64), primary_key=True),
    # The last one; days are counted as Python's `date.toordinal` does, in UTC.
    Column("day", Integer, nullable=False),
    Column("replies", Integer, nullable=False),
    Column("tokens", BigInteger, nullable=False),
)

ACTIVE = text("state IN ('queued', 'running')")
RUNNING = text("state = 'running'")

reply = Table(
    "reply",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("session", ForeignKey("session.id"), nullable=False),
    Column("prompt_seq", BigInteger, nullable=False),
    Column("bot", Text, nullable=False),
    # Among the replies that one prompt asked for: in the order of its mentions.
    Column("position", Integer, nullable=False, server_default="0"),
    # Who waits for it. The prompt's sender, unless that is a bot.
    Column("asker", String(64), nullable=False, server_default=""),
    Column("state", String(16), nullable=False),
    Column("attempt", Integer, nullable=False),
    # How often a worker died over it; being handed over in an orderly way does not count.
    Column("takeovers", Integer, nullable=False, default=0),
    Column("owner", String(64)),
    Column("lease_until", Timestamp),
    Column("stop_requested", Boolean, nullable=False, default=False),
    # What was said by the last checkpoint, and in which attempt.
    Column("partial", Text, nullable=False),
    Column("partial_attempt", Integer, nullable=False, server_default="0"),
    Column("error", JsonText),
    # Prompts included, of all attempts, as far as the model's endpoint counts them.
    Column("tokens", Integer, nullable=False, server_default="0"),
    Column("created_at", Timestamp, nullable=False),
    Column("finished_at", Timestamp),
    Column("result_seq", BigInteger),
    Index("ix_reply_asker", "asker", sqlite_where=ACTIVE, postgresql_where=ACTIVE),
    # At most one runs in a session, whatever workers see of each other's claims.
    Index(
        "uq_reply_running", "session", unique=True, sqlite_where=RUNNING, postgresql_where=RUNNING
    ),
    Index("ix_reply_session_prompt_seq", "session", "prompt_seq"),
    Index("ix_reply_queue", "created_at", "id", sqlite_where=ACTIVE, postgresql_where=ACTIVE),
    Index("ix_reply_turn", "session", "prompt_seq", sqlite_where=ACTIVE, postgresql_where=ACTIVE),
)
