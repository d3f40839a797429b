"""Whose fault a failure is, by SQLSTATE."""

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError, InterfaceError

from shared.ledger.failures import verdict_of


def failure(code: str | None, *, invalidated: bool = False) -> DBAPIError:
    original = Exception("said the server")
    original.sqlstate = code  # type: ignore[attr-defined]
    return DBAPIError("SELECT 1", None, original, connection_invalidated=invalidated)


@pytest.mark.parametrize(
    "code", ["08006", "08003", "53100", "53300", "57P01", "57P03", "58030", "25006", "25P03", "28P01"]
)
def test_a_database_that_is_away_full_or_stopping_halts(code: str) -> None:
    assert verdict_of(failure(code)) == "halt"


@pytest.mark.parametrize("code", ["40001", "40P01", "23505", "55P03"])
def test_another_transaction_in_the_way_is_run_again(code: str) -> None:
    assert verdict_of(failure(code)) == "rerun"


@pytest.mark.parametrize("code", ["22021", "22P05", "23514", "42601", "54000", None])
def test_anything_else_is_found_in_the_batch(code: str | None) -> None:
    assert verdict_of(failure(code)) == "bisect"


def test_a_lost_connection_halts_whatever_the_code() -> None:
    assert verdict_of(failure(None, invalidated=True)) == "halt"
    assert verdict_of(ConnectionRefusedError()) == "halt"
    assert verdict_of(TimeoutError()) == "halt"
    assert verdict_of(asyncpg.InterfaceError("connection is closed")) == "halt"
    assert verdict_of(InterfaceError("SELECT 1", None, OSError("gone"), connection_invalidated=True)) == "halt"


def test_a_statement_that_a_migration_made_stale_is_run_again() -> None:
    original = Exception("stale")
    original.__cause__ = asyncpg.InvalidCachedStatementError("cached statement plan is invalid")
    assert verdict_of(DBAPIError("SELECT 1", None, original)) == "rerun"


def test_a_bug_is_found_in_the_batch() -> None:
    assert verdict_of(KeyError("x")) == "bisect"
