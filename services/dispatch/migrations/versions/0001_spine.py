"""The ledger's tables, the copy of contents, cases with their query columns, and reference versions."""

from alembic import op

from shared.ledger.migrations import create_contents_table, create_ledger_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE cases (
        stream uuid PRIMARY KEY,
        sequence bigint NOT NULL,
        head bytea NOT NULL,
        changed_at timestamptz NOT NULL,
        state bytea NOT NULL,
        status text NOT NULL,
        revision bigint NOT NULL,
        source text NOT NULL,
        category_system text NOT NULL,
        category text NOT NULL,
        street text,
        community text,
        campaign text,
        lead_unit text,
        legs jsonb NOT NULL,
        reported_at timestamptz NOT NULL,
        filed_at timestamptz NOT NULL,
        opened_at timestamptz NOT NULL,
        dispatched_at timestamptz,
        closed_at timestamptz,
        CONSTRAINT cases_closed_at CHECK ((status = 'closed') = (closed_at IS NOT NULL))
    ) WITH (fillfactor = 80)
    """,
    "CREATE INDEX cases_by_status ON cases (status, stream)",
    "CREATE INDEX cases_by_street ON cases (street, stream)",
    "CREATE INDEX cases_by_category ON cases (category, stream)",
    "CREATE INDEX cases_by_campaign ON cases (campaign, stream) WHERE campaign IS NOT NULL",
    "CREATE INDEX cases_by_legs ON cases USING gin (legs jsonb_path_ops)",
    """
    CREATE TABLE reference_versions (
        stream uuid PRIMARY KEY,
        sequence bigint NOT NULL,
        head bytea NOT NULL,
        changed_at timestamptz NOT NULL,
        state bytea NOT NULL,
        kind text NOT NULL,
        name text NOT NULL,
        version bigint NOT NULL
    )
    """,
)


def upgrade() -> None:
    create_ledger_tables(op)
    create_contents_table(op)
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("A ledger is never taken away by a migration: restore a backup.")
