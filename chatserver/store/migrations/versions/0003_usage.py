"""What replies use, and what an interrupted one had said

Revision: 0003, after 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

RUNNING = sa.text("state = 'running'")
ACTIVE = sa.text("state IN ('queued', 'running')")


def upgrade() -> None:
    op.create_table(
        "usage",
        sa.Column("participant", sa.String(length=64), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("replies", sa.Integer(), nullable=False),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("participant", name=op.f("pk_usage")),
    )
    # With defaults, so that SQLite adds them in place and keeps the partial indexes as they are.
    for name in ("tokens", "partial_attempt"):
        op.add_column("reply", sa.Column(name, sa.Integer(), server_default="0", nullable=False))
    op.drop_index("ix_reply_asker", "reply")
    op.drop_index("ix_reply_running", "reply")
    op.create_index(
        "ix_reply_asker", "reply", ["asker"], sqlite_where=ACTIVE, postgresql_where=ACTIVE
    )


def downgrade() -> None:
    op.drop_index("ix_reply_asker", "reply")
    op.create_index("ix_reply_asker", "reply", ["asker", "created_at"])
    op.create_index(
        "ix_reply_running", "reply", ["asker"], sqlite_where=RUNNING, postgresql_where=RUNNING
    )
    op.drop_column("reply", "partial_attempt")
    op.drop_column("reply", "tokens")
    op.drop_table("usage")
