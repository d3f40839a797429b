"""What intake's migrations carry over: reports of before their reporters were told of cases are like all others."""

from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

import services.intake
from services.intake.consumers import react
from services.intake.queries import CASES_CONSUMER
from services.intake.tables import ledger, metadata, reports
from shared.contracts.common import Actor
from shared.contracts.dispatch import CaseClosed
from shared.contracts.registry import DISPATCH_CASES, party_uri
from shared.ledger.engine import create_ledger_engine
from tests.support.intaking import answers, intake_on, received, submitted
from tests.support.reports import NOW, UNTRUSTED
from tests.support.servers import Postgres
from tests.support.stories import event_record

BEFORE = (
    *("stream", "sequence", "head", "changed_at", "state", "status", "source", "street", "category_system"),
    *("category", "campaign", "reported_at"),
)
"""The columns of revisions 0003 and 0004."""
CLOSED = CaseClosed(at=NOW, by=Actor(client="dispatch", unit="dispatch", post="system"))


def upgrade(connection: sa.Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", f"{services.intake.__path__[0]}/migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


async def stored(postgres: Postgres) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the events and the rows of a report that waits, one that is filed, and one whose case is closed."""
    async with intake_on(postgres) as intake:
        told = await received(intake, submitted(), submitted(), submitted(source=UNTRUSTED))
        case_id = answers(told)[0].subject
        assert isinstance(case_id, UUID)
        closed = event_record(DISPATCH_CASES, case_id, 1, CLOSED, party_uri("services", "dispatch"))
        await intake.ledger.policy(CASES_CONSUMER, react).consume([closed])
        async with intake.engine.connect() as connection:
            events = [dict(row) for row in (await connection.execute(ledger.events.select())).mappings()]
            rows = [dict(row) for row in (await connection.execute(reports.select())).mappings()]
    return events, rows


@pytest.mark.parametrize("revision", ["0003", "0004"])
async def test_the_states_of_old_reports_are_folded_anew(postgres: Postgres, revision: str) -> None:
    events, rows = await stored(postgres)
    old_reports = sa.Table("reports", sa.MetaData(), *(sa.Column(name, reports.c[name].type) for name in BEFORE))
    engine = create_ledger_engine(postgres.fresh_database("migrated"), application="test")
    async with engine.begin() as connection:
        await connection.run_sync(upgrade, revision)
        await connection.execute(metadata.tables["events"].insert(), events)
        # What the state said when it was written does not matter: the events do.
        old = [{**{name: row[name] for name in BEFORE}, "state": b"{}"} for row in rows]
        await connection.execute(old_reports.insert(), old)
        await connection.run_sync(upgrade, "head")
        migrated = [dict(row) for row in (await connection.execute(reports.select())).mappings()]
    await engine.dispose()
    assert sorted(migrated, key=lambda row: str(row["stream"])) == sorted(rows, key=lambda row: str(row["stream"]))
    assert sum(b'"state":"closed"' in row["state"] for row in migrated) == 1
