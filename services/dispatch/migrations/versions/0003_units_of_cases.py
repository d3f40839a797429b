"""Find cases by their units: a column that acts on legs do not change, so that they change no index either."""

from alembic import op

from shared.ledger.migrations import leave_added_rows_alone

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

STATEMENTS = (
    "ALTER TABLE cases ADD COLUMN units jsonb",
    """
    UPDATE cases SET units = (
        SELECT coalesce(jsonb_agg(unit ORDER BY unit COLLATE "C"), '[]')
        FROM (SELECT DISTINCT leg ->> 'unit' AS unit FROM jsonb_array_elements(legs) AS leg) AS known
    )
    """,
    "ALTER TABLE cases ALTER COLUMN units SET NOT NULL",
    "DROP INDEX cases_by_legs",
    "CREATE INDEX cases_by_units ON cases USING gin (units jsonb_path_ops)",
    "CREATE INDEX open_cases_by_units ON cases USING gin (units jsonb_path_ops) WHERE closed_at IS NULL",
)


def upgrade() -> None:
    leave_added_rows_alone(op)
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("There is no way back: stop the service and restore a backup.")
