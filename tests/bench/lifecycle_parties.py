"""Everybody outside the services in one process, as cheap as it can be: a source, all departments, the centre's people.

Each department signs a leg when it hears of it and feeds back when it hears that its signature was taken, as lead after
its supports. The centre checks a case when its lead has fed back, and closes it when the check was answered, over HTTP
with the tokens of the collectors and of a duty leader. Reads orders as JSON lines and answers each with one.
"""

import asyncio
import sys
import time
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition

from services.dispatch.domain.checkers import choose
from services.dispatch.seed import department_codes, units
from shared.contracts.dispatch import FeedBackLeg, LegAction, SignLeg
from shared.contracts.envelope import CloudEvent, Header, binary_headers
from shared.contracts.intake import ReportSubmission
from shared.contracts.registry import (
    ACTIONS_PREFIX,
    DISPATCH_RECEIPTS_PREFIX,
    SUBMISSIONS_PREFIX,
    party_uri,
    type_name,
)
from shared.contracts.tasks import TaskChanged
from shared.kernel.identifiers import new_id
from shared.messaging.connection import KafkaConnection
from tests.bench.feeding import Problem, problems
from tests.bench.http_connections import Pool, request_bytes
from tests.bench.http_sides import TRUSTED, submission

MOST_LEGS: Final = 3
"""Problems with more legs are left out, so that a lifecycle has about twelve events."""

_OK: Final = 200
_ACCEPTED: Final = b'"outcome":"accepted"'
_TASK: Final = TaskChanged.type.encode()
_POLL_MILLISECONDS: Final = 10
_AT_ONCE: Final = 5000
_PARTITION: Final = 0
"""A party's topic has one."""

Outgoing = dict[str, list[tuple[bytes, list[Header], bytes]]]
"""Key, headers and value of what goes to each topic, in order."""


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """So many lifecycles, and how to reach broker and dispatch's API."""

    count: int
    bootstrap: str
    username: str | None
    password: str | None
    host: str
    port: int
    collectors: dict[str, str]
    duty_leader: str
    connections: int = 64


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """`first_at`: when the first submission was given to the broker. `events`: how many events its problems make."""

    first_at: float
    events: int
    refused: list[str]


class _Category(msgspec.Struct, frozen=True):
    code: str


class _News(msgspec.Struct, frozen=True):
    """What of `TaskChanged` the parties look at."""

    change: str
    case_id: UUID
    leg: int
    unit: str
    role: str
    category: _Category


class _Case(msgspec.Struct):
    kind: Problem
    open_supports: int
    lead: str = ""
    lead_signed: bool = False


def some_problems(count: int) -> list[Problem]:
    """Return so many problems of at most `MOST_LEGS` legs, of all such categories in turn."""
    return [problem for problem in problems(2 * count + 100) if len(problem.units) <= MOST_LEGS][:count]


def events_of(problem: Problem) -> int:
    """Return how many events a problem makes: four of intake, two of opening, two a leg, three of the end."""
    return 4 + 2 + 2 * len(problem.units) + 3


