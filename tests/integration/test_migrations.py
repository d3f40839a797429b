"""Migrations that carry something over."""

from types import ModuleType

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

import services.analytics
import services.intake
from services.analytics.queries.loading import load_cases
from shared.kernel.identifiers import new_id
from shared.ledger.engine import create_ledger_engine
from tests.support.outbox import unsent
from tests.support.servers import Postgres
from tests.support.tally import NOON


def upgrade(connection: Connection, revision: str, service: ModuleType = services.intake) -> None:
    config = Config()
    config.set_main_option("script_location", f"{service.__path__[0]}/migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


async def test_what_waits_in_an_outbox_of_single_messages_becomes_lots(postgres: Postgres) -> None:
    engine = create_ledger_engine(postgres.fresh_database("migrated"), application="test")
    headers = b"\x91\x92\xa5ce_id\xc4\x011"  # one pair: ce_id, the byte "1"
    async with engine.begin() as connection:
        await connection.run_sync(upgrade, "0001")
        for value in (b"first", None):
            await connection.exec_driver_sql(
                "INSERT INTO outbox (topic, key, headers, value, written_at) "
                "VALUES ('intake.contents', $1, $2, $3, $4)",
                (b"key", headers, value, NOON),
            )
        await connection.run_sync(upgrade, "head")

    async with engine.begin() as connection:
        found = [(row.topic, row.key, row.headers, row.value) for row in await unsent(connection)]
    await engine.dispose()
    assert found == [
        ("intake.contents", b"key", (("ce_id", b"1"),), b"first"),
        ("intake.contents", b"key", (("ce_id", b"1"),), None),
    ]


async def test_legs_in_rework_stay_so_and_closed_cases_count_at_the_city(postgres: Postgres) -> None:
    engine = create_ledger_engine(postgres.fresh_database("migrated"), application="test")
    reworked, waiting = new_id(), new_id()
    async with engine.begin() as connection:
        await connection.run_sync(upgrade, "0003", services.analytics)
        for statement, values in (
            (
                "INSERT INTO case_facts (stream, opened_at, dispatched_at, check_reason) VALUES ($1, $2, $2, 'dirty')",
                (reworked, NOON),
            ),
            ("INSERT INTO case_facts (stream, reported_at) VALUES ($1, $2)", (waiting, NOON)),
            (
                "INSERT INTO leg_facts VALUES ($1, 1, 'ecology', 'lead', 'handling', $2, $2, $2, NULL, true, 1)",
                (reworked, NOON),
            ),
            (
                "INSERT INTO leg_facts VALUES ($1, 2, 'housing', 'support', 'waived', $2, $2, $2, $2, false, 0)",
                (reworked, NOON),
            ),
        ):
            await connection.exec_driver_sql(statement, values)
        await connection.run_sync(upgrade, "head", services.analytics)

    async with engine.begin() as connection:
        cases = await load_cases(connection, [reworked, waiting])
    await engine.dispose()
    (case,) = cases.values()
    assert (case.level, case.answer_awaited, case.marks) == ("city", False, ())
    assert [(leg.again, leg.again_reason) for leg in case.legs.values()] == [("check_failed", "dirty"), (None, None)]
