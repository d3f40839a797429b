"""What dispatch's migrations carry over: cases of before there were clocks are found like all others."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

import services.dispatch
from services.dispatch.tables import case_aggregate, cases, ledger, metadata
from shared.ledger.engine import create_ledger_engine
from shared.ledger.refold import refold
from tests.support.dispatch_served import Served, served
from tests.support.servers import Postgres

BEFORE = (
    *("stream", "sequence", "head", "changed_at", "state", "status", "revision", "source", "category_system"),
    *("category", "street", "community", "campaign", "lead_unit", "units", "legs", "reported_at", "filed_at"),
    *("opened_at", "dispatched_at", "closed_at"),
)
"""The columns of revision 0003."""


def upgrade(connection: sa.Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", f"{services.dispatch.__path__[0]}/migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


@pytest.fixture
async def http(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Served]:
    async with served(postgres, tmp_path) as dispatch:
        yield dispatch


async def test_states_and_columns_of_old_cases_are_folded_anew(http: Served, postgres: Postgres) -> None:
    await http.closed()
    await http.handled()
    await http.signed(await http.filed(), 2)
    async with http.feeder.dispatch.engine.connect() as connection:
        events = [dict(row) for row in (await connection.execute(ledger.events.select())).mappings()]
        rows = [dict(row) for row in (await connection.execute(cases.select())).mappings()]
    old_cases = sa.Table("cases", sa.MetaData(), *(sa.Column(name, cases.c[name].type) for name in BEFORE))
    engine = create_ledger_engine(postgres.fresh_database("migrated"), application="test")
    async with engine.begin() as connection:
        await connection.run_sync(upgrade, "0003")
        await connection.execute(metadata.tables["events"].insert(), events)
        # What the state and the columns said when they were written does not matter: the events do.
        old: list[dict[str, Any]] = [
            {**{name: row[name] for name in BEFORE}, "state": b"{}", "legs": []} for row in rows
        ]
        await connection.execute(old_cases.insert(), old)
        await connection.run_sync(upgrade, "head")
        # Once more from nothing, a few events at a time: streams go on from one page to the next.
        await connection.execute(cases.update().values(state=b"{}", open=True, status="filed", closed_at=None))
        again = await connection.run_sync(lambda plain: refold(plain, case_aggregate(city=""), page=4))
        migrated = [dict(row) for row in (await connection.execute(cases.select())).mappings()]
    await engine.dispose()
    assert sorted(migrated, key=lambda row: str(row["stream"])) == sorted(rows, key=lambda row: str(row["stream"]))
    assert again == len(rows)
    assert {row["status"] for row in migrated} == {"closed", "checking", "handling"}
