"""The registry: partitions, rights and types of every topic."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.registry import (
    MESSAGES,
    PARTITIONS,
    Topic,
    partition_for,
    topic_named,
    topics,
)

ALL = topics(("grid-platform",), ("fire-rescue",))


def test_one_topic_has_one_writer_and_messages_that_are_known() -> None:
    assert len({topic.name for topic in ALL}) == len(ALL)
    assert all(set(topic.messages) <= MESSAGES.keys() and topic.messages for topic in ALL)


def test_every_type_is_on_a_topic() -> None:
    assert {name for topic in ALL for name in topic.messages} == MESSAGES.keys()


def test_topics_of_outside_parties_have_one_partition_broker_time_and_seven_days() -> None:
    parties = [topic for topic in ALL if topic.name.endswith((".grid-platform", ".fire-rescue"))]
    assert len(parties) == 4
    for topic in parties:
        assert (topic.partitions, topic.append_time, topic.retention_seconds) == (1, True, 604_800)


def test_topics_of_ours_are_kept_for_ever() -> None:
    ours = {"intake.reports", "intake.merges", "dispatch.cases", "dispatch.merges", "dispatch.reference"}
    kept = [topic for topic in ALL if topic.name in ours]
    assert [(topic.partitions, topic.retention_seconds) for topic in kept] == [(PARTITIONS, None)] * 5


@pytest.mark.parametrize(
    "service,asked,events",
    [("dispatch", "dispatch.merges", "dispatch.cases"), ("intake", "intake.merges", "intake.reports")],
)
def test_what_aggregates_ask_of_each_other_is_their_service_s_alone_and_it_reads_no_events_of_its_own(
    service: str, asked: str, events: str
) -> None:
    assert (topic_named(asked).writer, topic_named(asked).readers) == (service, (service, "auditor"))
    assert service not in topic_named(events).readers


@pytest.mark.parametrize("topic", ALL, ids=lambda topic: str(topic.name))
def test_a_topic_is_found_by_its_name(topic: Topic) -> None:
    assert topic_named(topic.name) == topic


def test_an_unknown_topic_is_an_error() -> None:
    with pytest.raises(KeyError):
        topic_named("somebody.else")


@given(st.binary(max_size=60), st.integers(1, 100))
def test_a_key_has_one_partition_which_other_clients_can_compute(key: bytes, partitions: int) -> None:
    assert partition_for(key, partitions) == zlib.crc32(key) % partitions
