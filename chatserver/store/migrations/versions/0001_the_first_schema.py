"""The first schema

Revision: 0001, after none
"""

import sqlalchemy as sa
from alembic import op

import chatserver.store.types

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "participant",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("created_at", chatserver.store.types.Timestamp(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_participant")),
    )
    op.create_table(
        "session",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("visibility", sa.String(length=16), nullable=False),
        sa.Column("reply_policy", sa.String(length=16), nullable=False),
        sa.Column("bot", sa.Text(), nullable=True),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", chatserver.store.types.Timestamp(), nullable=False),
        sa.Column("last_seq", sa.BigInteger(), nullable=False),
        sa.Column("active_at", chatserver.store.types.Timestamp(), nullable=False),
        sa.Column("deleted_at", chatserver.store.types.Timestamp(), nullable=True),
        sa.ForeignKeyConstraint(
            ["created_by"], ["participant.id"], name=op.f("fk_session_created_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session")),
    )
    with op.batch_alter_table("session", schema=None) as batch_op:
        batch_op.create_index(
            "ix_session_visibility_active_at", ["visibility", "active_at"], unique=False
        )

    op.create_table(
        "token",
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("participant", sa.String(length=64), nullable=False),
        sa.Column("created_at", chatserver.store.types.Timestamp(), nullable=False),
        sa.Column("expires_at", chatserver.store.types.Timestamp(), nullable=False),
        sa.Column("revoked_at", chatserver.store.types.Timestamp(), nullable=True),
        sa.ForeignKeyConstraint(
            ["participant"], ["participant.id"], name=op.f("fk_token_participant")
        ),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_token")),
    )
    op.create_table(
        "event",
        sa.Column("session", sa.String(length=64), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("type", sa.String(length=32), nullable=False),
        sa.Column("sender", sa.String(length=64), nullable=False),
        sa.Column("client_message_id", sa.String(length=64), nullable=True),
        sa.Column("body_digest", sa.LargeBinary(length=16), nullable=True),
        sa.Column("body", chatserver.store.types.JsonText(), nullable=False),
        sa.Column("created_at", chatserver.store.types.Timestamp(), nullable=False),
        sa.Column("deleted_at", chatserver.store.types.Timestamp(), nullable=True),
        sa.ForeignKeyConstraint(["sender"], ["participant.id"], name=op.f("fk_event_sender")),
        sa.ForeignKeyConstraint(["session"], ["session.id"], name=op.f("fk_event_session")),
        sa.PrimaryKeyConstraint("session", "seq", name=op.f("pk_event")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.create_index(
            "uq_event_session_sender_client_message_id",
            ["session", "sender", "client_message_id"],
            unique=True,
            sqlite_where=sa.text("client_message_id IS NOT NULL"),
            postgresql_where=sa.text("client_message_id IS NOT NULL"),
        )

    op.create_table(
        "invite",
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("session", sa.String(length=64), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("created_at", chatserver.store.types.Timestamp(), nullable=False),
        sa.Column("expires_at", chatserver.store.types.Timestamp(), nullable=False),
        sa.ForeignKeyConstraint(
            ["created_by"], ["participant.id"], name=op.f("fk_invite_created_by")
        ),
        sa.ForeignKeyConstraint(["session"], ["session.id"], name=op.f("fk_invite_session")),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_invite")),
    )
    with op.batch_alter_table("invite", schema=None) as batch_op:
        batch_op.create_index("ix_invite_session", ["session"], unique=False)

    op.create_table(
        "member",
        sa.Column("session", sa.String(length=64), nullable=False),
        sa.Column("participant", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("joined_at", chatserver.store.types.Timestamp(), nullable=False),
        sa.Column("left_at", chatserver.store.types.Timestamp(), nullable=True),
        sa.Column("read_seq", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["participant"], ["participant.id"], name=op.f("fk_member_participant")
        ),
        sa.ForeignKeyConstraint(["session"], ["session.id"], name=op.f("fk_member_session")),
        sa.PrimaryKeyConstraint("session", "participant", name=op.f("pk_member")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("member", schema=None) as batch_op:
        batch_op.create_index("ix_member_participant", ["participant"], unique=False)

    op.create_table(
        "reply",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("session", sa.String(length=64), nullable=False),
        sa.Column("prompt_seq", sa.BigInteger(), nullable=False),
        sa.Column("bot", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("takeovers", sa.Integer(), nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=True),
        sa.Column("lease_until", chatserver.store.types.Timestamp(), nullable=True),
        sa.Column("stop_requested", sa.Boolean(), nullable=False),
        sa.Column("partial", sa.Text(), nullable=False),
        sa.Column("error", chatserver.store.types.JsonText(), nullable=True),
        sa.Column("created_at", chatserver.store.types.Timestamp(), nullable=False),
        sa.Column("finished_at", chatserver.store.types.Timestamp(), nullable=True),
        sa.Column("result_seq", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["session"], ["session.id"], name=op.f("fk_reply_session")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reply")),
    )
    with op.batch_alter_table("reply", schema=None) as batch_op:
        batch_op.create_index(
            "ix_reply_queue",
            ["created_at", "id"],
            unique=False,
            sqlite_where=sa.text("state IN ('queued', 'running')"),
            postgresql_where=sa.text("state IN ('queued', 'running')"),
        )
        batch_op.create_index(
            "ix_reply_session_prompt_seq", ["session", "prompt_seq"], unique=False
        )
        batch_op.create_index(
            "ix_reply_turn",
            ["session", "prompt_seq"],
            unique=False,
            sqlite_where=sa.text("state IN ('queued', 'running')"),
            postgresql_where=sa.text("state IN ('queued', 'running')"),
        )


def downgrade() -> None:
    with op.batch_alter_table("reply", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_reply_turn",
            sqlite_where=sa.text("state IN ('queued', 'running')"),
            postgresql_where=sa.text("state IN ('queued', 'running')"),
        )
        batch_op.drop_index("ix_reply_session_prompt_seq")
        batch_op.drop_index(
            "ix_reply_queue",
            sqlite_where=sa.text("state IN ('queued', 'running')"),
            postgresql_where=sa.text("state IN ('queued', 'running')"),
        )

    op.drop_table("reply")
    with op.batch_alter_table("member", schema=None) as batch_op:
        batch_op.drop_index("ix_member_participant")

    op.drop_table("member")
    with op.batch_alter_table("invite", schema=None) as batch_op:
        batch_op.drop_index("ix_invite_session")

    op.drop_table("invite")
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_event_session_sender_client_message_id",
            sqlite_where=sa.text("client_message_id IS NOT NULL"),
            postgresql_where=sa.text("client_message_id IS NOT NULL"),
        )

    op.drop_table("event")
    op.drop_table("token")
    with op.batch_alter_table("session", schema=None) as batch_op:
        batch_op.drop_index("ix_session_visibility_active_at")

    op.drop_table("session")
    op.drop_table("participant")
