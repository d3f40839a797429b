"""A clock that did not move has told what it told before: every state is folded anew."""

from alembic import op

from services.intake.tables import report_aggregate
from shared.ledger.refold import refold

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # No event names the city that a report is decided by: folding does not need it.
    refold(op.get_bind(), report_aggregate(city=""))


def downgrade() -> None:
    raise NotImplementedError("There is no way back: stop the service and restore a backup.")
