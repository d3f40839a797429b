"""What the work list filters, orders and counts by; every state and its columns are folded anew."""

from alembic import op

from services.dispatch.tables import case_aggregate
from shared.ledger.refold import refold

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

COLUMNS = (
    """
    ALTER TABLE cases
        ADD COLUMN open boolean,
        ADD COLUMN check_unit text,
        ADD COLUMN level text,
        ADD COLUMN supervised boolean,
        ADD COLUMN awaits jsonb,
        ADD COLUMN due_at timestamptz,
        ADD COLUMN warn_at timestamptz,
        ADD COLUMN uneven boolean,
        ADD COLUMN breached jsonb,
        ADD COLUMN suspended bigint,
        ADD COLUMN rule text,
        ADD COLUMN overridden boolean,
        ADD COLUMN misdirected boolean,
        ADD COLUMN calendar_version bigint,
        ADD COLUMN policy_version bigint
    """,
    "DROP INDEX open_cases_by_units",
)
INDEXES = (
    """
    ALTER TABLE cases
        ALTER COLUMN open SET NOT NULL,
        ALTER COLUMN level SET NOT NULL,
        ALTER COLUMN supervised SET NOT NULL,
        ALTER COLUMN awaits SET NOT NULL,
        ALTER COLUMN uneven SET NOT NULL,
        ALTER COLUMN breached SET NOT NULL,
        ALTER COLUMN suspended SET NOT NULL,
        ALTER COLUMN overridden SET NOT NULL,
        ALTER COLUMN misdirected SET NOT NULL,
        ADD CONSTRAINT cases_open CHECK (open = (status NOT IN ('closed', 'voided', 'merged')))
    """,
    "CREATE INDEX cases_by_community ON cases (community, stream) WHERE community IS NOT NULL",
    "CREATE INDEX open_cases_by_units ON cases USING gin (units jsonb_path_ops) WHERE open",
    """
    CREATE INDEX ended_cases_by_awaited_post ON cases USING gin (awaits jsonb_path_ops)
        WHERE NOT open AND awaits <> '[]'::jsonb
    """,
    """
    CREATE INDEX open_cases_by_deadline ON cases (due_at, stream)
        INCLUDE (
            warn_at, uneven, status, street, community, category_system, category, campaign, lead_unit, check_unit,
            level, supervised, source, awaits, units
        )
        WHERE open
    """,
    "CREATE INDEX uneven_cases ON cases (stream) INCLUDE (status, units) WHERE open AND uneven",
    "CREATE INDEX open_cases_by_clock_versions ON cases (calendar_version, policy_version, stream) WHERE open",
)


def upgrade() -> None:
    for statement in COLUMNS:
        op.execute(statement)
    # No event names the city that a case is decided by: folding does not need it.
    refold(op.get_bind(), case_aggregate(city=""))
    for statement in INDEXES:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("There is no way back: stop the service and restore a backup.")
