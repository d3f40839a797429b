"""Violations to plant in a copy of the facts: each breaks one thing, as a fault of the system or a hand would."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final, TypeVar

from tests.reliability.history.facts import Facts, Held, Published, Requested, Wake
from tests.reliability.history.recount import kind_of

Plant = Callable[[Facts], Facts]
T = TypeVar("T")

MISSING: Final = "0192aaaa-0000-7000-8000-000000000000"
"""The id of a stream that is nowhere."""


def first(items: Iterable[T], wanted: Callable[[T], bool] = lambda _item: True) -> T:
    """Return the first that is wanted; there must be one."""
    return next(item for item in items if wanted(item))


def without(items: Sequence[T], gone: T) -> list[T]:
    """Return the others."""
    return [item for item in items if item is not gone]


def with_other(items: Sequence[T], old: T, new: T) -> list[T]:
    """Return the items with one in the place of another."""
    return [new if item is old else item for item in items]


def events(facts: Facts, kind: str, topic: str = "") -> list[Published]:
    """Return the events of this kind on the topics, or on this one, those of closed cases first."""
    closed = {event.stream for event in facts.published if kind_of(event) == "closed"}
    found = [event for event in facts.published if kind_of(event) == kind and topic in {"", event.topic}]
    return sorted(found, key=lambda event: event.stream not in closed)


def reworded(kind: str, change: Callable[[dict[str, Any]], None], number: int = 0, type_: str | None = None) -> Plant:
    """Change what an event of a closed case says, on the topic."""

    def plant(facts: Facts) -> Facts:
        event = events(facts, kind)[number]
        body = json.loads(event.document)
        change(body)
        other = replace(event, document=json.dumps(body).encode(), type=type_ or event.type)
        return replace(facts, published=with_other(facts.published, event, other))

    return plant


def accepted(facts: Facts, party: str) -> Requested:
    """Return an accepted request of a party whose name begins so, that the history tells of."""
    return first(
        facts.requests,
        lambda row: (
            row.answer.outcome == "accepted" and row.party.startswith(party) and (row.party, row.key) in facts.asked
        ),
    )


def drop_request(party: str) -> Plant:
    """Forget an answer."""
    return lambda facts: replace(facts, requests=without(facts.requests, accepted(facts, party)))


def drop_published(kind: str, topic: str = "") -> Plant:
    """Lose an event on its way to the topic."""
    return lambda facts: replace(facts, published=without(facts.published, events(facts, kind, topic)[0]))


def drop_stored(kind: str, topic: str = "") -> Plant:
    """Delete an event's row from the ledger."""

    def plant(facts: Facts) -> Facts:
        event = events(facts, kind, topic)[0]
        return replace(facts, stored=[row for row in facts.stored if row.id != event.id])

    return plant


def lose(kind: str, topic: str = "") -> Plant:
    """Lose an event everywhere."""
    return lambda facts: drop_published(kind, topic)(drop_stored(kind, topic)(facts))


def copy_with_other_bytes(facts: Facts) -> Facts:
    """Send an event again with other bytes."""
    event = events(facts, "leg_signed")[0]
    again = replace(event, offset=event.offset + 1000, digest=bytes(32))
    return replace(facts, published=[*facts.published, again])


def swap(facts: Facts) -> Facts:
    """Publish two events of a stream in the wrong order."""
    one = events(facts, "opened")[0]
    two = first(
        facts.published, lambda event: (event.topic, event.stream, event.sequence) == (one.topic, one.stream, 2)
    )
    published = [two if event is one else one if event is two else event for event in facts.published]
    return replace(facts, published=published)


def other_partition(facts: Facts) -> Facts:
    """Publish an event on a partition that its key does not name."""
    event = events(facts, "closed")[0]
    other = replace(event, partition=(event.partition + 1) % 12)
    return replace(facts, published=with_other(facts.published, event, other))


def edit_stored(facts: Facts) -> Facts:
    """Edit history by hand: in ledger and topic alike, but for the hash."""
    event = events(facts, "closed")[0]
    row = first(facts.stored, lambda row: row.id == event.id)
    return replace(facts, stored=with_other(facts.stored, row, replace(row, data=row.data + b" ")))


def second_effect(facts: Facts) -> Facts:
    """Let a submission open a second report, with everything that belongs to it."""
    row = accepted(facts, "/joint/sources/")
    doubled = [replace(event, stream=MISSING) for event in facts.published if event.causation == row.key]
    return replace(facts, published=[*facts.published, *doubled])


def refuse_what_had_an_effect(facts: Facts) -> Facts:
    """Keep a refusal for a request that had an effect."""
    row = accepted(facts, "/joint/departments/")
    no = replace(row.answer, outcome="refused", position=None, code="stale_revision")
    return replace(facts, requests=with_other(facts.requests, row, replace(row, answer=no)))


def two_requests_one_effect(facts: Facts) -> Facts:
    """Tell two keys of one effect."""
    row = accepted(facts, "supervision-centre")
    return replace(facts, requests=[*facts.requests, replace(row, key="another")])


def open_twice(facts: Facts) -> Facts:
    """Take a filed report twice: dispatch answers a second time."""
    opened = events(facts, "opened")[0]
    last = max(
        event.sequence for event in facts.published if (event.topic, event.stream) == ("dispatch.cases", opened.stream)
    )
    declined = replace(opened, sequence=last + 1, type="jointenforcement.case.opening_declined.v1")
    return replace(facts, published=[*facts.published, declined])


