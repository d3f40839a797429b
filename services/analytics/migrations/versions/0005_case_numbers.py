"""The case number; what was opened before dispatch gave numbers has none."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE case_facts ADD COLUMN number text")


def downgrade() -> None:
    raise NotImplementedError("A read model is made again from the topics, not migrated back.")
