"""A report of the public that waits, told through local time.

Each limit is one working hour. The report comes on a Monday at 10:00: its clock of acceptance warns at 10:30 and 10:48
and is due at 11:00.
"""

from datetime import datetime

from services.intake.domain.commands import Command, FireClocks
from services.intake.domain.report import Report, ReportEvent, wakes
from shared.contracts.common import Actor
from shared.contracts.intake import ReportClockBreached, ReportClockWarned
from shared.contracts.library import ReferenceLibrary
from shared.kernel.errors import Refusal
from tests.support import reports
from tests.support.reports import LIBRARY, UNTRUSTED, source, submit
from tests.support.working_hours import local

SYSTEM = Actor(client="intake", unit="intake", post="system")


class Waiting:
    """The report; each act happens at a local time."""

    def __init__(self, reported_at: str = "2026-11-23 10:00", library: ReferenceLibrary = LIBRARY) -> None:
        self.library = library
        self.events: list[ReportEvent] = []
        self.done(reported_at, submit(observed_at=local(reported_at)), source(UNTRUSTED))

    @property
    def known(self) -> Report:
        """Its state."""
        state = reports.fold(self.events)
        assert state is not None
        return state

    def decided(self, at: str, command: Command, actor: Actor) -> list[ReportEvent] | Refusal:
        """Return what the command would make of it."""
        context = reports.context(actor, at=local(at), library=self.library)
        decision = reports.decide(reports.fold(self.events), command, context)
        return decision if isinstance(decision, Refusal) else list(decision)  # type: ignore[arg-type]

    def done(self, at: str, command: Command, actor: Actor) -> list[ReportEvent]:
        """Let the command happen; return what it makes."""
        events = self.decided(at, command, actor)
        assert not isinstance(events, Refusal), events
        self.events += events
        return events

    def fired(self, at: str, due_at: str | None = None) -> list[tuple[str, int]]:
        """Fire a wake; return the stages and percents that it tells."""
        return told(self.done(at, FireClocks(due_at=local(due_at or at)), SYSTEM))

    def wakes_at(self) -> datetime | None:
        """Return when it next has something to tell."""
        found = wakes(self.known)
        return found[0].due_at if found else None


def told(events: list[ReportEvent]) -> list[tuple[str, int]]:
    """Return stage and percent of what the clocks told; nothing else may have happened."""
    found: list[tuple[str, int]] = []
    for event in events:
        assert isinstance(event, ReportClockWarned | ReportClockBreached)
        found.append((event.stage, event.percent if isinstance(event, ReportClockWarned) else 100))
    return found
