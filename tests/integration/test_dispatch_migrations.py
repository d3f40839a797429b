"""What dispatch's migrations carry over: cases of before there were clocks are found like all others."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

import services.dispatch
from services.dispatch.tables import case_aggregate, cases, ledger, metadata
from shared.ledger.engine import create_ledger_engine
from shared.ledger.refold import refold
from tests.support.dispatch_served import LEADERSHIP, Served, done, served
from tests.support.dispatching import FIRE_LANE_UNITS
from tests.support.servers import Postgres
from tests.support.set_clocks import database_now

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


async def suspended_after_an_order(http: Served, case_id: UUID) -> None:
    """Let the unit of leg 2 order something by law, and put its leg on the books."""
    unit = FIRE_LANE_UNITS[1]
    order = {"legal_basis": "fire law 60", "document_number": "2026-118", "days": 1, "unit": "natural_day"}
    until = (await database_now(http.feeder.dispatch) + timedelta(days=90)).isoformat()
    await http.signed(case_id, 2)
    done(await http.leg(case_id, 2, "rectification-orders", unit, order))
    asked = {"reason": "wrong_season", "plan": "in spring", "until": until}
    done(await http.leg(case_id, 2, "suspension-requests", unit, asked))
    await http.dispatches(case_id, "legs/2/suspension-endorsement", endorsed=True, reason="seen")
    decision = {"approved": True, "reason": "frozen"}
    await http.act(case_id, "legs/2/suspension-decision", LEADERSHIP, "leader", **decision)


async def test_lists_find_old_cases_by_what_the_law_sets_too(http: Served, postgres: Postgres) -> None:
    await suspended_after_an_order(http, await http.filed())
    async with http.feeder.dispatch.engine.connect() as connection:
        events = [dict(row) for row in (await connection.execute(ledger.events.select())).mappings()]
        [row] = [dict(row) for row in (await connection.execute(cases.select())).mappings()]
    engine = create_ledger_engine(postgres.fresh_database("migrated"), application="test")
    async with engine.begin() as connection:
        await connection.run_sync(upgrade, "0005")
        await connection.execute(metadata.tables["events"].insert(), events)
        # So it was when lists knew the limits of handling alone: a leg on the books was due at no time.
        legs = [{**leg, "due_at": None, "warn_at": None} if leg["leg"] == 2 else leg for leg in row["legs"]]
        await connection.execute(cases.insert(), [{**row, "legs": legs}])
        await connection.run_sync(upgrade, "head")
        [migrated] = [dict(row) for row in (await connection.execute(cases.select())).mappings()]
    await engine.dispose()
    assert migrated == row
    assert [leg["due_at"] is None for leg in row["legs"]] == [False] * 5


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
