"""A receipts topic that is gone: everybody else goes on, an alarm is up, and its receipts arrive when it is back."""

import asyncio
from datetime import UTC, datetime
from typing import Final

import pytest
from confluent_kafka.admin import AdminClient

from deploy.embedded.backbone import provision_broker
from shared.contracts.registry import INTAKE_RECEIPTS_PREFIX
from tests.reliability.city import City
from tests.reliability.essentials import assert_essentials
from tests.reliability.load import a_load
from tests.reliability.recording import a_source
from tests.support.kafka import eventually
from tests.support.parties import report_body

pytestmark = pytest.mark.timeout(240)

SOURCE: Final = "boston311"
"""It reports nothing else: with its topic go the receipts that others would look for."""
TOPIC: Final = INTAKE_RECEIPTS_PREFIX + SOURCE
WORKER: Final = "intake-worker"


async def test_a_receipts_topic_that_is_gone_delays_only_its_own_receipts(city: City) -> None:
    begun = datetime.now(UTC)
    async with a_source(city.stage, city.history, SOURCE) as deaf:
        _delete(city)
        try:
            sent = [await deaf.send(report_body(description=f"没有回执 {number}")) for number in range(5)]
            await eventually(lambda: _alarm(city, 1), "the alarm is up", seconds=60)
            async with a_load(city.stage, city.history) as load:
                cases = await load.play(8)
            assert await _alarm(city, 1)
            assert await city.fetch("SELECT id FROM intake.outbox WHERE topic = $1", TOPIC)
        finally:
            await asyncio.to_thread(provision_broker, city.stage.home, city.stage.settings)
            city.history.fault("topic_is_back", topic=TOPIC)
    async with a_source(city.stage, city.history, SOURCE, since=begun) as hearing:
        answers = [await hearing.answer(id_) for id_ in sent]
    assert [answer.outcome for answer in answers] == ["accepted"] * 5
    await eventually(lambda: _alarm(city, 0), "the alarm is down again")
    await city.wait_until_quiet()
    await assert_essentials(city, cases)


def _delete(city: City) -> None:
    admin = AdminClient(city.administration.client_settings())
    admin.delete_topics([TOPIC])[TOPIC].result(30)
    city.history.fault("topic_deleted", topic=TOPIC)


async def _alarm(city: City, wanted: int) -> bool:
    return await city.metric(WORKER, "joint_relay_topic_set_aside", topic=TOPIC) == wanted
