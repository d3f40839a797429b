"""A few dozen cases as the shipped code leaves them behind: opened, dispatched, handled and sent back by failed checks.

Every case is open, and every one of its legs waits for its department to feed back again. The records of intake and of
the departments go through dispatch's own policy and translation, and the ledger's decider decides them.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Final

from services.dispatch.consumers import reaction, translate
from services.dispatch.domain.commands import CheckCase
from services.dispatch.seed import CITY, documents
from services.dispatch.tables import CASE, case_aggregate
from shared.contracts.common import Actor
from shared.contracts.decisions import Serial, WaitForReference
from shared.contracts.library import ReferenceLibrary
from shared.contracts.records import Record
from shared.contracts.validation import canonical_digest
from shared.kernel.identifiers import new_id
from shared.ledger.arrivals import arrival_of
from shared.ledger.commands import Cause, Command, Request
from shared.ledger.decide import Decider
from shared.ledger.draft import EventRow, OutboxRow, RequestRow, StreamState
from shared.ledger.hashchain import GENESIS
from shared.ledger.vault import Vault
from tests.bench.feeding import LEAD, REPORT_RECORDS, Problem, acts, feedback, problems, reports

STORIES: Final = 48
_FAILED_CHECKS: Final = {1: 3, 2: 2}
"""By number of legs, so that every history has about ten events; one where there are more legs."""
_COMMITTED: Final = timedelta(milliseconds=137, microseconds=311)
"""How long after the broker took a record its batch is decided."""
_REVIEW: Final = timedelta(days=1, hours=3, minutes=7)
_WORK: Final = timedelta(hours=5, minutes=41, seconds=13)
_PATH: Final = "/cases/{case_id}/checks"

SERIAL: Final = Serial(day=date(2026, 11, 23), number=10**17)
"""Of every story: long enough that a million cases made of them each have a number of their own."""

_offsets = itertools.count()


@dataclass(kw_only=True)
class Story:
    """One case with its history. `taken` is the last event of intake's stream that was taken."""

    problem: Problem
    began: datetime
    state: StreamState
    taken: int = REPORT_RECORDS
    events: list[EventRow] = field(default_factory=list)
    requests: list[tuple[RequestRow, datetime]] = field(default_factory=list)

    @property
    def ended(self) -> datetime:
        """The instant of the last event."""
        return self.events[-1].occurred_at


def stories(count: int = STORIES) -> list[Story]:
    """Return so many cases, of categories spread over the catalogue; their kinds are the same at every call.

    Of categories with a limit of a few hours, day and night: their deadlines passed long before the last check, so that
    it is certain how many events another act makes.
    """
    library = ReferenceLibrary({key: {1: document} for key, document in documents().items()})
    catalogue = library.catalogue(CITY, 1)
    assert catalogue is not None
    short = {category.code for category in catalogue.categories if category.conditions[0].limit.unit == "urgent_hour"}
    known = [problem for problem in problems(count * 70)[::7] if problem.category.code in short]
    assert len(known) >= count
    return [_told(problem, library) for problem in known[:count]]


def _told(problem: Problem, library: ReferenceLibrary) -> Story:
    filed = reports([problem])[-1]
    delivery = arrival_of(_record(filed, datetime.now(UTC))).delivery
    began = delivery.event.time
    assert began is not None
    aggregate = case_aggregate(CITY)
    unborn = StreamState(aggregate=aggregate, stream=problem.id, sequence=0, head=GENESIS, changed_at=None, state=None)
    story = Story(problem=problem, began=began, state=unborn)
    opening = reaction(CITY)(delivery, library)
    assert not isinstance(opening, WaitForReference)
    _decide(story, opening, began + _COMMITTED, library)
    at = began
    for command, at in _acting(story):
        _decide(story, [command], at + _COMMITTED, library)
    return story


def _acting(story: Story) -> Iterator[tuple[Command, datetime]]:
    """Give what follows the opening: all legs are signed and fed back, checks fail, all legs are handled anew."""
    problem = story.problem
    legs, at = len(problem.units), story.began
    for row in itertools.chain(*acts([problem])):
        at += _WORK / legs
        yield translate(_record(row, at), ReferenceLibrary()), at
    at += _REVIEW
    yield _failed_check(story), at
    for _ in range(_FAILED_CHECKS.get(legs, 1) - 1):
        for leg, unit in reversed(list(enumerate(problem.units, start=LEAD))):
            at += _WORK / legs
            yield translate(_record(feedback(problem, leg, unit), at), ReferenceLibrary()), at
        at += _REVIEW
        yield _failed_check(story), at


def _failed_check(story: Story) -> Command:
    """Check as a collector of the unit that the case was given to."""
    case = story.problem.id
    body = CheckCase(case_id=case, passed=False, reason="现场复查,问题仍未整改到位。")
    path = _PATH.format(case_id=case)
    actor = Actor(client="console", unit=story.state.state.check.unit, post="collector", person="collector-17")
    return Command(
        aggregate=CASE,
        stream=case,
        body=body,
        actor=actor,
        cause=Cause(correlation=str(new_id())),
        request=Request(
            party=actor.client, key=str(new_id()), digest=canonical_digest("POST", path, data=b'{"passed":false}')
        ),
    )


def _decide(story: Story, commands: Sequence[Command], now: datetime, library: ReferenceLibrary) -> None:
    decider = Decider(
        service="dispatch",
        vault=Vault(bytes(32)),
        library=library,
        now=now,
        states={story.problem.id: story.state},
        requests={},
        serials=itertools.repeat(SERIAL),
    )
    for answer in decider.decide_unit(commands, refusable=True):
        assert answer.outcome == "accepted", answer
    story.state = decider.draft.states[story.problem.id]
    story.events += decider.draft.events
    story.requests += [(row, now) for row in decider.draft.requests.values()]


def _record(row: OutboxRow, at: datetime) -> Record:
    return Record(
        topic=row.topic,
        partition=0,
        offset=next(_offsets),
        timestamp=at,
        key=row.key,
        headers=row.headers,
        value=row.value,
    )
