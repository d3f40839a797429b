"""Builders for tests of how a case ends and who watches it: checks, voiding, reopening, oversight, appeals, merges."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import msgspec

from services.dispatch.domain.adjustments import (
    DecideVoid,
    EscalateCase,
    MergeCase,
    ProposeVoid,
    ReopenCase,
    ReviewLegAppeal,
    SuperviseCase,
    UnmergeCase,
)
from services.dispatch.domain.asking import command_of, merge_messages
from services.dispatch.domain.case import CaseEvent
from services.dispatch.domain.commands import AssignCheck, CloseCase
from services.dispatch.domain.merging import CompleteMerge, MergeCommand
from shared.contracts.adjustments import AnswerSupervision, AppealLeg
from shared.contracts.common import Level
from shared.contracts.merges import MergeAsked
from shared.contracts.reference import Catalogue, Units
from shared.kernel.identifiers import named_id
from tests.support.cases import (
    CASE_ID,
    COLLECTOR,
    DUTY_LEADER,
    JOINT_RULE,
    LEADER,
    OTHER_STREET,
    STREET,
    SYSTEM,
    UNITS,
    Case,
    actor,
    catalogue,
    category,
    check_passed,
    checked,
    close,
    closed,
    fed_back,
    handled,
    open_case,
    opened,
    rule,
    signed,
    unit,
)

MASTER_ID = named_id("test", "master")
OTHER_ID = named_id("test", "other case")

INSPECTOR = actor("command-centre", "inspector", "inspector-1")
EVALUATOR = actor("supervision-centre", "evaluator", "evaluator-1")
STREET_OFFICE = actor(f"street-{STREET}", "street", "street-1")
OTHER_STREET_OFFICE = actor(f"street-{OTHER_STREET}", "street", "street-2")

CHECKING_STREETS = Units(
    units=(
        *(known for known in UNITS.units if known.kind != "street"),
        unit(f"street-{STREET}", "street", ("department", "street", "collector"), STREET),
        unit(f"street-{OTHER_STREET}", "street", ("department", "street", "collector"), OTHER_STREET),
    ),
    sources=(),
)
"""The city where streets have collectors too."""


def flagged(*, no_site_check: bool = False, safety: bool = False, level: Level = "city") -> Catalogue:
    """The catalogue, where the one category has these flags and its rule this level."""
    known = msgspec.structs.replace(category("E0406"), no_site_check=no_site_check, safety=safety)
    rule = msgspec.structs.replace(JOINT_RULE, level=level)
    return msgspec.structs.replace(catalogue(rule), categories=(known,))


def started(*, units: Units = UNITS, known: Catalogue | None = None) -> Case:
    """A case just opened, in this city."""
    return Case(units=units, known=known).given((open_case(), SYSTEM))


def all_done(case: Case) -> Case:
    """The case with every leg signed and fed back, the lead last."""
    return case.given(*signed(1, 2, 3), *fed_back(2, 3, 1))


def on_papers() -> Case:
    """All legs done, of a category that needs no look on site: nobody checks it."""
    return all_done(started(known=flagged(no_site_check=True)))


def closed_late(*late: int) -> Case:
    """A closed case, whose legs of these numbers were fed back after their deadline."""
    case = opened().given(*signed(1, 2, 3), *fed_back(*(leg for leg in (2, 3) if leg not in late)))
    case.now += timedelta(hours=3)
    case.given(*fed_back(*(leg for leg in (2, 3) if leg in late)), *fed_back(1))
    return case.given((check_passed(), COLLECTOR), (close(), DUTY_LEADER))


def assign_check(unit: str) -> AssignCheck:
    return AssignCheck(case_id=CASE_ID, unit=unit, reason="it knows the place")


def close_on_papers(reason: str | None = "the certificate is here") -> CloseCase:
    return CloseCase(case_id=CASE_ID, on_papers=True, reason=reason)


def propose_void() -> ProposeVoid:
    return ProposeVoid(case_id=CASE_ID, reason="not_found", ground="nothing was there")


def approve_void() -> DecideVoid:
    return DecideVoid(case_id=CASE_ID, approved=True, reason="agreed")


def refuse_void() -> DecideVoid:
    return DecideVoid(case_id=CASE_ID, approved=False, reason="look again")


def voided() -> Case:
    return opened().given((propose_void(), DUTY_LEADER), (approve_void(), LEADER))


def reopen(*legs: int) -> ReopenCase:
    return ReopenCase(case_id=CASE_ID, ground="recurrence", reason="it is back", legs=legs)


def supervise(**more: object) -> SuperviseCase:
    return SuperviseCase(case_id=CASE_ID, reason="important", **more)  # type: ignore[arg-type]


def answer_supervision(leg: int) -> AnswerSupervision:
    return AnswerSupervision(case_id=CASE_ID, leg=leg, answer="under way")


def escalate(to_level: Level) -> EscalateCase:
    return EscalateCase(case_id=CASE_ID, to_level=to_level, reason="no power here")


def appeal(leg: int) -> AppealLeg:
    return AppealLeg(case_id=CASE_ID, leg=leg, ground="the road was closed")


def uphold_appeal(leg: int) -> ReviewLegAppeal:
    return ReviewLegAppeal(case_id=CASE_ID, leg=leg, upheld=True, reason="so it was")


def reject_appeal(leg: int) -> ReviewLegAppeal:
    return ReviewLegAppeal(case_id=CASE_ID, leg=leg, upheld=False, reason="it was not")


def merge(master: UUID = MASTER_ID) -> MergeCase:
    return MergeCase(case_id=CASE_ID, master=master, reason="the same heap")


def unmerge() -> UnmergeCase:
    return UnmergeCase(case_id=CASE_ID, reason="another heap after all")


def merging(case: Case | None = None) -> Case:
    return (case or opened()).given((merge(), DUTY_LEADER))


def merged(case: Case | None = None) -> Case:
    return merging(case).given((CompleteMerge(case_id=CASE_ID, master=MASTER_ID), SYSTEM))


def asks(stream: UUID, event: CaseEvent) -> list[MergeCommand]:
    """What the event makes other cases do, as they read it on the topic: each on the key of the case that is asked."""
    commands = []
    for effect in merge_messages(stream, event):
        asked = msgspec.json.decode(msgspec.json.encode(effect.message), type=MergeAsked)
        assert (effect.topic, effect.key) == ("dispatch.merges", str(asked.case_id).encode())
        commands.append(command_of(asked))
    return commands


STAGES: dict[str, Callable[[], Case]] = {
    "filed": lambda: opened(rule("ghost", "no-such-unit")),
    "dispatched": opened,
    "handling": lambda: opened().given(*signed(1, 2, 3)),
    "feedback": on_papers,
    "checking": handled,
    "checked": checked,
    "closed": closed,
    "voided": voided,
    "merged": merged,
}
"""A case in each of its states."""
