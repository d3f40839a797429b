"""并案 before filing: reports that went on as another one."""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE case_facts
            ADD COLUMN report_merge_requested uuid,
            ADD COLUMN report_merged_at timestamptz,
            ADD COLUMN report_merged_into uuid
        """
    )


def downgrade() -> None:
    raise NotImplementedError("A read model is made again from the topics, not migrated back.")
