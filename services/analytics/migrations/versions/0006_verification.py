"""Verification 核实: who is to look, and what was found."""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE case_facts ADD COLUMN verify_unit text, ADD COLUMN verified text")


def downgrade() -> None:
    raise NotImplementedError("A read model is made again from the topics, not migrated back.")
