"""Whose fault a failed batch is, told apart in one place by SQLSTATE (design section 1, step 5; I-8)."""

from typing import Final, Literal

import asyncpg
import sqlalchemy.exc

Verdict = Literal["halt", "rerun", "bisect"]

_HALT_CLASSES: Final = frozenset({"08", "25", "28", "53", "57", "58"})
"""25 is a server that only reads after a failover, 28 a login that it refuses: no message is at fault."""
_RERUN_CLASSES: Final = frozenset({"40"})
_RERUN_CODES: Final = frozenset({"23505", "55P03"})
"""Unique violation: two creators of one row. Lock not available: somebody holds it longer than lock_timeout."""


def verdict_of(error: BaseException) -> Verdict:
    """Return what to do about an error of a batch.

    halt: our fault (the database is away, full or shutting down): keep everything and try again later.
    rerun: another transaction was in the way: run the whole batch again.
    bisect: something in the batch: halve it until one command stands alone.
    """
    if isinstance(error, sqlalchemy.exc.DBAPIError):
        if error.connection_invalidated:
            return "halt"
        if isinstance(getattr(error.orig, "__cause__", None), asyncpg.InvalidCachedStatementError):
            # A migration changed a table under us; the statements are prepared anew. SQLAlchemy drops the SQLSTATE.
            return "rerun"
        return _by_code(sqlstate_of(error))
    if isinstance(error, asyncpg.InvalidCachedStatementError | asyncpg.exceptions.OutdatedSchemaCacheError):
        return "rerun"
    if isinstance(error, asyncpg.PostgresError):
        return _by_code(error.sqlstate)
    if isinstance(error, asyncpg.InterfaceError) and isinstance(error, ValueError):
        return "bisect"  # a value that the driver cannot encode
    if isinstance(error, OSError | TimeoutError | asyncpg.InterfaceError | sqlalchemy.exc.TimeoutError):
        return "halt"
    return "bisect"


def sqlstate_of(error: BaseException) -> str | None:
    """Return the five characters of the SQLSTATE behind an error, or None."""
    code = getattr(getattr(error, "orig", error), "sqlstate", None)
    return code if isinstance(code, str) else None


def _by_code(code: str | None) -> Verdict:
    if code is None:
        # The driver failed without the server saying why: a lost connection, not a bad value, unless it is a DataError
        # of the client's own encoding, which carries no SQLSTATE and is found alone by halving.
        return "bisect"
    if code[:2] in _HALT_CLASSES:
        return "halt"
    if code[:2] in _RERUN_CLASSES or code in _RERUN_CODES:
        return "rerun"
    return "bisect"
