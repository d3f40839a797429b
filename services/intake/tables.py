"""Intake's tables: the ledger's, and the reports with what queries search by; `migrations` creates them."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from services.intake.domain import clocks, contents, report
from services.intake.domain.asking import merge_messages
from services.intake.domain.commands import Command
from services.intake.domain.decide import decide
from shared.contracts.decisions import Effect
from shared.contracts.registry import INTAKE_REPORTS
from shared.ledger.aggregate import Aggregate, state_columns
from shared.ledger.schema import upgrade
from shared.ledger.tables import LedgerTables, instant, ledger_metadata

metadata: Final = sa.MetaData()
ledger: Final[LedgerTables] = ledger_metadata(metadata)

# Every list is read newest first: a report's id is a UUIDv7, so that its order is that of time.
reports: Final = sa.Table(
    "reports",
    metadata,
    *state_columns(),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("street", sa.Text),
    sa.Column("category_system", sa.Text, nullable=False),
    sa.Column("category", sa.Text, nullable=False),
    sa.Column("campaign", sa.Text),
    sa.Column("reported_at", instant(), nullable=False),
    sa.Column("verify_unit", sa.Text, comment="is to verify it 核实; null unless somebody is"),
    sa.Column("calendar_version", sa.BigInteger, comment="on which the running clock rests; null while none runs"),
    sa.Column("policy_version", sa.BigInteger, comment="on which the running clock rests; null while none runs"),
    sa.CheckConstraint(
        "status IN ('reported', 'verifying', 'accepted', 'filed', 'rejected', 'merged')", name="reports_status"
    ),
    sa.Index("reports_by_status", "status", "stream"),
    sa.Index("reports_by_source", "source", "stream"),
    sa.Index("reports_by_street", "street", "stream"),
    sa.Index("reports_by_category", "category", "stream"),
    sa.Index("reports_by_verify_unit", "verify_unit", "stream", postgresql_where=sa.text("verify_unit IS NOT NULL")),
    sa.Index("reports_by_campaign", "campaign", "stream", postgresql_where=sa.text("campaign IS NOT NULL")),
    sa.Index(
        "waiting_reports_by_clock_versions",
        "calendar_version",
        "policy_version",
        "stream",
        postgresql_where=sa.text("calendar_version IS NOT NULL"),
    ),
)


def report_aggregate(city: str) -> Aggregate:
    """Return the `Report` as the ledger needs it; `city` names the units and the places that it decides by."""
    return Aggregate(
        name=report.AGGREGATE,
        topic=INTAKE_REPORTS,
        table=reports,
        state=report.Report,
        events=report.EVENTS,
        decide=partial(decide, city=city),
        evolve=report.evolve,
        columns=report.columns,
        wakes=report.wakes,
        woken=clocks.woken,
        effects=_effects,
    )


def _effects(state: report.Report, event: report.ReportEvent, command: Command) -> Sequence[Effect]:
    """Return what of the report is kept apart or forgotten, and what it asks of another report."""
    return merge_messages(event, command) or contents.effects(state, event, command)


def migrate(connection: sa.Connection) -> None:
    """Bring the schema that the connection writes to up to date, in the caller's transaction."""
    upgrade(connection, Path(__file__).parent / "migrations")
