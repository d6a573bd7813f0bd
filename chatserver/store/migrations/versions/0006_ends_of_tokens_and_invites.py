"""Tokens and invites by the end of their life

Revision: 0006, after 0005
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_token_expires_at", "token", ["expires_at"])
    op.create_index("ix_invite_expires_at", "invite", ["expires_at"])


def downgrade() -> None:
    op.drop_index("ix_invite_expires_at", "invite")
    op.drop_index("ix_token_expires_at", "token")