class Parties:
    """All of them, for one order."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._problems = some_problems(order.count)
        self._kinds = {problem.category.code: problem for problem in self._problems}
        self._units = units()
        self._cases: dict[UUID, _Case] = {}
        self._decoder = msgspec.json.Decoder(_News)
        self._pool = Pool()
        self._closed = 0
        self._refused: list[str] = []

    async def run(self) -> Done:
        """Return when every case is closed, or when something was refused."""
        order = self._order
        kafka = KafkaConnection(
            bootstrap=(order.bootstrap,), client_id="bench.parties", username=order.username, password=order.password
        )
        consumer, producer = AIOKafkaConsumer(**kafka.client_arguments()), kafka.producer()
        await asyncio.gather(
            consumer.start(), producer.start(), self._pool.connect(order.host, order.port, order.connections)
        )
        try:
            places = [TopicPartition(f"{DISPATCH_RECEIPTS_PREFIX}{unit}", 0) for unit in department_codes()]
            consumer.assign(places)
            for place, end in (await consumer.end_offsets(places)).items():
                consumer.seek(place, end)
            submissions = self._submissions()
            first_at = time.time()
            await _send(producer, submissions)
            while self._closed < order.count and not self._refused:
                batches = await consumer.getmany(timeout_ms=_POLL_MILLISECONDS, max_records=_AT_ONCE)
                acts: Outgoing = defaultdict(list)
                for records in batches.values():
                    for record in records:
                        self._hear(record, acts)
                await _send(producer, acts)
            self._refused += self._pool.lost
        finally:
            self._pool.close()
            await asyncio.gather(consumer.stop(), producer.stop())
        events = sum(map(events_of, self._problems))
        return Done(first_at=first_at, events=events, refused=self._refused[:5])

    def _submissions(self) -> Outgoing:
        observed = datetime.now(UTC) - timedelta(minutes=5)
        source = party_uri("sources", TRUSTED)
        return {
            f"{SUBMISSIONS_PREFIX}{TRUSTED}": [
                _record(source, ReportSubmission.type, msgspec.json.encode(submission(problem, observed)))
                for problem in self._problems
            ]
        }

    def _hear(self, record: "ConsumerRecord[bytes, bytes]", acts: Outgoing) -> None:
        assert record.value is not None
        if ("ce_type", _TASK) not in record.headers:
            if _ACCEPTED not in record.value:
                self._refused.append(record.value.decode())
            return
        news = self._decoder.decode(record.value)
        case = self._cases.get(news.case_id)
        if case is None:
            kind = self._kinds[news.category.code]
            case = self._cases[news.case_id] = _Case(kind, len(kind.units) - 1)
        match news.change, news.role:
            case "assigned", _:
                _act(acts, news.unit, SignLeg(case_id=news.case_id, leg=news.leg))
            case "signed", "support":
                _feed_back(acts, news.unit, news.case_id, news.leg)
            case "signed", _:
                case.lead, case.lead_signed = news.unit, True
                self._lead_feeds_back(acts, news.case_id, case)
            case "fed_back", "support":
                case.open_supports -= 1
                self._lead_feeds_back(acts, news.case_id, case)
            case "fed_back", _:
                self._check_and_close(news.case_id, case.kind)

    def _lead_feeds_back(self, acts: Outgoing, case_id: UUID, case: _Case) -> None:
        if case.lead_signed and not case.open_supports:
            _feed_back(acts, case.lead, case_id, 1)

    def _check_and_close(self, case_id: UUID, kind: Problem) -> None:
        checker = choose(self._units, frozenset(kind.units), case_id, kind.place.street)
        assert checker is not None

        def checked(status: int, body: bytes) -> None:
            if status == _OK:
                self._pool.ask(self._post(case_id, "close", b"{}", self._order.duty_leader), closed)
            else:
                self._refused.append(body.decode())

        def closed(status: int, body: bytes) -> None:
            self._closed += 1
            if status != _OK:
                self._refused.append(body.decode())

        token = self._order.collectors[checker.unit]
        self._pool.ask(self._post(case_id, "checks", b'{"passed":true}', token), checked)

    def _post(self, case_id: UUID, act: str, body: bytes, token: str) -> bytes:
        headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": f"{case_id}:{act}"}
        return request_bytes(f"/v1/cases/{case_id}/{act}", self._order.host, headers, body)


def _feed_back(acts: Outgoing, unit: str, case_id: UUID, leg: int) -> None:
    _act(acts, unit, FeedBackLeg(case_id=case_id, leg=leg, closing_condition="已清理"))


def _act(acts: Outgoing, unit: str, act: LegAction) -> None:
    record = _record(party_uri("departments", unit), type_name(type(act)), msgspec.json.encode(act))
    acts[f"{ACTIONS_PREFIX}{unit}"].append(record)


def _record(source: str, type_: str, data: bytes) -> tuple[bytes, list[Header], bytes]:
    event = CloudEvent(id=str(new_id()), source=source, type=type_, data=data)
    return event.id.encode(), binary_headers(event), data


async def _send(producer: AIOKafkaProducer, outgoing: Outgoing) -> None:
    """Send all of it in whole batches, a topic's in their order; return when the broker has it."""
    await asyncio.gather(*[_send_topic(producer, topic, records) for topic, records in outgoing.items()])


async def _send_topic(producer: AIOKafkaProducer, topic: str, records: list[tuple[bytes, list[Header], bytes]]) -> None:
    batch = producer.create_batch()
    for key, headers, value in records:
        if batch.append(timestamp=None, key=key, value=value, headers=headers) is None:
            await (await producer.send_batch(batch, topic, partition=_PARTITION))
            batch = producer.create_batch()
            assert batch.append(timestamp=None, key=key, value=value, headers=headers) is not None
    await (await producer.send_batch(batch, topic, partition=_PARTITION))


def main() -> None:
    """Work until the input ends."""
    for line in sys.stdin.buffer:
        done = uvloop.run(Parties(msgspec.json.decode(line, type=Order)).run())
        sys.stdout.buffer.write(msgspec.json.encode(done) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
