"""The ledger's tables, and reports with their query columns."""

from alembic import op

from shared.ledger.migrations import create_ledger_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE reports (
        stream uuid PRIMARY KEY,
        sequence bigint NOT NULL,
        head bytea NOT NULL,
        changed_at timestamptz NOT NULL,
        state bytea NOT NULL,
        status text NOT NULL,
        source text NOT NULL,
        street text,
        category_system text NOT NULL,
        category text NOT NULL,
        campaign text,
        reported_at timestamptz NOT NULL,
        CONSTRAINT reports_status CHECK (status IN ('reported', 'accepted', 'filed', 'rejected'))
    ) WITH (fillfactor = 80)
    """,
    "CREATE INDEX reports_by_status ON reports (status, stream)",
    "CREATE INDEX reports_by_source ON reports (source, stream)",
    "CREATE INDEX reports_by_street ON reports (street, stream)",
    "CREATE INDEX reports_by_category ON reports (category, stream)",
    "CREATE INDEX reports_by_campaign ON reports (campaign, stream) WHERE campaign IS NOT NULL",
)


def upgrade() -> None:
    create_ledger_tables(op)
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("A ledger is never taken away by a migration: restore a backup.")
