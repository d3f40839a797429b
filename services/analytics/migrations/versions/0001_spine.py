"""The ledger's tables and the read model of the spine."""

from alembic import op

from shared.ledger.migrations import create_ledger_tables

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    CREATE TABLE case_facts (
        stream uuid PRIMARY KEY,
        reported_at timestamptz,
        observed_at timestamptz,
        source text,
        category_system text,
        category_code text,
        street text,
        community text,
        target_type text,
        campaign text,
        missing text,
        accepted_at timestamptz,
        filed_at timestamptz,
        rejected_at timestamptz,
        rejection text,
        opened_at timestamptz,
        unroutable text,
        dispatched_at timestamptz,
        lead text,
        checked_at timestamptz,
        check_passed boolean,
        check_reason text,
        closed_at timestamptz
    ) WITH (fillfactor = 80)
    """,
    "CREATE INDEX case_facts_open ON case_facts (stream) WHERE closed_at IS NULL",
    "CREATE INDEX case_facts_without_report ON case_facts (stream) WHERE reported_at IS NULL",
    """
    CREATE TABLE leg_facts (
        stream uuid NOT NULL,
        leg integer NOT NULL,
        unit text NOT NULL,
        role text NOT NULL,
        state text NOT NULL,
        assigned_at timestamptz NOT NULL,
        signed_at timestamptz,
        fed_back_at timestamptz,
        waived_at timestamptz,
        in_rework boolean NOT NULL,
        reworks integer NOT NULL,
        PRIMARY KEY (stream, leg)
    ) WITH (fillfactor = 80)
    """,
    "CREATE INDEX leg_facts_unit ON leg_facts (unit, stream)",
    """
    CREATE TABLE topic_progress (
        topic text NOT NULL,
        partition integer NOT NULL,
        next_offset bigint NOT NULL,
        events bigint NOT NULL,
        latest_at timestamptz NOT NULL,
        PRIMARY KEY (topic, partition)
    ) WITH (fillfactor = 50)
    """,
)


def upgrade() -> None:
    create_ledger_tables(op)
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("A read model is made again from the topics, not migrated back.")
