"""The read model: one row a case, a leg and a mark, and how far each partition was counted.

The columns of `case_facts` fall in two groups that never meet: those of `intake.reports` and those of
`dispatch.cases`. Each group is written by the consumer of its topic alone, so that the topics may run ahead of one
another. `migrations/` creates the tables.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from msgspec import convert
from msgspec.structs import astuple

from services.analytics.domain.facts import CaseFacts, LegFacts, ReportFacts
from services.analytics.domain.marks import Mark
from shared.ledger.schema import upgrade
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
    sa.Column("verify_unit", sa.Text),
    sa.Column("verified", sa.Text),
    sa.Column("report_merge_requested", sa.Uuid),
    sa.Column("report_merged_at", instant()),
    sa.Column("report_merged_into", sa.Uuid),
    sa.Column("opened_at", instant()),
    sa.Column("number", sa.Text, comment="the case number that people see"),
    sa.Column("unroutable", sa.Text),
    sa.Column("dispatched_at", instant()),
    sa.Column("lead", sa.Text),
    sa.Column("level", sa.Text),
    sa.Column("check_unit", sa.Text),
    sa.Column("checked_at", instant()),
    sa.Column("check_passed", sa.Boolean),
    sa.Column("closed_at", instant()),
    sa.Column("voided_at", instant()),
    sa.Column("void_reason", sa.Text),
    sa.Column("merged_at", instant()),
    sa.Column("merged_into", sa.Uuid),
    sa.Column("void_proposed", sa.Text),
    sa.Column("merge_requested", sa.Uuid),
    sa.Column("answer_awaited", sa.Boolean),
    sa.Column("marks", sa.Integer, comment="how many rows of case_marks it has; most cases have none"),
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
    sa.Column("due_at", instant()),
    sa.Column("signed_at", instant()),
    sa.Column("fed_back_at", instant()),
    sa.Column("waived_at", instant()),
    sa.Column("again", sa.Text),
    sa.Column("again_reason", sa.Text),
    sa.Column("reworks", sa.Integer, nullable=False),
    sa.Column("extension_requested", sa.Boolean, nullable=False),
    sa.Column("suspension", sa.Text),
    sa.Column("suspended_until", instant()),
    sa.Column("overdue_at", instant()),
    sa.Column("appeal", sa.Text),
    sa.Column("exempted_at", instant()),
)

case_marks: Final = sa.Table(
    "case_marks",
    metadata,
    sa.Column("stream", sa.Uuid, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("at", instant(), nullable=False),
    sa.Column("until", instant(), comment="exclusive; null where it counts for good"),
    sa.Column("leg", sa.Integer),
    sa.Column("unit", sa.Text),
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

REPORT_COLUMNS: Final = ReportFacts.__struct_fields__
CASE_COLUMNS: Final = tuple(name for name in CaseFacts.__struct_fields__ if name != "legs")
LEG_COLUMNS: Final = LegFacts.__struct_fields__
MARK_COLUMNS: Final = Mark.__struct_fields__
_REPORTED_AT: Final = REPORT_COLUMNS.index("reported_at")
_MISSING: Final = REPORT_COLUMNS.index("missing")
_OPENED_AT: Final = CASE_COLUMNS.index("opened_at")


def report_of(values: Sequence[Any]) -> ReportFacts | None:
    """Return what values of `REPORT_COLUMNS` tell of a report; None when only dispatch has spoken of it."""
    if values[_REPORTED_AT] is None:
        return None
    missing = tuple(values[_MISSING].split())
    return convert((*values[:_MISSING], missing, *values[_MISSING + 1 :]), ReportFacts)


def report_values(facts: ReportFacts) -> tuple[object, ...]:
    """Return the facts as values of `REPORT_COLUMNS`."""
    return tuple(" ".join(value) if isinstance(value, tuple) else value for value in astuple(facts))


def case_of(values: Sequence[Any], legs: Iterable[LegFacts], marks: Iterable[Mark]) -> CaseFacts | None:
    """Return what values of `CASE_COLUMNS` tell of a case, with its legs and its marks, ordered by number.

    None when only intake has spoken of it.
    """
    if values[_OPENED_AT] is None:
        return None
    *own, _ = values
    return convert((*own, {leg.leg: leg for leg in legs}, tuple(marks)), CaseFacts)


def case_values(facts: CaseFacts) -> tuple[object, ...]:
    """Return the facts as values of `CASE_COLUMNS`."""
    *own, _legs, marks = astuple(facts)
    return (*own, len(marks))


def leg_of(values: Sequence[Any]) -> LegFacts:
    """Return what values of `LEG_COLUMNS` tell of a leg."""
    return convert(values, LegFacts)


def leg_values(facts: LegFacts) -> tuple[object, ...]:
    """Return the facts as values of `LEG_COLUMNS`."""
    return astuple(facts)


def mark_of(values: Sequence[Any]) -> Mark:
    """Return what values of `MARK_COLUMNS` tell of a mark."""
    return convert(values, Mark)


def mark_values(mark: Mark) -> tuple[object, ...]:
    """Return the mark as values of `MARK_COLUMNS`."""
    return astuple(mark)


def migrate(connection: sa.Connection) -> None:
    """Bring the schema that the connection writes to up to date, in the caller's transaction."""
    upgrade(connection, Path(__file__).parent / "migrations")
