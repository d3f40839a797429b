"""The ledger's tables, the same in every service; `migrations.py` creates them, state tables come beside them."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TIMESTAMP


def instant() -> TIMESTAMP:
    """Return the type of every instant: timestamptz, UTC."""
    return TIMESTAMP(timezone=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerTables:
    """The ledger's tables in a service's metadata, for its queries; only the ledger writes them."""

    events: sa.Table
    outbox: sa.Table
    requests: sa.Table
    positions: sa.Table
    held: sa.Table
    interventions: sa.Table
    wakes: sa.Table
    private: sa.Table
    seals: sa.Table
    reference_documents: sa.Table


def ledger_metadata(metadata: sa.MetaData) -> LedgerTables:
    """Add the ledger's tables to a service's metadata and return them."""
    return LedgerTables(
        events=_events(metadata),
        outbox=_outbox(metadata),
        requests=_requests(metadata),
        positions=_positions(metadata),
        held=_held(metadata),
        interventions=_interventions(metadata),
        wakes=_wakes(metadata),
        private=_private(metadata),
        seals=_seals(metadata),
        reference_documents=_reference_documents(metadata),
    )


def contents_table(metadata: sa.MetaData) -> sa.Table:
    """Add the copy of another service's private contents (I-14) and return it; `data` is null once forgotten."""
    return sa.Table(
        "contents",
        metadata,
        sa.Column("stream", sa.Uuid, primary_key=True),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("data", sa.LargeBinary),
    )


def serial_days_table(metadata: sa.MetaData) -> sa.Table:
    """Add the days on which serials were given and return it; `last_before` is what the sequence gave before one."""
    return sa.Table(
        "serial_days",
        metadata,
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("last_before", sa.BigInteger, nullable=False),
    )


def _events(metadata: sa.MetaData) -> sa.Table:
    return sa.Table(
        "events",
        metadata,
        sa.Column("stream", sa.Uuid, primary_key=True),
        sa.Column("sequence", sa.BigInteger, primary_key=True),
        sa.Column("aggregate", sa.Text, nullable=False),
        sa.Column("event", sa.Uuid, nullable=False),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("occurred_at", instant(), nullable=False),
        sa.Column("correlation", sa.Text, nullable=False),
        sa.Column("causation", sa.Text),
        sa.Column("traceparent", sa.Text),
        sa.Column("data", sa.LargeBinary, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False),
        sa.CheckConstraint("sequence > 0", name="events_sequence_positive"),
    )


def _outbox(metadata: sa.MetaData) -> sa.Table:
    return sa.Table(
        "outbox",
        metadata,
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("messages", sa.BigInteger, nullable=False),
        sa.Column("packed", sa.LargeBinary, nullable=False),
        sa.Column("written_at", instant(), nullable=False),
    )


def _requests(metadata: sa.MetaData) -> sa.Table:
    return sa.Table(
        "requests",
        metadata,
        sa.Column("party", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("answer", sa.LargeBinary, nullable=False),
        sa.Column("answered_at", instant(), nullable=False),
    )


def _positions(metadata: sa.MetaData) -> sa.Table:
    return sa.Table(
        "positions",
        metadata,
        sa.Column("consumer", sa.Text, primary_key=True),
        sa.Column("topic", sa.Text, primary_key=True),
        sa.Column("stream", sa.Uuid, primary_key=True),
        sa.Column("sequence", sa.BigInteger, nullable=False),
    )


def _held(metadata: sa.MetaData) -> sa.Table:
    return sa.Table(
        "held",
        metadata,
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("consumer", sa.Text, nullable=False),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("stream", sa.Uuid, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("record", sa.LargeBinary, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("detail", sa.Text),
        sa.Column("waits_for", sa.Text),
        sa.Column("held_at", instant(), nullable=False),
        sa.UniqueConstraint("consumer", "topic", "stream", "sequence", name="held_place"),
    )


def _interventions(metadata: sa.MetaData) -> sa.Table:
    return sa.Table(
        "interventions",
        metadata,
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("at", instant(), nullable=False),
        sa.Column("operator", sa.Text, nullable=False),
        sa.Column("act", sa.Text, nullable=False),
        sa.Column("consumer", sa.Text, nullable=False),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("stream", sa.Uuid, nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )


def _wakes(metadata: sa.MetaData) -> sa.Table:
    return sa.Table(
        "wakes",
        metadata,
        sa.Column("stream", sa.Uuid, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("aggregate", sa.Text, nullable=False),
        sa.Column("due_at", instant(), nullable=False),
        sa.Index("wakes_due", "due_at"),
    )


def _private(metadata: sa.MetaData) -> sa.Table:
    return sa.Table(
        "private",
        metadata,
        sa.Column("stream", sa.Uuid, primary_key=True),
        sa.Column("sealed", sa.LargeBinary),
        sa.Column("revision", sa.BigInteger, nullable=False),
    )


def _seals(metadata: sa.MetaData) -> sa.Table:
    return sa.Table(
        "seals",
        metadata,
        sa.Column("cut", instant(), primary_key=True),
        sa.Column("streams", sa.BigInteger, nullable=False),
        sa.Column("events", sa.BigInteger, nullable=False),
        sa.Column("root", sa.LargeBinary, nullable=False),
    )


def _reference_documents(metadata: sa.MetaData) -> sa.Table:
    return sa.Table(
        "reference_documents",
        metadata,
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("version", sa.BigInteger, primary_key=True),
        sa.Column("document", sa.LargeBinary, nullable=False),
    )
