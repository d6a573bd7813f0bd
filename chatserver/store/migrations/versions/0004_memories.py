"""What bots remember of what they are no longer shown

Revision: 0004, after 0003
"""

import sqlalchemy as sa
from alembic import op

import chatserver.store.types

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "memory",
        sa.Column("session", sa.String(length=64), nullable=False),
        sa.Column("bot", sa.Text(), nullable=False),
        sa.Column("through_seq", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("updated_at", chatserver.store.types.Timestamp(), nullable=False),
        sa.ForeignKeyConstraint(["session"], ["session.id"], name=op.f("fk_memory_session")),
        sa.PrimaryKeyConstraint("session", "bot", name=op.f("pk_memory")),
    )


def downgrade() -> None:
    op.drop_table("memory")
