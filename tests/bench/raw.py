"""What the servers could do at most, and what share of it our stage reaches, in turn on the same servers.

`raw_share` is the stage's events a second by the smaller of two limits: records a second that aiokafka takes from the
broker and does nothing with (`getmany(2000)`), and event rows a second that one connection brings into PostgreSQL
by COPY, 2000 a commit. A record and a row are 600 bytes. The stage does both, writes several rows an event, and
publishes them.
"""

import time
from statistics import median
from typing import Final

import asyncpg
from aiokafka import AIOKafkaConsumer

from shared.kernel.identifiers import new_id
from shared.ledger.relaying import OutboxRow
from tests.bench.counting import counting
from tests.bench.feeding import fill
from tests.bench.result import Figure, Result, Scale
from tests.bench.sides import StageRun, our_worker, run_ours
from tests.bench.stage import figures, marks
from tests.bench.system import BenchSystem, running_system, warm_broker

_BATCH: Final = 2000
_PARTITIONS: Final = 4
_VALUE: Final = bytes(range(200)) * 3
_ROWS: Final = "raw_rows"


async def run(scale: Scale) -> Result:
    """Measure both limits and the stage in turn."""
    consumed: list[float] = []
    copied: list[float] = []
    ours: list[StageRun] = []
    records, rows, cases = scale.pick(200_000, 20_000), scale.pick(100_000, 20_000), scale.pick(5400, 400)
    with running_system(services=("dispatch",)) as system:
        await warm_broker(system, scale.pick(30_000, 6_000))
        database = await _prepare(system, records)
        async with counting(system.connection("bench.count")) as counter:
            for _ in range(scale.rounds):
                consumed.append(await _consume(system, records))
                copied.append(await _copy(database, rows))
                async with our_worker(system, counter) as worker:
                    ours.append(await run_ours(system, counter, worker, cases))
    stage = median(run.rate for run in ours)
    limit = min(median(consumed), median(copied))
    return Result(
        part="raw",
        figures=[
            Figure(name="Kafka: getmany(2000)", unit="records/s", values=consumed),
            Figure(name="PostgreSQL: COPY x 2000", unit="rows/s", values=copied),
            *figures("ours", ours),
        ],
        summary={
            "raw_share": stage / limit,
            "raw_consume_per_second": median(consumed),
            "raw_copy_per_second": median(copied),
        },
        notes=[f"ours reaches {stage / limit:.1%} of the smaller limit", *marks("ours", ours)],
    )


async def _prepare(system: BenchSystem, records: int) -> str:
    """Fill the topic that is consumed, make the table that is copied into; return the database's address."""
    system.create_topic("raw", partitions=_PARTITIONS)
    keys = [str(number).encode() for number in range(64)]
    await fill(
        system.connection("bench.fill"),
        [OutboxRow(topic="raw", key=keys[number % 64], headers=(), value=_VALUE) for number in range(records)],
    )
    database = system.fresh_schema("raw")
    connection = await asyncpg.connect(database)
    try:
        await connection.execute(
            f"CREATE TABLE {_ROWS} (stream uuid, sequence integer, type text, at timestamptz DEFAULT now(), "
            "data bytea, PRIMARY KEY (stream, sequence))"
        )
    finally:
        await connection.close()
    return database


async def _consume(system: BenchSystem, records: int) -> float:
    consumer = AIOKafkaConsumer(
        "raw", **system.connection("bench.raw").client_arguments(), auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        taken, begun = 0, time.monotonic()
        while taken < records:
            batches = await consumer.getmany(timeout_ms=1000, max_records=_BATCH)
            taken += sum(map(len, batches.values()))
        return taken / (time.monotonic() - begun)
    finally:
        await consumer.stop()


async def _copy(database: str, rows: int) -> float:
    batches = [
        [(new_id(), 1, "jointenforcement.case.opened.v1", _VALUE) for _ in range(_BATCH)] for _ in range(rows // _BATCH)
    ]
    connection = await asyncpg.connect(database)
    try:
        begun = time.monotonic()
        for batch in batches:
            await connection.copy_records_to_table(_ROWS, records=batch, columns=("stream", "sequence", "type", "data"))
        return len(batches) * _BATCH / (time.monotonic() - begun)
    finally:
        await connection.close()
