"""The ledger's part of a service's Alembic migrations: each version is written out and never changes."""

from typing import Final

import msgspec
from alembic.operations import Operations

# The outbox is empty most of the time: with default thresholds autovacuum would let dead rows pile up in a burst.
_VERSION_1: Final = (
    """
    CREATE TABLE events (
        stream uuid NOT NULL,
        sequence bigint NOT NULL CONSTRAINT events_sequence_positive CHECK (sequence > 0),
        aggregate text NOT NULL,
        event uuid NOT NULL,
        type text NOT NULL,
        occurred_at timestamptz NOT NULL,
        correlation text NOT NULL,
        causation text,
        traceparent text,
        data bytea NOT NULL,
        hash bytea NOT NULL,
        PRIMARY KEY (stream, sequence)
    )
    """,
    """
    CREATE TABLE outbox (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        topic text NOT NULL,
        key bytea NOT NULL,
        headers bytea NOT NULL,
        value bytea,
        written_at timestamptz NOT NULL
    ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000)
    """,
    """
    CREATE TABLE requests (
        party text NOT NULL,
        key text NOT NULL,
        digest bytea NOT NULL,
        answer bytea NOT NULL,
        answered_at timestamptz NOT NULL,
        PRIMARY KEY (party, key)
    )
    """,
    """
    CREATE TABLE positions (
        consumer text NOT NULL,
        topic text NOT NULL,
        stream uuid NOT NULL,
        sequence bigint NOT NULL,
        PRIMARY KEY (consumer, topic, stream)
    ) WITH (fillfactor = 80)
    """,
    """
    CREATE TABLE held (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        consumer text NOT NULL,
        topic text NOT NULL,
        stream uuid NOT NULL,
        sequence bigint NOT NULL,
        record bytea NOT NULL,
        reason text,
        detail text,
        waits_for text,
        held_at timestamptz NOT NULL,
        CONSTRAINT held_place UNIQUE (consumer, topic, stream, sequence)
    )
    """,
    """
    CREATE TABLE interventions (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        at timestamptz NOT NULL,
        operator text NOT NULL,
        act text NOT NULL,
        consumer text NOT NULL,
        topic text NOT NULL,
        stream uuid NOT NULL,
        sequence bigint NOT NULL,
        reason text NOT NULL
    )
    """,
    """
    CREATE TABLE wakes (
        stream uuid NOT NULL,
        kind text NOT NULL,
        aggregate text NOT NULL,
        due_at timestamptz NOT NULL,
        PRIMARY KEY (stream, kind)
    )
    """,
    "CREATE INDEX wakes_due ON wakes (due_at)",
    "CREATE TABLE private (stream uuid PRIMARY KEY, sealed bytea, revision bigint NOT NULL)",
    """
    CREATE TABLE seals (
        cut timestamptz PRIMARY KEY,
        streams bigint NOT NULL,
        events bigint NOT NULL,
        root bytea NOT NULL
    )
    """,
    """
    CREATE TABLE reference_documents (
        kind text NOT NULL,
        name text NOT NULL,
        version bigint NOT NULL,
        document bytea NOT NULL,
        PRIMARY KEY (kind, name, version)
    )
    """,
)
_SERIALS: Final = (
    "CREATE SEQUENCE serials",
    "CREATE TABLE serial_days (day date PRIMARY KEY, last_before bigint NOT NULL)",
)
_CONTENTS: Final = "CREATE TABLE contents (stream uuid PRIMARY KEY, revision bigint NOT NULL, data bytea)"
# EXTERNAL: a lot is compressed by nobody, because pglz costs more than the pages that it saves.
_VERSION_2: Final = """
    CREATE TABLE outbox (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        topic text NOT NULL,
        messages bigint NOT NULL,
        packed bytea STORAGE EXTERNAL NOT NULL,
        written_at timestamptz NOT NULL
    ) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000)
"""

# Rows are only ever added to these two. After a vacuum, new rows would fill the small gaps that old pages end with, and
# so dirty a page of long ago each: half a page image an event was measured with a year of history (ADR 0014).
_VERSION_3: Final = (
    "ALTER TABLE events SET (autovacuum_vacuum_insert_threshold = -1)",
    "ALTER TABLE requests SET (autovacuum_vacuum_insert_threshold = -1)",
)


def create_ledger_tables(operations: Operations) -> None:
    """Create the ledger's tables, version 1, in the schema of the service's role."""
    for statement in _VERSION_1:
        operations.execute(statement)


def lay_outbox_in_lots(operations: Operations) -> None:
    """Bring the outbox to version 2 (ADR 0013); what waits in it becomes lots of one message."""
    connection = operations.get_bind()
    operations.execute("ALTER TABLE outbox RENAME TO outbox_of_single_messages")
    operations.execute(_VERSION_2)
    waiting = connection.exec_driver_sql(
        "SELECT topic, key, headers, value, written_at FROM outbox_of_single_messages ORDER BY id"
    )
    for topic, key, headers, value, written_at in waiting.all():
        packed = msgspec.msgpack.encode([(key, msgspec.Raw(headers), value)])
        connection.exec_driver_sql(
            "INSERT INTO outbox (topic, messages, packed, written_at) VALUES ($1, 1, $2, $3)",
            (topic, packed, written_at),
        )
    operations.execute("DROP TABLE outbox_of_single_messages")


def leave_added_rows_alone(operations: Operations) -> None:
    """Bring events and requests to version 3: no vacuum only because rows were added (ADR 0014)."""
    for statement in _VERSION_3:
        operations.execute(statement)


def create_contents_table(operations: Operations) -> None:
    """Create the copy of another service's private contents (I-14)."""
    operations.execute(_CONTENTS)


def create_serials(operations: Operations) -> None:
    """Create what serials of a day come from (ADR 0019)."""
    for statement in _SERIALS:
        operations.execute(statement)
