"""Whether a city has anything left to do.

Nothing is to be sent, no wake is due, no clock rests on older documents than are in force, and no record waits that a
group has not acknowledged.
"""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import asyncpg
from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec  # type: ignore[attr-defined]

from deploy.embedded.credentials import SERVICES
from services.analytics import tables as analytics
from services.analytics.consumers.projection import TOPICS
from services.dispatch import queries as dispatch
from services.dispatch.app import ACTIONS, CONTENTS, MERGES
from services.intake import app as intake
from services.intake.queries import CASES_CONSUMER, REFERENCE_CONSUMER
from shared.contracts.registry import (
    ACTIONS_PREFIX,
    DISPATCH_CASES,
    DISPATCH_MERGES,
    DISPATCH_REFERENCE,
    INTAKE_CONTENTS,
    INTAKE_MERGES,
    INTAKE_REPORTS,
    SUBMISSIONS_PREFIX,
)
from shared.messaging.access import KafkaAccess

READS: Final[Mapping[str, str]] = {
    intake.SUBMISSIONS_CONSUMER: f"{re.escape(SUBMISSIONS_PREFIX)}.*",
    intake.MERGES: re.escape(INTAKE_MERGES),
    CASES_CONSUMER: re.escape(DISPATCH_CASES),
    REFERENCE_CONSUMER: re.escape(DISPATCH_REFERENCE),
    dispatch.EVENTS: re.escape(INTAKE_REPORTS),
    MERGES: re.escape(DISPATCH_MERGES),
    CONTENTS: re.escape(INTAKE_CONTENTS),
    ACTIONS: f"{re.escape(ACTIONS_PREFIX)}.*",
    dispatch.REFERENCE: re.escape(DISPATCH_REFERENCE),
    analytics.EVENTS: "|".join(map(re.escape, TOPICS)),
    analytics.REFERENCE: re.escape(DISPATCH_REFERENCE),
}
"""What each consumer group reads, as a pattern of whole topic names."""
_OLDER_CLOCKS: Final = {
    service: f"""{service}.{running} AND (
        calendar_version < (SELECT max(version) FROM dispatch.reference_versions WHERE kind = 'calendar')
        OR policy_version < (SELECT max(version) FROM dispatch.reference_versions WHERE kind = 'limit_policy'))"""
    for service, running in (("intake", "reports WHERE calendar_version IS NOT NULL"), ("dispatch", "cases WHERE open"))
}
_SECONDS: Final = 10.0

Place = tuple[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What was left to do at one moment, and where every topic ended then."""

    outbox: Mapping[str, int]
    due: Mapping[str, int]
    older_clocks: Mapping[str, int]
    lags: Mapping[str, int]
    ends: Mapping[Place, int]

    @property
    def nothing_left(self) -> bool:
        """Whether nothing waits; what is being handled just then is not seen."""
        return not (self.outbox or self.due or self.older_clocks or self.lags)


async def look(kafka: KafkaAccess, database_url: str) -> Snapshot:
    """Look once; the outboxes first, so that what was published meanwhile is seen as lag.

    Raises:
        KafkaException: when the broker does not answer.
        OSError, asyncpg.PostgresError: when the database does not.
    """
    # What older clocks lead to is in the outbox by the time when none is left.
    older_clocks = await _counted(database_url, _OLDER_CLOCKS)
    outbox = await _counted(database_url, _everywhere("outbox"))
    due = await _counted(database_url, _everywhere("wakes WHERE due_at <= clock_timestamp()"))
    lags, ends = await asyncio.to_thread(_lags, kafka)
    return Snapshot(outbox=outbox, due=due, older_clocks=older_clocks, lags=lags, ends=ends)


async def is_quiet(kafka: KafkaAccess, database_url: str) -> tuple[bool, str]:
    """Tell whether nothing is left to do and nothing moved between two looks; if not, what was seen last."""
    try:
        first = await look(kafka, database_url)
        second = await look(kafka, database_url) if first.nothing_left else first
    except (KafkaException, OSError, asyncpg.PostgresError) as error:
        return False, f"{type(error).__name__}: {error}"
    quiet = first.nothing_left and second.nothing_left and first.ends == second.ends
    waits = f"outbox {second.outbox}, wakes due {second.due}, older clocks {second.older_clocks}, lag {second.lags}"
    return quiet, waits


def _everywhere(rows: str) -> dict[str, str]:
    return {service: f"{service}.{rows}" for service in SERVICES}


async def _counted(database_url: str, rows: Mapping[str, str]) -> dict[str, int]:
    """Return how many of these rows each service has, where it has any."""
    connection = await asyncpg.connect(database_url)
    try:
        counts = {
            service: int(await connection.fetchval(f"SELECT count(*) FROM {which}")) for service, which in rows.items()
        }
    finally:
        await connection.close()
    return {service: count for service, count in counts.items() if count}


def _lags(kafka: KafkaAccess) -> tuple[dict[str, int], dict[Place, int]]:
    admin = AdminClient(kafka.client_settings() | {"log_level": 0})
    topics = admin.list_topics(timeout=_SECONDS).topics
    places = [TopicPartition(name, number) for name, topic in topics.items() for number in topic.partitions]
    latest = OffsetSpec.latest()  # type: ignore[no-untyped-call]
    asked = admin.list_offsets(dict.fromkeys(places, latest))
    ends = {(place.topic, place.partition): int(found.result(_SECONDS).offset) for place, found in asked.items()}
    lags = {}
    for group, pattern in READS.items():
        committed = _committed(admin, group)
        read = [place for place in ends if re.fullmatch(pattern, place[0])]
        lags[group] = sum(max(0, ends[place] - committed.get(place, 0)) for place in read)
    return {group: lag for group, lag in lags.items() if lag}, ends


def _committed(admin: AdminClient, group: str) -> dict[Place, int]:
    asked = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])
    found = asked[group].result(_SECONDS).topic_partitions or []
    return {(place.topic, place.partition): max(0, int(place.offset)) for place in found}
