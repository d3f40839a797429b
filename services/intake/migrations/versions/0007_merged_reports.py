"""并案: a report can go on as another one; every state is folded anew."""

from alembic import op

from services.intake.tables import report_aggregate
from shared.ledger.refold import refold

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

STATEMENT = """
    ALTER TABLE reports
        DROP CONSTRAINT reports_status,
        ADD CONSTRAINT reports_status
            CHECK (status IN ('reported', 'verifying', 'accepted', 'filed', 'rejected', 'merged'))
    """


def upgrade() -> None:
    op.execute(STATEMENT)
    # No event names the city that a report is decided by: folding does not need it.
    refold(op.get_bind(), report_aggregate(city=""))


def downgrade() -> None:
    raise NotImplementedError("There is no way back: stop the service and restore a backup.")
