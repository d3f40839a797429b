"""New rows by COPY: half the work of an `unnest` INSERT, on both sides of the connection (ADR 0012)."""

from collections.abc import Iterable, Sequence

import asyncpg
from sqlalchemy.ext.asyncio import AsyncConnection


async def add_rows(
    connection: AsyncConnection, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]
) -> None:
    """Add rows to a table in the connection's transaction, in this order.

    Args:
        connection: of a service's own database.
        table: one of ours, found on the search path.
        columns: the names of what each row holds; the others get their defaults.
        rows: values as asyncpg takes them: a document (JSONB) is text.

    Raises:
        asyncpg.PostgresError: what the database refuses, a key that is there already among it.
        Exception: what cannot be encoded; nothing of it is anybody else's fault.
    """
    driver = (await connection.get_raw_connection()).driver_connection
    if not isinstance(driver, asyncpg.Connection):
        raise TypeError("Rows are added over asyncpg.")
    if not driver.is_in_transaction():
        await connection.exec_driver_sql("SELECT 1")  # SQLAlchemy begins with its first statement
    await driver.copy_records_to_table(table, columns=columns, records=rows)
