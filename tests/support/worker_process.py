"""A worker as a process of its own: it relays the outbox of a database and writes down what it consumes.

What its handler took is in the table `seen`, in the order of its ids.
"""

from collections.abc import Sequence

import msgspec

from shared.contracts.records import Record
from shared.ledger.engine import create_ledger_engine
from shared.messaging.connection import KafkaConnection
from shared.messaging.consumer import Subscription
from shared.messaging.worker import Worker

SEEN = "CREATE TABLE seen (id bigint GENERATED ALWAYS AS IDENTITY, key text, value bigint)"


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    bootstrap: str
    username: str | None
    password: str | None
    database: str
    service: str
    group: str
    topic: str


async def work(plan: Plan) -> None:
    engine = create_ledger_engine(plan.database, application=plan.service)

    async def write_down(records: Sequence[Record]) -> None:
        async with engine.begin() as connection:
            await connection.exec_driver_sql(
                "INSERT INTO seen (key, value) SELECT u.key, u.value "
                "FROM unnest($1::text[], $2::bigint[]) WITH ORDINALITY AS u(key, value, n) ORDER BY u.n",
                (
                    [(record.key or b"").decode() for record in records],
                    [int(record.value or b"0") for record in records],
                ),
            )

    kafka = KafkaConnection(
        bootstrap=(plan.bootstrap,), client_id=plan.service, username=plan.username, password=plan.password
    )
    subscription = Subscription(group=plan.group, topics=(plan.topic,), handle=write_down, max_records=50)
    await Worker(kafka=kafka, service=plan.service, engine=engine, subscriptions=[subscription]).run()
    await engine.dispose()
