"""Provisioning on a real broker: what it makes, that it can run again, and that a right not given is refused."""

import secrets
from dataclasses import replace

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from shared.contracts.envelope import MAXIMUM_BYTES
from shared.contracts.registry import Topic, department_principal, source_principal, topics
from shared.messaging.access import KafkaAccess, wait_until_ready
from shared.messaging.provisioning import MismatchedTopic, create_topics, provision, rights, topic_settings
from tests.support.servers import Broker, embedded_broker, plain_topic, unique_name

SECONDS = 15.0
SOURCE = "water-hotline"
DEPARTMENT = "fire"
OTHER_SOURCE = "grid-office"
OTHER_DEPARTMENT = "urban-management"


@pytest.fixture(scope="module")
def city(secured_broker: Broker) -> Broker:
    """Return a broker with the topics, users and rights of a city with two sources and two departments."""
    secured_broker.provision(_city_topics())
    return secured_broker


def _city_topics() -> tuple[Topic, ...]:
    return topics([SOURCE, OTHER_SOURCE], [DEPARTMENT, OTHER_DEPARTMENT])


def test_a_second_run_changes_nothing(city: Broker) -> None:
    again = provision(city.access, _city_topics(), city.passwords)
    assert again.topics_created == ()
    assert again.topics_changed == ()
    assert again.rights_granted == 0
    assert again.rights_withdrawn == 0


def test_a_party_added_later_gets_its_topics_user_and_rights(city: Broker) -> None:
    late = topics([SOURCE, OTHER_SOURCE, "late-comer"], [DEPARTMENT, OTHER_DEPARTMENT])
    city.provision(late)
    assert _publish(city.access_of("source.late-comer"), "intake.submissions.late-comer") is None


def test_topics_have_the_partitions_and_settings_of_the_registry(city: Broker) -> None:
    admin = AdminClient(city.access.client_settings())
    found = admin.list_topics(timeout=SECONDS).topics
    for topic in _city_topics():
        assert len(found[topic.name].partitions) == topic.partitions
    assert provision(city.access, _city_topics(), city.passwords).topics_changed == ()


def test_a_setting_that_somebody_changed_is_set_back(city: Broker) -> None:
    topic = plain_topic(unique_name("kept"))
    create_topics(city.access, [replace(topic, retention_seconds=60)])
    changed = provision(city.access, [topic], {"nobody": secrets.token_urlsafe()}).topics_changed
    assert changed == (topic.name,)


def test_another_number_of_partitions_is_refused_and_nothing_is_changed(city: Broker) -> None:
    topic = plain_topic(unique_name("partitioned"), partitions=2)
    create_topics(city.access, [topic])
    missing = plain_topic(unique_name("not-made"))
    with pytest.raises(MismatchedTopic, match=r"has 2 partitions, the registry says 3"):
        create_topics(city.access, [missing, replace(topic, partitions=3)])
    assert missing.name not in AdminClient(city.access.client_settings()).list_topics(timeout=SECONDS).topics


def test_a_compacted_topic_forgets_within_an_hour_and_keeps_its_tombstones_for_a_month() -> None:
    settings = topic_settings(plain_topic("contents", compacted=True))
    assert settings["cleanup.policy"] == "compact"
    assert settings["max.compaction.lag.ms"] == "3600000"
    assert settings["delete.retention.ms"] == "2592000000"


def test_the_largest_event_that_can_be_written_can_be_published_whatever_the_brokers_default() -> None:
    largest, envelope = MAXIMUM_BYTES, 20 * 1024
    assert int(topic_settings(plain_topic("events"))["max.message.bytes"]) > largest + envelope


def test_exact_provisioning_withdraws_what_the_registry_no_longer_says() -> None:
    with embedded_broker() as broker:
        broker.provision(_city_topics())
        assert _publish(broker.access_of(source_principal(OTHER_SOURCE)), f"intake.submissions.{OTHER_SOURCE}") is None

        fewer = topics([SOURCE], [DEPARTMENT, OTHER_DEPARTMENT])
        done = provision(broker.access, fewer, broker.passwords, exact=True)

        assert done.rights_withdrawn == len(rights(_city_topics()) - rights(fewer))
        refused = _publish(broker.access_of(source_principal(OTHER_SOURCE)), f"intake.submissions.{OTHER_SOURCE}")
        assert refused == KafkaError.TOPIC_AUTHORIZATION_FAILED


@pytest.mark.parametrize("topic", _city_topics(), ids=lambda topic: topic.name)
def test_the_writer_of_a_topic_may_publish_on_it(city: Broker, topic: Topic) -> None:
    assert _publish(city.access_of(topic.writer), topic.name) is None


