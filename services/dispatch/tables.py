"""Dispatch's tables: the ledger's, the copy of contents, and its aggregates with what queries search by."""

from functools import partial
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.dialects.postgresql import JSONB

from services.dispatch.domain import case, reference
from services.dispatch.domain import decide as case_decisions
from services.dispatch.domain import evolve as case_events
from services.dispatch.domain.tasks import task_messages
from shared.contracts.registry import CASE_EVENTS, DISPATCH_CASES, DISPATCH_REFERENCE
from shared.ledger.aggregate import Aggregate, state_columns
from shared.ledger.tables import LedgerTables, contents_table, instant, ledger_metadata

CASE: Final = "case"
REFERENCE: Final = "reference"

metadata: Final = sa.MetaData()
ledger: Final[LedgerTables] = ledger_metadata(metadata)
contents: Final = contents_table(metadata)

# Every list is read newest first: a case's id is a UUIDv7, so that its order is that of time.
cases: Final = sa.Table(
    "cases",
    metadata,
    *state_columns(),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("revision", sa.BigInteger, nullable=False, comment="of the case's own part"),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("category_system", sa.Text, nullable=False),
    sa.Column("category", sa.Text, nullable=False),
    sa.Column("street", sa.Text),
    sa.Column("community", sa.Text),
    sa.Column("campaign", sa.Text),
    sa.Column("lead_unit", sa.Text),
    sa.Column("units", JSONB, nullable=False, comment="[unit] of the legs, for searching by what it contains"),
    sa.Column("legs", JSONB, nullable=False, comment="[{unit, role, state}], for telling apart what units finds"),
    sa.Column("reported_at", instant(), nullable=False),
    sa.Column("filed_at", instant(), nullable=False),
    sa.Column("opened_at", instant(), nullable=False),
    sa.Column("dispatched_at", instant()),
    sa.Column("closed_at", instant()),
    sa.Index("cases_by_status", "status", "stream"),
    sa.Index("cases_by_street", "street", "stream"),
    sa.Index("cases_by_category", "category", "stream"),
    sa.Index("cases_by_campaign", "campaign", "stream", postgresql_where=sa.text("campaign IS NOT NULL")),
    # No index on `legs`: acts on legs are most of what happens, and leave the indexes as they are (ADR 0014).
    sa.Index("cases_by_units", "units", postgresql_using="gin", postgresql_ops={"units": "jsonb_path_ops"}),
    sa.Index(
        "open_cases_by_units",
        "units",
        postgresql_using="gin",
        postgresql_ops={"units": "jsonb_path_ops"},
        postgresql_where=sa.text("closed_at IS NULL"),
    ),
)

references: Final = sa.Table(
    "reference_versions",
    metadata,
    *state_columns(),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("version", sa.BigInteger, nullable=False),
)


def case_aggregate(city: str) -> Aggregate:
    """Return the `Case` as the ledger needs it; `city` names the units that it decides by."""
    return Aggregate(
        name=CASE,
        topic=DISPATCH_CASES,
        table=cases,
        state=case.CaseState,
        events=CASE_EVENTS,
        decide=partial(case_decisions.decide, city),
        evolve=case_events.evolve,
        columns=case.columns,
        effects=task_messages,
    )


def reference_aggregate(city: str) -> Aggregate:
    """Return the `Reference` as the ledger needs it; `city` names what a catalogue is checked against."""
    return Aggregate(
        name=REFERENCE,
        topic=DISPATCH_REFERENCE,
        table=references,
        state=reference.ReferenceState,
        events=reference.EVENTS,
        decide=partial(reference.decide, city),
        evolve=reference.evolve,
        columns=reference.columns,
    )


def migrate(connection: sa.Connection) -> None:
    """Bring the schema that the connection writes to up to date, in the caller's transaction."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
