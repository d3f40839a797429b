"""Topics, users and rights on a broker, made from the registry; a second run changes nothing.

A principal may do what the registry says and nothing else: the broker denies by default. Adding a
party is running this again with that party named.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

# The package `admin` offers these names without declaring them, so type checkers see only their modules.
from confluent_kafka.admin._acl import AclBinding, AclBindingFilter, AclOperation, AclPermissionType
from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource
from confluent_kafka.admin._resource import ResourcePatternType, ResourceType
from confluent_kafka.admin._scram import (
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialAlteration,
    UserScramCredentialUpsertion,
)
from confluent_kafka.cimpl import NewTopic

from shared.contracts.envelope import MAXIMUM_BYTES
from shared.contracts.registry import Topic
from shared.kernel.errors import Unavailable
from shared.messaging.access import KafkaAccess

_SCRAM_ITERATIONS: Final = 4096
_REQUEST_SECONDS: Final = 15.0
_PROPAGATION_SECONDS: Final = 10.0
_POLL_SECONDS: Final = 0.05
_FOREVER: Final = "-1"
# An event is what was read (at most MAXIMUM_BYTES) and its envelope: the relay must never have one that does not go
# through, and a party's record that is somewhat too large is better refused with a receipt than not taken at all.
_LARGEST_BATCH: Final = str(2 * MAXIMUM_BYTES)
_FORGET_WITHIN_MS: Final = str(60 * 60 * 1000)
_TOMBSTONE_MS: Final = str(30 * 24 * 60 * 60 * 1000)


class MismatchedTopic(Exception):
    """A topic exists with another number of partitions; keys would move, so nothing was changed."""


@dataclass(frozen=True, kw_only=True)
class Provisioned:
    """What one run changed. `users` are written at every run: a password cannot be read back."""

    topics_created: tuple[str, ...]
    topics_changed: tuple[str, ...]
    users: tuple[str, ...]
    rights_granted: int
    rights_withdrawn: int


def provision(
    access: KafkaAccess, topics: Sequence[Topic], passwords: Mapping[str, str], *, exact: bool = False
) -> Provisioned:
    """Make topics, users and rights what `topics` say.

    Users are the writers and readers of the topics, with their `passwords`. On a broker without
    authentication only topics are made. With `exact`, rights that `topics` do not imply are
    withdrawn: then `topics` must name every party of the city.

    Raises:
        MismatchedTopic: if a topic exists with another number of partitions.
        KeyError: if a principal has no password.
        Unavailable: if the broker does not answer or refuses.
    """
    admin = AdminClient(access.client_settings())
    created, changed = _provision_topics(admin, topics)
    if access.username is None:
        return Provisioned(
            topics_created=created, topics_changed=changed, users=(), rights_granted=0, rights_withdrawn=0
        )
    users = principals(topics)
    _write_users(admin, {user: passwords[user] for user in users})
    granted, withdrawn = _provision_rights(admin, rights(topics), exact=exact)
    return Provisioned(
        topics_created=created,
        topics_changed=changed,
        users=users,
        rights_granted=granted,
        rights_withdrawn=withdrawn,
    )


def create_topics(access: KafkaAccess, topics: Sequence[Topic]) -> tuple[str, ...]:
    """Make the topics that do not exist and return their names, when every partition has a leader."""
    created, _ = _provision_topics(AdminClient(access.client_settings()), topics)
    return created


def principals(topics: Iterable[Topic]) -> tuple[str, ...]:
    """Return everyone who writes or reads one of the topics."""
    return tuple(sorted({user for topic in topics for user in (topic.writer, *topic.readers)}))


def rights(topics: Iterable[Topic]) -> frozenset[AclBinding]:
    """Return what the broker must allow: write, read, and each reader's own consumer groups.

    A right to read or write includes the right to describe.
    """
    granted: set[AclBinding] = set()
    for topic in topics:
        granted.add(_topic_right(topic.writer, topic.name, AclOperation.WRITE))
        granted.update(_topic_right(reader, topic.name, AclOperation.READ) for reader in topic.readers)
        granted.update(_group_right(reader) for reader in topic.readers)
    return frozenset(granted)


def topic_settings(topic: Topic) -> dict[str, str]:
    """Return the broker's settings of a topic."""
    retention = _FOREVER if topic.retention_seconds is None else str(topic.retention_seconds * 1000)
    settings = {
        "cleanup.policy": "compact" if topic.compacted else "delete",
        "retention.ms": retention,
        "retention.bytes": _FOREVER,
        "max.message.bytes": _LARGEST_BATCH,
        "message.timestamp.type": "LogAppendTime" if topic.append_time else "CreateTime",
    }
    if topic.compacted:
        # What a tombstone forgets is gone from the disk soon, while a reader that was away for
        # weeks still finds the tombstone.
        settings["max.compaction.lag.ms"] = _FORGET_WITHIN_MS
        settings["delete.retention.ms"] = _TOMBSTONE_MS
    return settings


def _topic_right(user: str, topic: str, operation: AclOperation) -> AclBinding:
    return _right(user, ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, operation)


def _group_right(user: str) -> AclBinding:
    return _right(user, ResourceType.GROUP, f"{user}.", ResourcePatternType.PREFIXED, AclOperation.READ)


def _right(
    user: str, kind: ResourceType, name: str, pattern: ResourcePatternType, operation: AclOperation
) -> AclBinding:
    return AclBinding(kind, name, pattern, f"User:{user}", "*", operation, AclPermissionType.ALLOW)


