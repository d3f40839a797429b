"""Migrations that carry something over."""

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

import services.intake
from shared.ledger.engine import create_ledger_engine
from tests.support.outbox import unsent
from tests.support.servers import Postgres
from tests.support.tally import NOON


def upgrade(connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", f"{services.intake.__path__[0]}/migrations")
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
