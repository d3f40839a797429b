"""Lists are ordered and coloured by what the law sets a limit to, too: states and their columns are folded anew."""

from alembic import op

from services.dispatch.tables import case_aggregate
from shared.ledger.refold import refold

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # No event names the city that a case is decided by: folding does not need it.
    refold(op.get_bind(), case_aggregate(city=""))


def downgrade() -> None:
    raise NotImplementedError("There is no way back: stop the service and restore a backup.")
