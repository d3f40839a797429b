"""Dispatch as it runs, and everybody who meets it: its worker on real Kafka and PostgreSQL, its API beside it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, TypeVar
from uuid import UUID

import msgspec

from services.dispatch.app import Dispatch, build_worker, compose_on, migrate_and_seed
from shared.contracts.common import Answer, Message, Receipt
from shared.contracts.dispatch import LegAction
from shared.contracts.envelope import CloudEvent, binary_headers, read_event
from shared.contracts.registry import (
    ACTIONS_PREFIX,
    ANSWERED,
    DISPATCH_RECEIPTS_PREFIX,
    INTAKE_REPORTS,
    PARTITIONS,
    partition_for,
    topics,
)
from shared.contracts.tasks import TaskChanged
from shared.kernel.identifiers import new_id
from shared.ledger.engine import create_ledger_engine
from shared.ledger.vault import Vault
from shared.messaging.connection import KafkaConnection
from shared.observability.health import Health
from tests.support.dispatch_client import DispatchClient, dispatch_client
from tests.support.dispatching import FIRE_LANE_UNITS, act_event, envelopes, filed_events
from tests.support.kafka import connection_to, eventually, everything_on, producing
from tests.support.servers import Broker, Postgres
from tests.support.web import Keys

CITY: Final = "jiaohe"
GHOST: Final = "ghost-office"
"""Has topics, but is no unit of the city."""

M = TypeVar("M", bound=Message)


class City:
    """Dispatch running, and everybody who meets it at its topics and its API."""

    def __init__(self, dispatch: Dispatch, kafka: KafkaConnection, http: DispatchClient) -> None:
        self.dispatch = dispatch
        self.kafka = kafka
        self.http = http

    async def publish(self, topic: str, events: Sequence[CloudEvent], *, partitions: int = 1) -> None:
        async with producing(self.kafka) as producer:
            for event in events:
                key = (event.subject or event.id).encode()
                await producer.send_and_wait(
                    topic,
                    event.data,
                    key=key,
                    headers=binary_headers(event),
                    partition=partition_for(key, partitions),
                )

    async def file(self, version: int = 1) -> UUID:
        """Publish what intake says of a complete report; return the case's id."""
        case_id = new_id()
        await self.publish(INTAKE_REPORTS, envelopes(case_id, filed_events(version)), partitions=PARTITIONS)
        return case_id

    async def state(self, case_id: UUID) -> str | None:
        response = await self.http.get(f"/v1/cases/{case_id}")
        return response.json()["case"]["state"] if response.status_code == 200 else None

    async def reaches(self, case_id: UUID, state: str) -> None:
        async def there() -> bool:
            return await self.state(case_id) == state

        await eventually(there, f"case {case_id} is {state}")

    async def messages(self, department: str, type_: str, message: type[M]) -> list[M]:
        """Return everything of this type that the department's receipts topic holds."""
        records = await everything_on(self.kafka, f"{DISPATCH_RECEIPTS_PREFIX}{department}")
        events = [read_event(record.headers, record.value) for record in records]
        return [msgspec.json.decode(event.data or b"", type=message) for event in events if event.type == type_]

    async def tasks(self, department: str, case_id: UUID) -> list[TaskChanged]:
        found = await self.messages(department, TaskChanged.type, TaskChanged)
        return [task for task in found if task.case_id == case_id]

    async def answers(self, department: str, *events: CloudEvent) -> list[Answer]:
        """Send these on the department's topic and return their answers, in order."""
        await self.publish(f"{ACTIONS_PREFIX}{department}", events)
        found: dict[str | None, Answer] = {}

        async def all_answered() -> bool:
            receipts = await self.messages(department, ANSWERED, Receipt)
            found.update({receipt.request: receipt.answer for receipt in receipts})
            return all(event.id in found for event in events)

        await eventually(all_answered, f"{department} is answered")
        return [found[event.id] for event in events]

    async def act(self, department: str, *acts: LegAction) -> list[Answer]:
        return await self.answers(department, *[act_event(department, act) for act in acts])


@asynccontextmanager
async def running_city(postgres: Postgres, broker: Broker, folder: Path) -> AsyncIterator[City]:
    """Let dispatch run, on a database of its own, while the block runs."""
    broker.create_topics(topics((), (*FIRE_LANE_UNITS, GHOST)))
    engine = create_ledger_engine(postgres.fresh_database("dispatch"), application="test")
    dispatch = compose_on(engine, Vault(bytes(32)), CITY)
    await migrate_and_seed(dispatch)
    kafka = connection_to(broker)
    worker = build_worker(dispatch, kafka, health=Health())
    running = asyncio.create_task(worker.run())
    try:
        async with dispatch_client(dispatch, Keys(folder)) as http:
            yield City(dispatch, kafka, http)
    finally:
        worker.stop()
        await running
        await engine.dispose()
