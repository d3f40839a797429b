"""The invariants that must hold when everybody has come to rest, counted anew from tables and topics."""

import hashlib
from collections import Counter, defaultdict
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import msgspec

from shared.contracts.common import Answer, Receipt
from tests.reliability.simulator import domain
from tests.reliability.simulator.domain import from_outside
from tests.reliability.simulator.processes import READS
from tests.reliability.simulator.watch import OWNERS, Broken

if TYPE_CHECKING:
    from tests.reliability.simulator.world import World

_STATES: Final = {domain.ASKS: "asks", domain.HUBS: "hubs", domain.TASKS: "tasks"}
_AGGREGATES: Final = {domain.ASKS: "ask", domain.HUBS: "hub", domain.TASKS: "task"}

Streams = dict[UUID, list[dict[str, Any]]]


def check(world: "World") -> None:
    """Check a world that has come to rest.

    Raises:
        Broken: with the first invariant that does not hold.
    """
    streams = {topic: _streams(world, topic) for topic in OWNERS}
    marks = {topic: {s: [_said(row)["mark"] for row in rows] for s, rows in streams[topic].items()} for topic in OWNERS}
    _nothing_waits(world)
    for topic in OWNERS:
        _history(world, topic, streams[topic])
        _topic(world, topic, streams[topic])
    _positions(world, streams)
    _effects(world, marks)
    _requests(world, marks)
    _wakes(world, streams[domain.TASKS])
    _serials(streams[domain.TASKS])


def _require(holds: bool, invariant: str, text: str) -> None:
    if not holds:
        raise Broken(invariant, text)


def _streams(world: "World", topic: str) -> Streams:
    found: Streams = defaultdict(list)
    for row in world.databases[OWNERS[topic]].store.rows("events"):
        if row["aggregate"] == _AGGREGATES[topic]:
            found[row["stream"]].append(row)
    return {stream: sorted(rows, key=lambda row: row["sequence"]) for stream, rows in found.items()}


def _said(row: dict[str, Any]) -> dict[str, Any]:
    return msgspec.json.decode(row["data"], type=dict[str, Any])


def _nothing_waits(world: "World") -> None:
    """I-1, I-7, I-8, I-19: everything was sent, taken and handled; nobody holds what is not at fault."""
    for name, database in world.databases.items():
        left = [(row["id"], row["topic"]) for row in database.store.rows("outbox")]
        _require(not left, "I-1", f"the outbox of {name} keeps {left}")
        held = [
            (row["consumer"], row["topic"], row["sequence"], row["reason"], row["waits_for"])
            for row in database.store.rows("held")
        ]
        _require(not held, "I-7", f"{name} still holds {held}")
    _require(world.broker.lag() == 0, "I-3", f"{world.broker.lag()} records were never taken")
    for row in world.skipped:
        _require(row["topic"] in domain.RECEIPTS, "I-8", f"{row['topic']} {row['sequence']} was held: {row['reason']}")


def _history(world: "World", topic: str, streams: Streams) -> None:
    """I-4, I-9, I-17: 1..n, the state is the fold, the hashes chain."""
    states: Counter[UUID] = Counter()
    for row in world.databases[OWNERS[topic]].store.rows(_STATES[topic]):
        states[row["stream"]] += 1
        events = streams.get(row["stream"], [])
        folded = [_said(event)["mark"] for event in events]
        kept = list(msgspec.json.decode(row["state"], type=domain.Memory).marks)
        _require(kept == folded, "I-9", f"the state of {row['stream']} is {kept}, its events fold to {folded}")
        _require(row["sequence"] == len(events), "I-9", f"{row['stream']} stands at {row['sequence']}")
        _require(row["head"] == events[-1]["hash"], "I-17", f"{row['stream']} has another head")
    _require(set(states) == set(streams) and max(states.values(), default=1) == 1, "I-9", f"states {dict(states)}")
    for stream, events in streams.items():
        numbers = [event["sequence"] for event in events]
        _require(numbers == list(range(1, len(events) + 1)), "I-4", f"{topic}/{stream} has the events {numbers}")
        before, then = bytes(32), None
        for event in events:
            _require(event["hash"] == _hash(before, event), "I-17", f"event {event['sequence']} of {stream}")
            _require(then is None or then <= event["occurred_at"], "I-18", f"{stream} goes back in time")
            before, then = event["hash"], event["occurred_at"]


def _hash(before: bytes, event: dict[str, Any]) -> bytes:
    place = event["event"].bytes + event["stream"].bytes + event["sequence"].to_bytes(8, "big")
    envelope = f"{event['type']}\x1f{event['occurred_at'].isoformat()}\x1f".encode()
    return hashlib.sha256(before + place + envelope + event["data"]).digest()


def _serials(tasks: Streams) -> None:
    """A stream that begins has a serial, and no two have the same."""
    given = Counter(_said(rows[0])["serial"] for rows in tasks.values())
    twice = {serial: number for serial, number in given.items() if serial is None or number > 1}
    _require(not twice, "serial", f"given more than once, or not at all: {twice}")


