"""The tokens of replies

Revision: 0003, after 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # With a default, so that SQLite adds it in place and keeps the partial indexes as they are.
    op.add_column("reply", sa.Column("tokens", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    op.drop_column("reply", "tokens")
