"""The database of the system: a role and a schema for each service, closed to the others.

A second run changes nothing but sets each password again. SQL is written in place because roles,
schemas and rights take no parameters; every name and password goes through a quoting function.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg

from shared.kernel.errors import Unavailable

DATABASE: Final = "joint"
_POLL_SECONDS: Final = 0.05
_PREPARING: Final = 220282
"""The advisory lock of whoever prepares roles."""
_CONNECT_SECONDS: Final = 5.0
_Result = TypeVar("_Result")


def wait_for_database(url: str, *, seconds: float, while_waiting: Callable[[], None] = lambda: None) -> None:
    """Return when a session can be opened; `while_waiting` is called between attempts.

    Raises:
        Unavailable: if none can within `seconds`; the last reason is in the message.
    """
    deadline = time.monotonic() + seconds
    while True:
        while_waiting()
        try:
            run_to_end(_execute(url, ["SELECT 1"]))
        except (OSError, TimeoutError, asyncpg.PostgresError) as error:
            if time.monotonic() > deadline:
                place = urlsplit(url)
                raise Unavailable(
                    f"PostgreSQL at {place.hostname}:{place.port} did not answer within {seconds:.0f} s: {error}"
                ) from error
            time.sleep(_POLL_SECONDS)
        else:
            return


def create_database(owner_url: str) -> str:
    """Make the database `joint` on a server of ours, closed to everybody; return its URL for the owner."""
    run_to_end(_create_database(owner_url))
    return with_database(owner_url, DATABASE)


def with_database(url: str, database: str) -> str:
    """Return the URL of another database on the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


def prepare_roles(url: str, passwords: Mapping[str, str]) -> None:
    """Make for each name a role with that password and a schema of the same name that it owns.

    `url` is the database's, with a role that may create roles and schemas. A role's sessions see
    its own schema alone (`search_path`).
    """
    database = urlsplit(url).path.removeprefix("/")
    # PostgreSQL refuses two at a time: rights of one database are one row of its catalogue.
    statements = [f"SELECT pg_advisory_xact_lock({_PREPARING})", "REVOKE ALL ON SCHEMA public FROM PUBLIC"]
    for role, password in passwords.items():
        statements += _role_statements(database, role, password)
    run_to_end(_execute(url, statements))


def service_url(url: str, role: str, password: str) -> str:
    """Return the URL with which a service opens the database (SQLAlchemy's form, asyncpg as driver)."""
    place = urlsplit(url)
    address = f"{role}:{quote(password, safe='')}@{place.hostname}:{place.port or 5432}"
    return urlunsplit(("postgresql+asyncpg", address, place.path, place.query, ""))


def plain_url(url: str) -> str:
    """Return the URL without the name of a Python driver, as libpq and asyncpg read it."""
    place = urlsplit(url)
    return urlunsplit(place._replace(scheme=place.scheme.partition("+")[0]))


def run_to_end(work: Coroutine[Any, Any, _Result]) -> _Result:
    """Run a coroutine from plain code, also where this thread's event loop already runs (in tests)."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        return pool.submit(asyncio.run, work).result()


async def _execute(url: str, statements: list[str]) -> None:
    connection = await asyncpg.connect(url, timeout=_CONNECT_SECONDS)
    try:
        async with connection.transaction():
            for statement in statements:
                await connection.execute(statement)
    finally:
        await connection.close()


async def _create_database(owner_url: str) -> None:
    connection = await asyncpg.connect(owner_url, timeout=_CONNECT_SECONDS)
    try:
        if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", DATABASE):
            await connection.execute(f"CREATE DATABASE {_name(DATABASE)}")
        for database in ("postgres", "template1", DATABASE):
            await connection.execute(f"REVOKE ALL ON DATABASE {_name(database)} FROM PUBLIC")
    finally:
        await connection.close()


def _role_statements(database: str, role: str, password: str) -> list[str]:
    name, secret = _name(role), _text(password)
    unless_known = f"IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = {_text(role)})"
    return [
        f"DO $$ BEGIN {unless_known} THEN CREATE ROLE {name}; END IF; END $$",
        f"ALTER ROLE {name} LOGIN PASSWORD {secret}",
        # An owner that is no superuser may otherwise not make a schema for another role.
        f"GRANT {name} TO CURRENT_USER",
        f"CREATE SCHEMA IF NOT EXISTS {name} AUTHORIZATION {name}",
        f"ALTER ROLE {name} IN DATABASE {_name(database)} SET search_path = {name}",
        f"GRANT CONNECT, TEMPORARY ON DATABASE {_name(database)} TO {name}",
    ]


def _name(value: str) -> str:
    return '"' + value.replace('"', '""') + '"'


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
