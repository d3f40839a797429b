"""Reports that are merged before they are filed, and what they say to each other until one answers no more."""

from collections import deque
from collections.abc import Sequence
from uuid import UUID

import msgspec

from services.intake.domain.asking import command_of, merge_messages
from services.intake.domain.commands import Command, Merge
from services.intake.domain.merging import CompleteMerge, MergeCommand
from services.intake.domain.report import INTAKE_ITSELF, Report, ReportEvent
from shared.contracts.common import Actor
from shared.contracts.report_merges import ReportMergeAsked
from shared.kernel.errors import Refusal
from shared.kernel.identifiers import named_id
from tests.support import reports
from tests.support.reports import REPORT_ID, UNTRUSTED, Given, person, source, submit

MASTER_ID = named_id("test", "master report")
OTHER_ID = named_id("test", "other report")


def merge(report_id: UUID = REPORT_ID, master: UUID = MASTER_ID, *, expected_revision: int | None = None) -> Merge:
    return Merge(report_id=report_id, master=master, reason="the same heap", expected_revision=expected_revision)


def waiting() -> Given:
    """A complete report that waits for an acceptor."""
    return Given(*Given().when(submit(), source(UNTRUSTED)))


def asking(given: Given | None = None) -> Given:
    """A report that asks to go on as another one."""
    return (given or waiting()).after(merge(), person("acceptor"))


def merged(given: Given | None = None) -> Given:
    """A report that does."""
    return asking(given).after(CompleteMerge(report_id=REPORT_ID, master=MASTER_ID), INTAKE_ITSELF)


def asks(event: ReportEvent, command: object) -> list[MergeCommand]:
    """What the event makes other reports do, as they read it on the topic: each on the key of the one that is asked."""
    commands = []
    for effect in merge_messages(event, command):
        asked = msgspec.json.decode(msgspec.json.encode(effect.message), type=ReportMergeAsked)
        assert (effect.topic, effect.key) == ("intake.merges", str(asked.report_id).encode())
        commands.append(command_of(asked))
    return commands


class Topic:
    """Up to three reports, and their topic: what they ask is read when a test says so, in order."""

    def __init__(self, *given: Given) -> None:
        self.reports = dict(zip((REPORT_ID, MASTER_ID, OTHER_ID), given, strict=False))
        self.asked: deque[MergeCommand] = deque()

    def when(self, stream: UUID, command: Command, actor: Actor) -> Sequence[ReportEvent] | Refusal:
        """Decide, and put on the topic what follows."""
        given = self.reports[stream]
        decision = reports.decide(given.state, command, reports.context(actor, stream=stream))
        if isinstance(decision, Refusal):
            return decision
        events: Sequence[ReportEvent] = decision  # type: ignore[assignment]
        self.reports[stream] = Given(*given.events, *events)
        self.asked.extend(ask for event in events for ask in asks(event, command))
        return events

    def given(self, stream: UUID, command: Command, post: str = "acceptor") -> None:
        """Somebody does this, and may."""
        decision = self.when(stream, command, person(post))  # type: ignore[arg-type]
        assert not isinstance(decision, Refusal), decision

    def read(self) -> list[str]:
        """Read to the end; return what the reports answered on the way."""
        answers = []
        while self.asked:
            answers += self.answer()
        return answers

    def answer(self) -> list[str]:
        """Read what was asked first alone; return what the report answered."""
        command = self.asked.popleft()
        decision = self.when(command.report_id, command, INTAKE_ITSELF)
        assert not isinstance(decision, Refusal), "what a report asks is answered, never refused"
        return [type(answer).__name__ for answer in decision]

    def state(self, stream: UUID = REPORT_ID) -> Report:
        return self.reports[stream].state

    def statuses(self) -> list[str]:
        return [given.state.status for given in self.reports.values()]
