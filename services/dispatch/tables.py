"""Dispatch's tables: the ledger's, the copy of contents, and its aggregates with what queries search by."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from services.dispatch.domain import case, clocks, reference
from services.dispatch.domain import columns as case_columns
from services.dispatch.domain import decide as case_decisions
from services.dispatch.domain import evolve as case_events
from services.dispatch.domain.asking import merge_messages
from services.dispatch.domain.commands import Command, OpenCase
from services.dispatch.domain.tasks import task_messages
from shared.contracts.decisions import Publish
from shared.contracts.registry import CASE_EVENTS, DISPATCH_CASES, DISPATCH_REFERENCE
from shared.ledger.aggregate import Aggregate, state_columns
from shared.ledger.schema import upgrade
from shared.ledger.tables import LedgerTables, contents_table, instant, ledger_metadata, serial_days_table

CASE: Final = "case"
REFERENCE: Final = "reference"

metadata: Final = sa.MetaData()
ledger: Final[LedgerTables] = ledger_metadata(metadata)
contents: Final = contents_table(metadata)
serial_days: Final = serial_days_table(metadata)

# A case's id is a UUIDv7, so that its order is that of time.
cases: Final = sa.Table(
    "cases",
    metadata,
    *state_columns(),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("open", sa.Boolean, nullable=False, comment="not closed, voided or merged"),
    sa.Column("revision", sa.BigInteger, nullable=False, comment="of the case's own part"),
    sa.Column("number", sa.Text, comment="by which people name it; none of before there were numbers"),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("category_system", sa.Text, nullable=False),
    sa.Column("category", sa.Text, nullable=False),
    sa.Column("street", sa.Text),
    sa.Column("community", sa.Text),
    sa.Column("campaign", sa.Text),
    sa.Column("lead_unit", sa.Text),
    sa.Column("check_unit", sa.Text, comment="whose collectors check"),
    sa.Column("level", sa.Text, nullable=False),
    sa.Column("supervised", sa.Boolean, nullable=False),
    sa.Column("awaits", JSONB, nullable=False, comment="[post] of those who must act"),
    sa.Column("due_at", instant(), comment="of the most urgent running clock of dispatch, check or a leg"),
    sa.Column("warn_at", instant(), comment="when that clock turns yellow"),
    sa.Column("uneven", sa.Boolean, nullable=False, comment="the legs that are not done are not all due at due_at"),
    sa.Column("breached", JSONB, nullable=False, comment="[stage] of which a limit has passed"),
    sa.Column("suspended", sa.BigInteger, nullable=False, comment="how many legs are on the books"),
    sa.Column("units", JSONB, nullable=False, comment="[unit] of the legs, for searching by what it contains"),
    sa.Column("legs", JSONB, nullable=False, comment="[{leg, unit, role, state, due_at, warn_at}]"),
    sa.Column("rule", sa.Text, comment="of the power list or of the city's own, that routing chose"),
    sa.Column("overridden", sa.Boolean, nullable=False, comment="a dispatcher sent it elsewhere than the rule"),
    sa.Column("misdirected", sa.Boolean, nullable=False, comment="a unit of the rule returned it rightly"),
    sa.Column("calendar_version", sa.BigInteger, comment="the oldest that a running clock may rest on"),
    sa.Column("policy_version", sa.BigInteger, comment="the oldest that a running clock may rest on"),
    sa.Column("reported_at", instant(), nullable=False),
    sa.Column("filed_at", instant(), nullable=False),
    sa.Column("opened_at", instant(), nullable=False),
    sa.Column("dispatched_at", instant()),
    sa.Column("closed_at", instant()),
    sa.Index("cases_by_number", "number", unique=True),
    sa.Index("cases_by_status", "status", "stream"),
    sa.Index("cases_by_street", "street", "stream"),
    sa.Index("cases_by_community", "community", "stream", postgresql_where=sa.text("community IS NOT NULL")),
    sa.Index("cases_by_category", "category", "stream"),
    sa.Index("cases_by_campaign", "campaign", "stream", postgresql_where=sa.text("campaign IS NOT NULL")),
    # No index on `legs`: acts on legs are most of what happens, and leave the indexes as they are (ADR 0014).
    sa.Index("cases_by_units", "units", postgresql_using="gin", postgresql_ops={"units": "jsonb_path_ops"}),
    sa.Index(
        "open_cases_by_units",
        "units",
        postgresql_using="gin",
        postgresql_ops={"units": "jsonb_path_ops"},
        postgresql_where=sa.text("open"),
    ),
    sa.Index(
        "ended_cases_by_awaited_post",
        "awaits",
        postgresql_using="gin",
        postgresql_ops={"awaits": "jsonb_path_ops"},
        postgresql_where=sa.text("NOT open AND awaits <> '[]'::jsonb"),
    ),
    # Whatever the work list filters by is in the index that gives its order: the list, and the counts beside it, look
    # at the table for the cases of one page only.
    sa.Index(
        "open_cases_by_deadline",
        "due_at",
        "stream",
        postgresql_include=[
            "warn_at",
            "uneven",
            "status",
            "street",
            "community",
            "category_system",
            "category",
            "campaign",
            "lead_unit",
            "check_unit",
            "level",
            "supervised",
            "source",
            "awaits",
            "units",
        ],
        postgresql_where=sa.text("open"),
    ),
    sa.Index(
        "uneven_cases",
        "stream",
        postgresql_include=["status", "units"],
        postgresql_where=sa.text("open AND uneven"),
    ),
    sa.Index(
        "open_cases_by_clock_versions",
        "calendar_version",
        "policy_version",
        "stream",
        postgresql_where=sa.text("open"),
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
        columns=case_columns.columns,
        wakes=clocks.wakes,
        woken=clocks.woken,
        effects=_case_messages,
        numbered=(OpenCase,),
    )


def _case_messages(state: case.CaseState, event: case.CaseEvent, body: Command) -> Sequence[Publish]:
    """Return what departments are told of the event, and what it asks of other cases."""
    asked = merge_messages(body.case_id, event)
    tasks = task_messages(state, event, body)
    return (*tasks, *asked) if asked else tasks


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
    upgrade(connection, Path(__file__).parent / "migrations")
