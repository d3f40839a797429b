"""Case numbers. A case of before has none: its number would have to be in the event that opened it."""

from alembic import op

from shared.ledger.migrations import create_serials

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE cases ADD COLUMN number text",
    "CREATE UNIQUE INDEX cases_by_number ON cases (number)",
)


def upgrade() -> None:
    create_serials(op)
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("There is no way back: stop the service and restore a backup.")