def case_never_opened(facts: Facts) -> Facts:
    """Lose a whole case."""
    stream = events(facts, "opened")[0].stream
    return replace(
        facts,
        published=[event for event in facts.published if (event.topic, event.stream) != ("dispatch.cases", stream)],
    )


def number_of_another(facts: Facts) -> Facts:
    """Give a case the number of another."""
    other = json.loads(events(facts, "opened")[1].document)["number"]
    return reworded("opened", lambda body: body.update(number=other))(facts)


def number_of_another_day(facts: Facts) -> Facts:
    """Number a case as if it had been opened on the day before."""
    opened = events(facts, "opened")[0]
    before = datetime.fromisoformat(opened.time).astimezone(timezone(timedelta(hours=8))) - timedelta(days=1)
    number = f"220281-JE-{before:%Y%m%d}-000001"
    return reworded("opened", lambda body: body.update(number=number))(facts)


def told_by_another_number(facts: Facts) -> Facts:
    """Tell a department of a case by another number."""
    told = facts.tasks[0]
    return replace(facts, tasks=with_other(facts.tasks, told, replace(told, number="220281-JE-20261123-999999")))


def act_after(end: str) -> Plant:
    """Let a dispatcher add legs once more when the case has ended so."""

    def plant(facts: Facts) -> Facts:
        ended, dispatched = events(facts, end)[-1], events(facts, "legs_added")[0]
        last = max(
            event.sequence for event in facts.published if (event.topic, event.stream) == (ended.topic, ended.stream)
        )
        late = replace(dispatched, stream=ended.stream, sequence=last + 1)
        return replace(facts, published=[*facts.published, late])

    return plant


def move_position(by: int) -> Plant:
    """Move a consumer's position."""

    def plant(facts: Facts) -> Facts:
        place = first(facts.positions, lambda place: place[0] == "dispatch.events")
        return replace(facts, positions={**facts.positions, place: facts.positions[place] + by})

    return plant


def drop_position(facts: Facts) -> Facts:
    """Delete a position's row."""
    gone = first(facts.positions, lambda place: place[0] == "analytics.events")
    return replace(facts, positions={place: at for place, at in facts.positions.items() if place != gone})


def hold(*, reason: str | None, ahead: int, waits_for: str | None = None) -> Plant:
    """Hold an event of a stream, so far after its position."""

    def plant(facts: Facts) -> Facts:
        consumer, topic, stream = first(facts.positions, lambda place: place[0] == "analytics.events")
        row = Held(
            service="analytics",
            consumer=consumer,
            topic=topic,
            stream=stream,
            sequence=facts.positions[consumer, topic, stream] + ahead,
            reason=reason,
            waits_for=waits_for,
        )
        return replace(facts, held=[*facts.held, row])

    return plant


def leave_a_wake(facts: Facts) -> Facts:
    """Leave a wake that no state needs."""
    wake = Wake(service="dispatch", stream=MISSING, kind="overdue", due_at=datetime(2026, 11, 24, tzinfo=UTC))
    return replace(facts, wakes=[*facts.wakes, wake])


def lose_a_wake(service: str) -> Plant:
    """Lose the wake of a report or case whose clocks run."""

    def plant(facts: Facts) -> Facts:
        lost = first(facts.wakes, lambda wake: wake.service == service)
        return replace(facts, wakes=[wake for wake in facts.wakes if wake != lost])

    return plant


def tell_a_breach(at: str, due_at: str, *, twice: bool = False) -> Plant:
    """Say of a case that a limit has passed, in the place of a signature; once more behind all of its events."""

    def change(body: dict[str, Any]) -> None:
        body.update(stage="sign", leg=1, at=at, due_at=due_at)

    def plant(facts: Facts) -> Facts:
        signed = events(facts, "leg_signed")[0]
        facts = reworded("leg_signed", change, type_="jointenforcement.case.clock_breached.v1")(facts)
        if not twice:
            return facts
        told = first(facts.published, lambda event: event.id == signed.id)
        return replace(facts, published=[*facts.published, replace(told, sequence=told.sequence + 1000)])

    return plant


def state_behind(facts: Facts) -> Facts:
    """Let a state stand before its last event."""
    state = first(facts.states, lambda state: state.sequence > 1)
    return replace(facts, states=with_other(facts.states, state, replace(state, sequence=state.sequence - 1)))


def figure(group: str, name: str, value: object) -> Plant:
    """Let the API answer another figure."""

    def plant(facts: Facts) -> Facts:
        answer = json.loads(json.dumps(facts.figures.closure[group]))
        row = answer["groups"][0] if group else answer["total"]
        row[name] = value
        figures = replace(facts.figures, closure={**facts.figures.closure, group: answer})
        return replace(facts, figures=figures)

    return plant


def wrong_beside(counted: str, name: str, value: int) -> Plant:
    """Let the API answer another figure beside the total."""

    def plant(facts: Facts) -> Facts:
        answer = json.loads(json.dumps(facts.figures.closure[""]))
        first(answer["total"]["beside"], lambda one: one["counted"] == counted)[name] = value
        figures = replace(facts.figures, closure={**facts.figures.closure, "": answer})
        return replace(facts, figures=figures)

    return plant


def lose_row_behind(ending: str) -> Plant:
    """Leave a case out of a list."""

    def plant(facts: Facts) -> Facts:
        address = first(facts.figures.behind, lambda name: name.endswith(ending) and facts.figures.behind[name] != [])
        behind = {**facts.figures.behind, address: facts.figures.behind[address][1:]}
        return replace(facts, figures=replace(facts.figures, behind=behind))

    return plant
