"""What stands in a ledger now is told by gauges, and by nobody who does not know it any more."""

import asyncio

from prometheus_client import REGISTRY
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.kernel.identifiers import new_id
from shared.ledger.draft import OutboxRow
from shared.ledger.held import list_held, skip_held
from shared.ledger.load import database_now
from shared.ledger.relaying import Outbox
from shared.ledger.standing import Standing
from shared.ledger.vault import Vault
from shared.ledger.write import write_outbox
from shared.messaging.partitions import PartitionSender
from shared.messaging.relay import Relay
from tests.support.kafka import connection_to, eventually
from tests.support.ledgers import EVENTS, KEY, policy_on
from tests.support.servers import Broker, unique_name
from tests.support.tally import event_record


def gauge(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(f"joint_{name}", labels)


def held(state: str) -> float | None:
    return gauge("ledger_held_now", consumer=EVENTS, state=state)


async def test_dead_and_waiting_messages_are_told_apart_until_they_are_gone(ledger_engine: AsyncEngine) -> None:
    standing = Standing(ledger_engine, service="intake")
    bad, gap = new_id(), new_id()
    await policy_on(ledger_engine).consume(
        [event_record(bad, number, note="crash" if number == 1 else "") for number in (1, 2)]
        + [event_record(gap, number) for number in (2, 3)]
    )
    await standing.look()
    assert (held("dead"), held("waiting")) == (1, 3)
    assert standing.notice() == "dead letters: 1 of intake.events; `joint held list --service intake` shows them"

    await policy_on(ledger_engine).consume([event_record(gap, 1)])
    [dead, _] = await list_held(ledger_engine)
    await skip_held(ledger_engine, Vault(KEY), dead.id, service="intake", operator="operator", reason="nonsense")
    await policy_on(ledger_engine).resume()
    await standing.look()

    assert (held("dead"), held("waiting")) == (0, 0)
    assert standing.notice() is None


async def test_a_relay_that_lost_its_lease_tells_nothing_of_topics_and_ages(
    ledger_engine: AsyncEngine, broker: Broker
) -> None:
    missing = unique_name("missing")
    async with ledger_engine.begin() as connection:
        rows = [OutboxRow(topic=missing, key=b"key", headers=(), value=b"1") for _ in range(3)]
        await write_outbox(connection, rows, await database_now(connection))
    relay = Relay(Outbox(ledger_engine, service=unique_name("service")), PartitionSender(connection_to(broker)))
    stopping = asyncio.Event()
    relaying = asyncio.create_task(relay.run(stopping))
    await eventually(lambda: gauge("relay_topic_set_aside", topic=missing) == 1, "the topic is set aside")
    await eventually(lambda: (gauge("outbox_age_seconds") or 0) > 0, "the age of the oldest row")

    stopping.set()
    await relaying

    assert gauge("relay_topic_set_aside", topic=missing) is None
    assert gauge("outbox_age_seconds") == 0
    await Standing(ledger_engine, service="intake").look()
    assert gauge("outbox_messages") == 3
