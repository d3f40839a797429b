"""Find waiting reports by the documents that their clocks rest on; every state and its columns are folded anew."""

from alembic import op

from services.intake.tables import report_aggregate
from shared.ledger.refold import refold

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE reports ADD COLUMN calendar_version bigint, ADD COLUMN policy_version bigint")
    # No event names the city that a report is decided by: folding does not need it.
    refold(op.get_bind(), report_aggregate(city=""))
    op.execute(
        """
        CREATE INDEX waiting_reports_by_clock_versions ON reports (calendar_version, policy_version, stream)
            WHERE calendar_version IS NOT NULL
        """
    )


def downgrade() -> None:
    raise NotImplementedError("There is no way back: stop the service and restore a backup.")