def _topic(world: "World", topic: str, streams: Streams) -> None:
    """I-1, I-4, I-17: every event is on its topic, first copies in order, with its predecessor's hash."""
    first: dict[str, list[int]] = defaultdict(list)
    previous: dict[tuple[str, int], bytes | None] = {}
    for place in world.broker.places((topic,)):
        for record in world.broker.logs.get(place, []):
            headers, stream = dict(record.headers), (record.key or b"").decode()
            sequence = int(headers["ce_sequence"] or b"0")
            if sequence not in first[stream]:
                first[stream].append(sequence)
            previous[stream, sequence] = headers.get("ce_previoushash")
    for stream_id, events in streams.items():
        stream = str(stream_id)
        _require(first[stream] == list(range(1, len(events) + 1)), "I-4", f"{topic} has of {stream} {first[stream]}")
        for before, event in pairwise(events):
            said = previous[stream, event["sequence"]]
            _require(said == before["hash"].hex().encode(), "I-17", f"{topic} {stream} {event['sequence']}")


def _positions(world: "World", streams: dict[str, Streams]) -> None:
    """I-6: every consumer stands at the end of every stream that it reads."""
    for consumer, topics in READS.items():
        kept = Counter(
            (row["topic"], row["stream"], row["sequence"])
            for row in world.databases[consumer.split(".", maxsplit=1)[0]].store.rows("positions")
            if row["consumer"] == consumer and row["topic"] in OWNERS
        )
        wanted = Counter((t, s, len(rows)) for t in topics if t in OWNERS for s, rows in streams[t].items())
        _require(kept == wanted, "I-6", f"{consumer} stands at {dict(kept)}, not at {dict(wanted)}")


def _effects(world: "World", marks: dict[str, dict[UUID, list[str]]]) -> None:
    """I-6, I-7: each event of a stream has its effect once, in order."""
    asked, done, hub = marks[domain.ASKS], marks[domain.TASKS], marks[domain.HUBS].get(domain.HUB, [])
    for stream, said in asked.items():
        causes = [f"{domain.ASKS}/{stream}#{n}" for n, mark in enumerate(said, 1) if from_outside(mark)]
        _same(done.get(stream, []), causes, f"{domain.ASKS}/{stream}#")
        _same(hub, causes, f"{domain.ASKS}/{stream}#")
    for stream, said in done.items():
        causes = [f"{domain.TASKS}/{stream}#{n}" for n in range(1, len(said) + 1)]
        _same(asked.get(stream, []), causes, f"{domain.TASKS}/{stream}#")


def _same(marks: list[str], wanted: list[str], prefix: str) -> None:
    found = [mark for mark in marks if mark.startswith(prefix)]
    _require(found == wanted, "I-6", f"the effects are {found}, not {wanted}")


def _requests(world: "World", marks: dict[str, dict[UUID, list[str]]]) -> None:
    """I-1, I-2, I-3: each request one effect and one answer, each letter a receipt, a reused key nothing."""
    effects = Counter(_key(mark) for streams in marks.values() for said in streams.values() for mark in said)
    answers = _answers(world)
    letters: dict[tuple[str, str], set[str]] = defaultdict(set)
    for topic, letter in world.letters:
        letters[topic, letter.key].add(letter.mark)
    for (topic, key), bodies in letters.items():
        heard = len(answers[topic, key])
        _require(heard >= len(bodies), "I-3", f"{topic} {key}: {len(bodies)} letters, {heard} receipts")
    for (door, key), said in answers.items():
        for each in said.values():
            alike = {msgspec.json.encode(answer) for answer in each}
            _require(len(alike) == 1, "I-2", f"{door} {key} was answered in {len(alike)} ways: {each}")
        accepted = sum(each[0].outcome == "accepted" for each in said.values())
        _require(accepted <= 1, "I-2", f"{door} {key} was accepted for two bodies")
        _require(effects[key] == accepted, "I-2", f"{door} {key}: accepted {accepted}, effects {effects[key]}")
        codes = {each[0].code for each in said.values()} - {None}
        _require(codes <= {"key_reused", "told", "given_up"}, "I-2", f"{door} {key} was refused: {codes}")
    twice = [key for key, number in effects.items() if key and number > 1]
    _require(not twice, "I-2", f"more than one effect: {twice}")


def _key(mark: str) -> str:
    return mark.split(":")[1] if from_outside(mark) else ""


def _answers(world: "World") -> dict[tuple[str, str], dict[Any, list[Answer]]]:
    """Return what was answered to each (door, key), by body: a receipt's id is the same for the same body."""
    found: dict[tuple[str, str], dict[Any, list[Answer]]] = defaultdict(lambda: defaultdict(list))
    for (door, key, mark), said in world.answers.items():
        found[door, key][mark] += said
    for topic, receipts in domain.RECEIPTS.items():
        for record in world.broker.logs.get((receipts, 0), []):
            receipt = msgspec.json.decode(record.value or b"", type=Receipt)
            found[topic, receipt.request or ""][dict(record.headers)["ce_id"]].append(receipt.answer)
    return found


def _wakes(world: "World", tasks: Streams) -> None:
    """Each wake fires once, after it was due, and never where an act was in time; none is left or missing."""
    for row in world.databases["dispatch"].store.rows("wakes"):
        raise Broken("wakes", f"the wake of {row['stream']} is left: due at {row['due_at']}")
    for stream, events in tasks.items():
        said = [msgspec.json.decode(event["data"], type=domain.Marked) for event in events]
        due = said[0].at + domain.TIME_TO_ACT
        in_time = any(from_outside(each.mark) and each.at <= due for each in said[1:])
        fired = [each for each in said if each.mark.startswith("expired:")]
        _require(len(fired) == (not in_time), "wakes", f"{stream}: in time {in_time}, fired {len(fired)} times")
        _require(all(each.at >= due for each in fired), "wakes", f"{stream}: fired too early")
