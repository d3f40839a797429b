"""The read model: one row a case, one row a leg, and how far each partition was counted.

The columns of `case_facts` fall in two groups that never meet: those of `intake.reports` and those of
`dispatch.cases`. Each group is written by the consumer of its topic alone, so that the topics may run ahead of one
another. `migrations/` creates the tables.
"""

from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from services.analytics.domain.facts import CaseFacts, LegFacts, ReportFacts
from shared.ledger.tables import instant, ledger_metadata

EVENTS: Final = "analytics.events"
"""The consumer group that counts."""
REFERENCE: Final = "analytics.reference"
"""The consumer group that copies reference documents."""

metadata: Final = sa.MetaData()
ledger: Final = ledger_metadata(metadata)

case_facts: Final = sa.Table(
    "case_facts",
    metadata,
    sa.Column("stream", sa.Uuid, primary_key=True),
    sa.Column("reported_at", instant()),
    sa.Column("observed_at", instant()),
    sa.Column("source", sa.Text),
    sa.Column("category_system", sa.Text),
    sa.Column("category_code", sa.Text),
    sa.Column("street", sa.Text),
    sa.Column("community", sa.Text),
    sa.Column("target_type", sa.Text),
    sa.Column("campaign", sa.Text),
    sa.Column("missing", sa.Text, comment="names of fields, separated by spaces"),
    sa.Column("accepted_at", instant()),
    sa.Column("filed_at", instant()),
    sa.Column("rejected_at", instant()),
    sa.Column("rejection", sa.Text),
    sa.Column("opened_at", instant()),
    sa.Column("unroutable", sa.Text),
    sa.Column("dispatched_at", instant()),
    sa.Column("lead", sa.Text),
    sa.Column("checked_at", instant()),
    sa.Column("check_passed", sa.Boolean),
    sa.Column("check_reason", sa.Text),
    sa.Column("closed_at", instant()),
)

leg_facts: Final = sa.Table(
    "leg_facts",
    metadata,
    sa.Column("stream", sa.Uuid, primary_key=True),
    sa.Column("leg", sa.Integer, primary_key=True),
    sa.Column("unit", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("assigned_at", instant(), nullable=False),
    sa.Column("signed_at", instant()),
    sa.Column("fed_back_at", instant()),
    sa.Column("waived_at", instant()),
    sa.Column("in_rework", sa.Boolean, nullable=False),
    sa.Column("reworks", sa.Integer, nullable=False),
)

topic_progress: Final = sa.Table(
    "topic_progress",
    metadata,
    sa.Column("topic", sa.Text, primary_key=True),
    sa.Column("partition", sa.Integer, primary_key=True),
    sa.Column("next_offset", sa.BigInteger, nullable=False, comment="after the last record that was counted"),
    sa.Column("events", sa.BigInteger, nullable=False, comment="how many events were counted, each once"),
    sa.Column("latest_at", instant(), nullable=False, comment="when the latest of them happened"),
)

REPORT_COLUMNS: Final = tuple(field.name for field in fields(ReportFacts))
CASE_COLUMNS: Final = tuple(field.name for field in fields(CaseFacts) if field.name != "legs")
LEG_COLUMNS: Final = tuple(field.name for field in fields(LegFacts))


def report_of(row: sa.Row[Any]) -> ReportFacts | None:
    """Return what a row of `case_facts` holds of the report; None when only dispatch has spoken of it."""
    if row.reported_at is None:
        return None
    values = {name: getattr(row, name) for name in REPORT_COLUMNS}
    return ReportFacts(**{**values, "missing": tuple(row.missing.split())})


def report_values(facts: ReportFacts) -> tuple[object, ...]:
    """Return the facts as values of `REPORT_COLUMNS`."""
    return tuple(" ".join(facts.missing) if name == "missing" else getattr(facts, name) for name in REPORT_COLUMNS)


def case_of(row: sa.Row[Any], legs: Iterable[LegFacts]) -> CaseFacts | None:
    """Return what a row of `case_facts` and its legs hold of the case; None when only intake has spoken of it."""
    if row.opened_at is None:
        return None
    values = {name: getattr(row, name) for name in CASE_COLUMNS}
    return CaseFacts(**values, legs={leg.leg: leg for leg in legs})


def case_values(facts: CaseFacts) -> tuple[object, ...]:
    """Return the facts as values of `CASE_COLUMNS`."""
    return tuple(getattr(facts, name) for name in CASE_COLUMNS)


def leg_of(row: sa.Row[Any]) -> LegFacts:
    """Return what a row of `leg_facts` holds."""
    return LegFacts(**{name: getattr(row, name) for name in LEG_COLUMNS})


def leg_values(facts: LegFacts) -> tuple[object, ...]:
    """Return the facts as values of `LEG_COLUMNS`."""
    return tuple(getattr(facts, name) for name in LEG_COLUMNS)


def migrate(connection: sa.Connection) -> None:
    """Bring the schema that the connection writes to up to date, in the caller's transaction."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
