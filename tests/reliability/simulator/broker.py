"""A broker in memory: topics with partitions, groups with generations, at least once.

An acknowledgement commits the member's current positions of its current assignment, whatever it has handled; it may be
lost. A batch may be appended and its acknowledgement lost, or be refused, or arrive long after its sender gave up.
"""

from collections.abc import Callable, Sequence

from shared.contracts.records import Record
from shared.contracts.registry import partition_for
from tests.reliability.simulator.store import Clock

Place = tuple[str, int]
Message = tuple[bytes | None, tuple[tuple[str, bytes | None], ...], bytes | None]


class BrokerAway(Exception):
    """The broker does not answer, or nobody knows what it did."""


class Member:
    """A consumer in a group: the positions of what it was given. A zombie finds out at its next poll."""

    def __init__(self, group: "Group") -> None:
        self.group = group
        self.positions: dict[Place, int] = {}
        self.evicted = False


class Group:
    """Who reads which partitions, and what was committed."""

    def __init__(self, broker: "Broker", topics: Sequence[str]) -> None:
        self._broker = broker
        self.topics = tuple(topics)
        self.members: list[Member] = []
        self.committed: dict[Place, int] = {}
        self.generation = 0

    def join(self) -> Member:
        member = Member(self)
        self.members.append(member)
        self.rebalance()
        return member

    def leave(self, member: Member) -> None:
        member.evicted = True
        self._broker.version += 1
        if member in self.members:
            self.members.remove(member)
            self.rebalance()

    def rebalance(self) -> None:
        """Give out all partitions anew; everybody goes on where the group has committed."""
        self.generation += 1
        self._broker.version += 1
        for member in self.members:
            member.positions = {}
        for number, place in enumerate(self._broker.places(self.topics)):
            if self.members:
                member = self.members[(number + self.generation) % len(self.members)]
                member.positions[place] = self.committed.get(place, 0)


class Broker:
    """All topics; `watch` sees each record that is appended."""

    def __init__(self, clock: Clock, watch: Callable[[Record], None], partitions: dict[str, int]) -> None:
        self.clock = clock
        self.version = 0
        self._away = False
        self.logs: dict[Place, list[Record]] = {}
        self.groups: dict[str, Group] = {}
        self._watch = watch
        self._partitions = partitions

    @property
    def away(self) -> bool:
        return self._away

    @away.setter
    def away(self, away: bool) -> None:
        self._away = away
        self.version += 1

    def places(self, topics: Sequence[str]) -> list[Place]:
        return [(topic, number) for topic in topics for number in range(self._partitions.get(topic, 1))]

    def group(self, name: str, topics: Sequence[str]) -> Group:
        for place in self.places(topics):
            self.logs.setdefault(place, [])
        return self.groups.setdefault(name, Group(self, topics))

    def partition(self, topic: str, key: bytes | None) -> int:
        return partition_for(key or b"", self._partitions.get(topic, 1))

    def append(self, topic: str, messages: Sequence[Message]) -> None:
        """Append messages of one partition.

        Raises:
            BrokerAway: when it is away.
        """
        if self.away:
            raise BrokerAway(topic)
        self.version += 1
        for key, headers, value in messages:
            number = self.partition(topic, key)
            log = self.logs.setdefault((topic, number), [])
            record = Record(
                topic=topic,
                partition=number,
                offset=len(log),
                timestamp=self.clock.broker,
                key=key,
                headers=headers,
                value=value,
            )
            log.append(record)
            self._watch(record)

    def waiting(self, member: Member) -> bool:
        """Say whether a poll would return something, or change something."""
        if self.away:
            return False
        return member.evicted or any(at < len(self.logs[place]) for place, at in member.positions.items())

    def poll(self, member: Member, limit: int, *, backwards: bool) -> list[Record]:
        """Return what comes next, at most `limit` records; a member that was thrown out joins anew."""
        if member.evicted:
            member.evicted = False
            member.group.members.append(member)
            member.group.rebalance()
        found: list[Record] = []
        for place in sorted(member.positions, reverse=backwards):
            at = member.positions[place]
            part = self.logs[place][at : at + limit - len(found)]
            member.positions[place] = at + len(part)
            found += part
        return found

    def acknowledge(self, member: Member) -> None:
        """Commit the member's current positions; of what was taken from it nothing is said.

        Raises:
            BrokerAway: when it is away.
        """
        if self.away:
            raise BrokerAway("acknowledge")
        member.group.committed.update(member.positions)
        self.version += 1

    def put_back(self, member: Member, records: Sequence[Record]) -> None:
        """Let the member read these records again, as far as they are still its own."""
        self.version += 1
        for record in reversed(records):
            place = (record.topic, record.partition)
            if place in member.positions:
                member.positions[place] = min(member.positions[place], record.offset)

    def lag(self) -> int:
        """Return how many records no group has acknowledged yet."""
        return sum(
            len(self.logs[place]) - group.committed.get(place, 0)
            for group in self.groups.values()
            for place in self.places(group.topics)
        )
