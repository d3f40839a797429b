"""What happens to a case beyond the normal course: levels, voids, merges, suspensions, overdue legs, and marks.

Marks begin with the events that are counted from now on; what was counted before has none of its reworks and returns.
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    ALTER TABLE case_facts
        ADD COLUMN level text,
        ADD COLUMN check_unit text,
        ADD COLUMN voided_at timestamptz,
        ADD COLUMN void_reason text,
        ADD COLUMN merged_at timestamptz,
        ADD COLUMN merged_into uuid,
        ADD COLUMN void_proposed text,
        ADD COLUMN merge_requested uuid,
        ADD COLUMN answer_awaited boolean,
        ADD COLUMN marks integer
    """,
    "UPDATE case_facts SET level = 'city' WHERE dispatched_at IS NOT NULL",
    "UPDATE case_facts SET answer_awaited = false, marks = 0 WHERE opened_at IS NOT NULL",
    """
    ALTER TABLE leg_facts
        ADD COLUMN due_at timestamptz,
        ADD COLUMN again text,
        ADD COLUMN again_reason text,
        ADD COLUMN extension_requested boolean NOT NULL DEFAULT false,
        ADD COLUMN suspension text,
        ADD COLUMN suspended_until timestamptz,
        ADD COLUMN overdue_at timestamptz,
        ADD COLUMN appeal text,
        ADD COLUMN exempted_at timestamptz
    """,
    """
    UPDATE leg_facts l SET again = 'check_failed', again_reason = c.check_reason
    FROM case_facts c WHERE c.stream = l.stream AND l.in_rework
    """,
    "ALTER TABLE case_facts DROP COLUMN check_reason",
    "ALTER TABLE leg_facts DROP COLUMN in_rework",
    """
    CREATE TABLE case_marks (
        stream uuid NOT NULL,
        number integer NOT NULL,
        kind text NOT NULL,
        at timestamptz NOT NULL,
        until timestamptz,
        leg integer,
        unit text,
        PRIMARY KEY (stream, number)
    )
    """,
    "DROP INDEX case_facts_open",  # no figure of a cut-off can use it, and each closing pays for it
)


def upgrade() -> None:
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    raise NotImplementedError("A read model is made again from the topics, not migrated back.")
