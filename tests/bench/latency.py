"""How soon what a source submits over Kafka is a case to be read in dispatch, at a steady 50 submissions a second.

A sample runs from the broker's own timestamp of the record (LogAppendTime) until a reader of dispatch's database that
has nothing to do with the services has been given the case. All six processes run as shipped. The raw timestamps are
kept in a file below `.bench/`; all clocks are that of one machine.
"""

import asyncio
import random
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import asyncpg
import msgspec
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from shared.contracts.common import Receipt
from shared.contracts.envelope import CloudEvent, binary_headers
from shared.contracts.intake import ReportSubmission
from shared.contracts.registry import INTAKE_RECEIPTS_PREFIX, SUBMISSIONS_PREFIX, party_uri
from shared.kernel.identifiers import new_id
from tests.bench.feeding import problems
from tests.bench.http import percentile
from tests.bench.http_sides import TRUSTED, submission
from tests.bench.lifecycle import whole_system
from tests.bench.machine import BUSY_CORES
from tests.bench.result import FOLDER, Figure, Result, Scale
from tests.bench.system import BenchSystem, warm_broker

RATE: Final = 50.0
"""Submissions a second."""

_JITTER: Final = 0.5
"""Of the distance between two submissions: a rhythm must not fall in step with anybody's polling."""
_PROBE_SECONDS: Final = 0.004
_RECENT_SECONDS: Final = 1.0
_SWEEP_PROBES: Final = 50
"""Every so many probes look at everything: what took longer than a second is found too, only less exactly."""
_PATIENCE_SECONDS: Final = 60.0
_VISIBLE: Final = "SELECT stream FROM dispatch.cases WHERE stream > $1"


class Prober:
    """A reader of dispatch's cases that notes when it was first given each."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self._start = new_id()
        self.seen: dict[UUID, float] = {}
        self.gaps: list[float] = []

    async def watch(self, wanted: int) -> None:
        """Look every few milliseconds until so many cases were seen."""
        probes, before = 0, time.time()
        while len(self.seen) < wanted:
            sweeps = probes % _SWEEP_PROBES == 0
            # Never before the start: an earlier run's last cases are none of ours.
            since = self._start if sweeps else max(self._start, _id_of(before - _RECENT_SECONDS))
            rows = await self._connection.fetch(_VISIBLE, since)
            # The clock is read after the answer: nothing is called visible before somebody had it.
            now = time.time()
            for row in rows:
                self.seen.setdefault(row["stream"], now)
            self.gaps.append(now - before)
            probes, before = probes + 1, now
            await asyncio.sleep(_PROBE_SECONDS)


async def run(scale: Scale) -> Result:
    """Submit for a minute after a few seconds of warming up."""
    with whole_system() as (system, children):
        await warm_broker(system, scale.pick(20_000, 2_000))
        await _samples(system, scale.pick(250, 50))
        meter = system.meter(list(children.values()))
        samples, prober = await _samples(system, scale.pick(3100, 200))
        usage = meter.read()
    times = [(seen - appended) * 1e3 for appended, seen in samples.values()]
    file = _keep(samples)
    return Result(
        part="latency",
        figures=[
            *(
                Figure(name=f"append to visible, p{share}", unit="ms", values=[percentile(times, share / 100)])
                for share in (50, 90, 99)
            ),
            Figure(name="append to visible, longest", unit="ms", values=[max(times)]),
            Figure(name="between two probes, p99", unit="ms", values=[percentile(prober.gaps, 0.99) * 1e3]),
            Figure(name="samples", unit="", values=[len(times)]),
            Figure(name="foreign CPU", unit="cores", values=[usage.foreign_cores], note="of it the prober: generator"),
        ],
        summary={"visible_p99_ms": percentile(times, 0.99), "visible_p50_ms": percentile(times, 0.5)},
        notes=[f"Raw timestamps: {file}"] + ([f"BUSY (mark: {BUSY_CORES} cores)"] if usage.busy else []),
    )


async def _samples(system: BenchSystem, count: int) -> tuple[Mapping[UUID, tuple[float, float]], Prober]:
    """Return of each case when its submission was appended and when it was seen, and who saw it."""
    connection = await asyncpg.connect(system.owner_url)
    producer = AIOKafkaProducer(**system.connection("bench.latency").client_arguments(), acks="all")
    consumer = AIOKafkaConsumer(**system.connection("bench.receipts").client_arguments())
    receipts = TopicPartition(f"{INTAKE_RECEIPTS_PREFIX}{TRUSTED}", 0)
    await asyncio.gather(producer.start(), consumer.start())
    try:
        consumer.assign([receipts])
        consumer.seek(receipts, (await consumer.end_offsets([receipts]))[receipts])
        prober = Prober(connection)
        async with asyncio.timeout(count / RATE + _PATIENCE_SECONDS):
            appended, _ = await asyncio.gather(_submit(producer, count), prober.watch(count))
            cases = await _cases(consumer, count)
    finally:
        await asyncio.gather(producer.stop(), consumer.stop(), connection.close())
    return {case: (appended[request], prober.seen[case]) for request, case in cases.items()}, prober


async def _submit(producer: AIOKafkaProducer, count: int) -> Mapping[str, float]:
    """Send single records, one after the other at the rate; return by their ids when the broker appended them."""
    chance = random.Random(count)
    sending: list[asyncio.Task[tuple[str, float]]] = []
    started = time.monotonic()
    for number, problem in enumerate(problems(count)):
        said = submission(problem, datetime.now(UTC) - timedelta(minutes=5))
        due = started + (number + chance.uniform(-_JITTER, _JITTER)) / RATE
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        sending.append(asyncio.create_task(_send(producer, said)))
    return dict(await asyncio.gather(*sending))


async def _send(producer: AIOKafkaProducer, said: ReportSubmission) -> tuple[str, float]:
    event = CloudEvent(
        id=str(new_id()),
        source=party_uri("sources", TRUSTED),
        type=ReportSubmission.type,
        data=msgspec.json.encode(said),
    )
    sent = await producer.send_and_wait(
        f"{SUBMISSIONS_PREFIX}{TRUSTED}", value=event.data, headers=binary_headers(event), partition=0
    )
    assert sent.timestamp_type == 1, "the topic must carry the broker's time"
    return event.id, sent.timestamp / 1000


async def _cases(consumer: AIOKafkaConsumer, count: int) -> Mapping[str, UUID]:
    """Return which case each submission became, as its receipt says."""
    found: dict[str, UUID] = {}
    while len(found) < count:
        for records in (await consumer.getmany(timeout_ms=200)).values():
            for record in records:
                receipt = msgspec.json.decode(record.value or b"", type=Receipt)
                assert receipt.answer.outcome == "accepted", receipt
                assert receipt.request is not None
                assert receipt.answer.subject is not None
                found[receipt.request] = receipt.answer.subject
    return found


def _keep(samples: Mapping[UUID, tuple[float, float]]) -> str:
    FOLDER.mkdir(exist_ok=True)
    file = FOLDER / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-latency.csv"
    lines = [f"{case},{appended * 1000:.0f},{seen * 1000:.3f}" for case, (appended, seen) in samples.items()]
    file.write_text("\n".join(["case,appended_ms,seen_ms", *lines]) + "\n")
    return f"{FOLDER.name}/{file.name}"


def _id_of(seconds: float) -> UUID:
    """Return the smallest UUIDv7 of an instant."""
    return UUID(int=int(seconds * 1000) << 80)