@pytest.mark.parametrize(
    "principal,topic",
    [
        ("intake", "dispatch.cases"),
        ("intake", "dispatch.merges"),
        ("intake", f"intake.submissions.{SOURCE}"),
        ("intake", "dispatch.dead-letters"),
        ("dispatch", "intake.reports"),
        ("dispatch", "intake.contents"),
        ("dispatch", "intake.merges"),
        ("dispatch", f"dispatch.actions.{DEPARTMENT}"),
        ("analytics", "intake.reports"),
        ("analytics", "dispatch.cases"),
        ("analytics", "dispatch.merges"),
        ("analytics", "dispatch.reference"),
        ("auditor", "intake.reports"),
        ("auditor", "dispatch.seals"),
        (source_principal(SOURCE), "intake.reports"),
        (source_principal(SOURCE), f"intake.submissions.{OTHER_SOURCE}"),
        (source_principal(SOURCE), f"intake.receipts.{SOURCE}"),
        (department_principal(DEPARTMENT), "dispatch.cases"),
        (department_principal(DEPARTMENT), f"dispatch.actions.{OTHER_DEPARTMENT}"),
        (department_principal(DEPARTMENT), f"dispatch.receipts.{DEPARTMENT}"),
        (department_principal(DEPARTMENT), f"intake.submissions.{SOURCE}"),
    ],
)
def test_a_forbidden_publish_is_refused(city: Broker, principal: str, topic: str) -> None:
    assert _publish(city.access_of(principal), topic) == KafkaError.TOPIC_AUTHORIZATION_FAILED


@pytest.mark.parametrize(
    "principal,topic",
    [
        ("analytics", "intake.contents"),
        ("analytics", "dispatch.merges"),
        ("analytics", "intake.merges"),
        ("intake", "dispatch.merges"),
        ("intake", "intake.reports"),
        ("dispatch", "intake.merges"),
        ("dispatch", "dispatch.cases"),
        (source_principal(SOURCE), f"intake.receipts.{OTHER_SOURCE}"),
        (source_principal(SOURCE), f"intake.submissions.{SOURCE}"),
        (department_principal(DEPARTMENT), f"dispatch.receipts.{OTHER_DEPARTMENT}"),
        (department_principal(DEPARTMENT), "dispatch.cases"),
    ],
)
def test_a_forbidden_read_is_refused(city: Broker, principal: str, topic: str) -> None:
    assert _read(city.access_of(principal), topic, f"{principal}.reader") == KafkaError.TOPIC_AUTHORIZATION_FAILED


def test_a_party_reads_its_receipts_in_a_group_of_its_own(city: Broker) -> None:
    principal, topic = source_principal(SOURCE), f"intake.receipts.{SOURCE}"
    assert _publish(city.access_of("intake"), topic) is None
    assert _read(city.access_of(principal), topic, f"{principal}.console") is None


def test_a_group_of_somebody_else_is_refused(city: Broker) -> None:
    principal, topic = source_principal(SOURCE), f"intake.receipts.{SOURCE}"
    assert _read(city.access_of(principal), topic, "intake.reports") == KafkaError.GROUP_AUTHORIZATION_FAILED


def test_a_principal_cannot_make_topics(city: Broker) -> None:
    admin = AdminClient(city.access_of("intake").client_settings())
    made = admin.create_topics([NewTopic(unique_name("intake.own"), 1, 1)])
    with pytest.raises(KafkaException) as refused:
        next(iter(made.values())).result()
    assert refused.value.args[0].code() == KafkaError.TOPIC_AUTHORIZATION_FAILED


def test_a_wrong_password_is_not_let_in(city: Broker) -> None:
    wrong = replace(city.access, password="wrong")
    with pytest.raises(Exception, match="did not answer"):
        wait_until_ready(wrong, seconds=1.0)


def test_an_access_never_shows_its_password() -> None:
    assert "secret-word" not in repr(KafkaAccess(bootstrap="x:1", username="u", password="secret-word"))


def _publish(access: KafkaAccess, topic: str) -> int | None:
    """Publish a record; return the code of the refusal, or None when the broker has it."""
    outcome: list[int | None] = []
    producer = Producer(access.client_settings() | {"message.timeout.ms": int(SECONDS * 1000), "log_level": 0})
    producer.produce(
        topic,
        key=b"k",
        value=b"v",
        on_delivery=lambda error, _: outcome.append(error.code() if error else None),
    )
    assert producer.flush(SECONDS) == 0
    return outcome[0]


def _read(access: KafkaAccess, topic: str, group: str) -> int | None:
    """Read a record and commit in the group; return the code of the refusal, or None when both went well."""
    settings = access.client_settings() | {
        "group.id": group,
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
        "log_level": 0,
    }
    consumer = Consumer(settings)
    try:
        consumer.subscribe([topic])
        message = consumer.poll(SECONDS)
        assert message is not None
        failure = message.error()
        if failure is not None:
            return int(failure.code())
        consumer.commit(message=message, asynchronous=False)
    except KafkaException as error:
        return int(error.args[0].code())
    else:
        return None
    finally:
        consumer.close()