def _provision_topics(admin: AdminClient, topics: Sequence[Topic]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the names of the topics that were created, and of those whose settings were changed."""
    existing = _partitions(admin)
    for topic in topics:
        count = existing.get(topic.name, topic.partitions)
        if count != topic.partitions:
            raise MismatchedTopic(
                f"Topic {topic.name} has {count} partitions, the registry says {topic.partitions}. "
                "Partitions are for life: make a topic with a new name and fill it with `joint republish`."
            )
    missing = [topic for topic in topics if topic.name not in existing]
    _create(admin, missing)
    present = [topic for topic in topics if topic.name in existing]
    return tuple(topic.name for topic in missing), _change_settings(admin, present)


def _create(admin: AdminClient, topics: Sequence[Topic]) -> None:
    if not topics:
        return
    # -1: as many copies as the broker's own default says.
    wanted = [NewTopic(topic.name, topic.partitions, -1, config=topic_settings(topic)) for topic in topics]
    _wait(admin.create_topics(wanted, request_timeout=_REQUEST_SECONDS))
    names = {topic.name for topic in topics}
    deadline = time.monotonic() + _PROPAGATION_SECONDS
    while not names <= _partitions(admin).keys():
        if time.monotonic() > deadline:
            raise Unavailable(f"New topics have no leader after {_PROPAGATION_SECONDS:.0f} s: {sorted(names)}")
        time.sleep(_POLL_SECONDS)


def _partitions(admin: AdminClient) -> dict[str, int]:
    """Return the number of partitions of every topic of which all have a leader."""
    try:
        metadata = admin.list_topics(timeout=_REQUEST_SECONDS)
    except KafkaException as error:
        raise Unavailable(f"Kafka did not list its topics: {error}") from error
    return {
        name: len(topic.partitions)
        for name, topic in metadata.topics.items()
        if topic.partitions and all(partition.leader >= 0 for partition in topic.partitions.values())
    }


def _change_settings(admin: AdminClient, topics: Sequence[Topic]) -> tuple[str, ...]:
    if not topics:
        return ()
    resources = [ConfigResource(ConfigResource.Type.TOPIC, topic.name) for topic in topics]
    found = _wait(admin.describe_configs(resources, request_timeout=_REQUEST_SECONDS))
    current = {resource.name: entries for resource, entries in found.items()}
    changes = {}
    for topic in topics:
        wanted = topic_settings(topic).items()
        different = {name: value for name, value in wanted if current[topic.name][name].value != value}
        if different:
            changes[topic.name] = different
    if changes:
        _wait(admin.incremental_alter_configs([_alteration(*change) for change in changes.items()]))
    return tuple(changes)


def _alteration(topic: str, settings: Mapping[str, str]) -> ConfigResource:
    entries = [
        ConfigEntry(name, value, incremental_operation=AlterConfigOpType.SET) for name, value in settings.items()
    ]
    return ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=entries)


def _write_users(admin: AdminClient, passwords: Mapping[str, str]) -> None:
    info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, _SCRAM_ITERATIONS)
    alterations: list[UserScramCredentialAlteration] = [
        UserScramCredentialUpsertion(user, info, password.encode()) for user, password in passwords.items()
    ]
    if alterations:
        _wait(admin.alter_user_scram_credentials(alterations, request_timeout=_REQUEST_SECONDS))


def _provision_rights(admin: AdminClient, wanted: frozenset[AclBinding], *, exact: bool) -> tuple[int, int]:
    """Return how many rights were granted and how many withdrawn; both are in force then."""
    current = _current_rights(admin)
    missing, surplus = wanted - current, (current - wanted) if exact else frozenset()
    if missing:
        _wait(admin.create_acls(list(missing), request_timeout=_REQUEST_SECONDS))
    if surplus:
        filters = [AclBindingFilter(*binding._to_tuple()) for binding in surplus]  # noqa: SLF001 - no public copy
        _wait(admin.delete_acls(filters, request_timeout=_REQUEST_SECONDS))
    # The controller has them; a broker follows a moment later, the users written before included.
    deadline = time.monotonic() + _PROPAGATION_SECONDS
    while missing or surplus:
        current = _current_rights(admin)
        if missing <= current and not surplus & current:
            break
        if time.monotonic() > deadline:
            raise Unavailable(f"New rights are not in force after {_PROPAGATION_SECONDS:.0f} s.")
        time.sleep(_POLL_SECONDS)
    return len(missing), len(surplus)


def _current_rights(admin: AdminClient) -> frozenset[AclBinding]:
    everything = AclBindingFilter(
        ResourceType.ANY,
        None,  # type: ignore[arg-type]  # the library's own "any name"
        ResourcePatternType.ANY,
        None,  # type: ignore[arg-type]
        None,  # type: ignore[arg-type]
        AclOperation.ANY,
        AclPermissionType.ANY,
    )
    found = _wait({"rights": admin.describe_acls(everything, request_timeout=_REQUEST_SECONDS)})
    return frozenset(found["rights"])


def _wait(futures: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return every result by its key, or raise Unavailable with the first failure."""
    results = {}
    for key, future in futures.items():
        try:
            results[key] = future.result()
        except KafkaException as error:
            raise Unavailable(f"Kafka refused {key}: {error}") from error
    return results
