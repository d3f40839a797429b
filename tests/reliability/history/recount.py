"""What reports and cases come to, counted anew from the bytes on the topics: nothing here is the services' own code."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

from tests.reliability.history.copies import Streams, held_by
from tests.reliability.history.facts import Facts, Published

_BEIJING: Final = timezone(timedelta(hours=8))
_READER: Final = "analytics.events"


@dataclass(slots=True)
class Leg:
    """A department's part of a case."""

    unit: str
    role: str
    state: str = "assigned"
    fed_back_by: str | None = None

    @property
    def done(self) -> bool:
        """Whether nothing more is expected of the unit."""
        return self.state in {"fed_back", "waived"}


@dataclass(slots=True)
class Case:
    """A case as its events tell it."""

    legs: dict[int, Leg] = field(default_factory=dict)
    dispatched: int = 0
    passed_check: bool = False
    checks: int = 0
    closed: int = 0

    @property
    def units(self) -> set[str]:
        """The handling units."""
        return {leg.unit for leg in self.legs.values()}

    @property
    def leads(self) -> list[str]:
        """The units of lead legs."""
        return [leg.unit for leg in self.legs.values() if leg.role == "lead"]

    def follow(self, kind: str, body: Mapping[str, Any]) -> None:
        """Take the next event of the case; what is about a leg that it does not have changes nothing."""
        match kind:
            case "dispatched":
                self.dispatched += 1
                self.legs = {leg["leg"]: Leg(unit=leg["unit"], role=leg["role"]) for leg in body["legs"]}
            case "checked":
                self.checks += 1
                self.passed_check = body["passed"]
                for number in self.legs.keys() & set(body["rework"]):
                    self.legs[number].state = "handling"
            case "closed":
                self.closed += 1
            case _ if body.get("leg") in self.legs:
                self._follow_leg(kind, body, self.legs[body["leg"]])

    def _follow_leg(self, kind: str, body: Mapping[str, Any], leg: Leg) -> None:
        self.passed_check = False
        match kind:
            case "leg_signed" | "leg_return_refused":
                leg.state = "handling"
            case "leg_fed_back":
                leg.state, leg.fed_back_by = "fed_back", body["by"].get("person")
            case "leg_return_requested":
                leg.state = "return_pending"
            case "leg_return_upheld":
                self.legs[body["leg"]] = Leg(unit=body["to_unit"], role=leg.role)
            case "leg_waived":
                leg.state = "waived"


@dataclass(slots=True)
class Problem:
    """One report and its case, as figures group and count it."""

    groups: dict[str, str] = field(default_factory=dict)
    reported: bool = False
    rejected: bool = False
    case: Case = field(default_factory=Case)

    @property
    def kind(self) -> str:
        """Whether it counts as closed, rejected or open."""
        return "closed" if self.case.closed else "rejected" if self.rejected else "open"

    def follow(self, event: Published) -> None:
        """Take the next event of the report or of the case."""
        name, body = kind_of(event), json.loads(event.document)
        if event.topic == "dispatch.cases":
            self.case.follow(name, body)
            return
        self.rejected = self.rejected or name == "rejected"
        if name == "reported":
            self.reported = True
            day = datetime.fromisoformat(body["at"]).astimezone(UTC).astimezone(_BEIJING).date()
            self.groups |= {"source": body["source"], "campaign": body["campaign"] or "", "day": day.isoformat()}
        if name in {"reported", "completed", "filed"}:
            category = body["category"] or body["named_category"]
            self.groups["category"] = f"{category['system']}:{category['code']}"
            self.groups |= {place: body["place"].get(place) or "" for place in ("street", "community")}


def kind_of(event: Published) -> str:
    """Return what happened: the third part of the type."""
    return event.type.split(".")[2]


def problems_of(facts: Facts, streams: Streams) -> dict[str, Problem]:
    """Return every problem whose report analytics may have counted, by id, as its events tell it.

    What is held there, or was given up there, is left out.
    """
    held = held_by(facts)
    found: dict[str, Problem] = {}
    for (topic, stream), events in streams.items():
        if topic in {"intake.reports", "dispatch.cases"}:
            stopped = held.get((_READER, topic, stream))
            before = stopped[0].sequence if stopped else None
            for event in _counted(facts, events, before):
                found.setdefault(stream, Problem()).follow(event)
    for problem in found.values():
        problem.groups["department"] = (problem.case.leads or [""])[0]
    return {stream: problem for stream, problem in found.items() if problem.reported}


def _counted(facts: Facts, events: Iterable[Published], before: int | None) -> Iterable[Published]:
    for event in events:
        given_up = (_READER, event.topic, event.stream, event.sequence) in facts.given_up
        if not given_up and (before is None or event.sequence < before):
            yield event
