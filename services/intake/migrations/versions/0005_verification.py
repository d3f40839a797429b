"""Verification 核实: a state more, and who is to verify; every state is folded anew."""

from alembic import op

from services.intake.tables import report_aggregate
from shared.ledger.refold import refold

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    ALTER TABLE reports
        ADD COLUMN verify_unit text,
        DROP CONSTRAINT reports_status,
        ADD CONSTRAINT reports_status
            CHECK (status IN ('reported', 'verifying', 'accepted', 'filed', 'rejected'))
    """,
    "CREATE INDEX reports_by_verify_unit ON reports (verify_unit, stream) WHERE verify_unit IS NOT NULL",
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)
    # No event names the city that a report is decided by: folding does not need it.
    refold(op.get_bind(), report_aggregate(city=""))


def downgrade() -> None:
    raise NotImplementedError("There is no way back: stop the service and restore a backup.")
