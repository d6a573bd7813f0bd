"""Several bots in one session

Revision: 0002, after 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

PROMPT_SENDER = """
UPDATE reply SET asker = coalesce(
  (SELECT sender FROM event WHERE event.session = reply.session AND event.seq = reply.prompt_seq),
  ''
)
"""
"""Until now only people asked."""


def upgrade() -> None:
    # With defaults, so that SQLite adds them in place and keeps the partial indexes as they are.
    op.add_column(
        "session", sa.Column("bot_turns", sa.Integer(), server_default="0", nullable=False)
    )
    op.add_column("reply", sa.Column("position", sa.Integer(), server_default="0", nullable=False))
    op.add_column(
        "reply", sa.Column("asker", sa.String(length=64), server_default="", nullable=False)
    )
    op.execute(PROMPT_SENDER)
    op.create_index("ix_reply_asker", "reply", ["asker", "created_at"])
    running = sa.text("state = 'running'")
    op.create_index(
        "ix_reply_running", "reply", ["asker"], sqlite_where=running, postgresql_where=running
    )


def downgrade() -> None:
    op.drop_index("ix_reply_running", "reply")
    op.drop_index("ix_reply_asker", "reply")
    op.drop_column("reply", "asker")
    op.drop_column("reply", "position")
    op.drop_column("session", "bot_turns")
