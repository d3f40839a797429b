"""The outbox in lots."""

from alembic import op

from shared.ledger.migrations import lay_outbox_in_lots

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    lay_outbox_in_lots(op)


def downgrade() -> None:
    raise NotImplementedError("There is no way back: stop the service and restore a backup.")
