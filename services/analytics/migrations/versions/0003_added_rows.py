"""Leave alone the tables to which rows are only ever added."""

from alembic import op

from shared.ledger.migrations import leave_added_rows_alone

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    leave_added_rows_alone(op)


def downgrade() -> None:
    raise NotImplementedError("There is no way back: stop the service and restore a backup.")
