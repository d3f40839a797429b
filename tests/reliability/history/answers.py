"""Everything sent has an outcome, and every answer to it, heard or on a topic, is the one that is kept (I-1 … I-3)."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from shared.kernel.identifiers import named_id
from tests.reliability.history.facts import DOORS, Asked, Facts, Finding, Heard, Receipt, Requested

_REUSED: Final = "key_reused"
_KINDS: Final = {"intake.submissions.": "/joint/sources/", "dispatch.actions.": "/joint/departments/"}

Rows = Mapping[tuple[str, str], Sequence[Requested]]
"""Party and key -> what is kept; a client may use a key once at each service."""


@dataclass(frozen=True, slots=True)
class _Outcomes:
    """What became of records: receipts by topic and what they answer, and what is held, by place."""

    receipts: Mapping[tuple[str, str], Sequence[Receipt]]
    held: frozenset[str]
    rows: Rows


def check_answers(facts: Facts) -> Iterator[Finding]:
    """Compare what was sent, what was heard, what is on the receipts topics and what `requests` holds."""
    outcomes = _outcomes(facts)
    for (party, key), asked in facts.asked.items():
        yield from _heard(asked, _rows_of(outcomes.rows, party, key), f"{party} {key}")
    yield from _placed(facts)
    yield from _records(facts, outcomes)
    yield from _receipts(facts, outcomes)
    yield from _nobody_asked(facts)


def receipts_topic(topic: str) -> str:
    """Return the topic that answers a topic of an outside party."""
    prefix = next(prefix for prefix in DOORS if topic.startswith(prefix))
    return DOORS[prefix] + topic.removeprefix(prefix)


def party_of(topic: str) -> str:
    """Return the URI of the party whose topic it is."""
    prefix = next(prefix for prefix in DOORS if topic.startswith(prefix))
    return _KINDS[prefix] + topic.removeprefix(prefix)


def _outcomes(facts: Facts) -> _Outcomes:
    receipts: dict[tuple[str, str], list[Receipt]] = defaultdict(list)
    for receipt in facts.receipts:
        receipts[receipt.topic, receipt.request or str(receipt.record)].append(receipt)
    rows: dict[tuple[str, str], list[Requested]] = defaultdict(list)
    for row in facts.requests:
        rows[row.party, row.key].append(row)
    held = frozenset(row.stream for row in facts.held if row.reason is not None)
    return _Outcomes(receipts, held, rows)


def _rows_of(rows: Rows, party: str, key: str) -> Sequence[Requested]:
    if key.startswith("record:"):
        return rows.get((key.removeprefix("record:").rsplit(":", 2)[0], key), ())
    return rows.get((party, key), ())


def _heard(asked: Asked, rows: Sequence[Requested], where: str) -> Iterator[Finding]:
    """Judge what a client heard of one request."""
    if not asked.answers and not asked.unknown and not asked.places:
        yield Finding(invariant="I-3", what="sent, and nothing was heard of it", where=where)
    if len({_comparable(asked, answer) for answer in asked.answers if answer.code != _REUSED}) > 1:
        yield Finding(invariant="I-2", what=f"answered in several ways: {asked.answers}", where=where)
    for answer in dict.fromkeys(asked.answers):
        if answer.code == _REUSED:
            if len(asked.digests) < 2:
                yield Finding(invariant="I-2", what="refused as reused, though one body was sent", where=where)
        elif not rows and answer.outcome == "accepted":
            yield Finding(invariant="I-1", what="acknowledged, and no answer is kept", where=where)
        elif not rows and asked.door == "topic" and answer.code != "wrong_source":
            yield Finding(invariant="I-3", what="answered by a receipt, and no answer is kept", where=where)
        elif rows and not any(_comparable(asked, answer) == _comparable(asked, row.answer) for row in rows):
            what = f"heard {answer}, while {[row.answer for row in rows]} is kept"
            yield Finding(invariant="I-2", what=what, where=where)


def _comparable(asked: Asked, answer: Heard) -> Heard:
    """Leave out what the problem document of HTTP does not say."""
    if asked.door == "http" and answer.outcome == "refused":
        return Heard(outcome=answer.outcome, code=answer.code)
    return answer


def _placed(facts: Facts) -> Iterator[Finding]:
    """What the broker took is on the topic."""
    places = {record.place for record in facts.incoming}
    for (party, key), asked in facts.asked.items():
        for place in asked.places:
            if place.replace("[", ":").replace("]@", ":") not in places:
                yield Finding(invariant="I-1", what=f"{place} is not on the topic", where=f"{party} {key}")


def _records(facts: Facts, outcomes: _Outcomes) -> Iterator[Finding]:
    """Each record of an outside party has a receipt of its own, or is held with a reason."""
    wanted: Counter[tuple[str, str]] = Counter()
    for record in facts.incoming:
        asked = facts.asked.get((party_of(record.topic), str(record.request)))
        heard = asked is not None and bool(asked.answers) and receipts_topic(record.topic) in facts.deleted
        if not heard and str(named_id("record", record.place)) not in outcomes.held:
            wanted[receipts_topic(record.topic), record.request or record.place] += 1
    for (topic, request), count in wanted.items():
        found = len(outcomes.receipts.get((topic, request), ()))
        if not found and not _spoke_for_another(facts, topic, request):
            yield Finding(invariant="I-3", what="no receipt, and it is not held", where=f"{topic} {request}")
        elif 0 < found < count:
            what = f"{count} records and {found} receipts"
            yield Finding(invariant="I-3", what=what, where=f"{topic} {request}")


def _spoke_for_another(facts: Facts, topic: str, place: str) -> bool:
    """Tell whether the record had an id that does not count: its receipt names that id, and the answer its place."""
    return any(row.key == f"record:{place}" and receipts_topic(row.party) == topic for row in facts.requests)


def _receipts(facts: Facts, outcomes: _Outcomes) -> Iterator[Finding]:
    """Each receipt is what is kept; all copies of it are equal."""
    parties = {receipts_topic(record.topic): record.topic for record in facts.incoming}
    by_place = {(row.party, row.content) for row in facts.requests if row.key.startswith("record:")}
    for (topic, request), receipts in outcomes.receipts.items():
        where = f"{topic} {request}"
        incoming = parties.get(topic)
        if incoming is None:
            yield Finding(invariant="I-2", what="a receipt for a party that sent nothing", where=where)
            continue
        rows = outcomes.rows.get((party_of(incoming), request)) or outcomes.rows.get((incoming, f"record:{request}"))
        kept = {row.content for row in rows or ()}
        said = {
            receipt.content
            for receipt in receipts
            if receipt.answer.code != _REUSED and (incoming, receipt.content) not in by_place
        }
        if len(said) > 1:
            yield Finding(invariant="I-2", what=f"{len(said)} different receipts", where=where)
        if said - kept:
            yield Finding(invariant="I-2", what="a receipt that says another thing than is kept", where=where)


def _nobody_asked(facts: Facts) -> Iterator[Finding]:
    """An answer to a party's message is kept only if the message was sent."""
    sent = {(party_of(record.topic), record.request) for record in facts.incoming}
    for row in facts.requests:
        if row.party.startswith(tuple(_KINDS.values())) and (row.party, row.key) not in sent:
            what = "an answer is kept to what nobody sent"
            yield Finding(invariant="I-2", what=what, where=f"{row.party} {row.key}")
