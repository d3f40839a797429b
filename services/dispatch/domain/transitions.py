"""The state machine and the rights of posts, as one table (domain 1.3 and 9.2); `permit` is its only reader.

Whatever the table does not allow is refused by name: `not_entitled_…`, `stale_revision`, `wrong_state_…`.
"""

from dataclasses import dataclass
from typing import Final

from services.dispatch.domain.adjustments import (
    DecideLegExtension,
    DecideLegSuspension,
    DecideVoid,
    EndorseLegSuspension,
    EscalateCase,
    MergeCase,
    ProposeVoid,
    ReopenCase,
    ReviewLegAppeal,
    SuperviseCase,
    UnmergeCase,
)
from services.dispatch.domain.case import CaseStage, CaseState
from services.dispatch.domain.commands import (
    ActorCommand,
    AddLegs,
    AssignCheck,
    CheckCase,
    CloseCase,
    DecideLegReturn,
    DispatchCase,
    LegCommand,
    RuleLeg,
    SendLegBack,
    WaiveLeg,
)
from services.dispatch.domain.legs import LegStage, LegState, find_leg, units_of
from services.dispatch.domain.rectifying import NOTHING_ORDERED, RectificationStage
from shared.contracts.adjustments import (
    AnswerSupervision,
    AppealLeg,
    RequestLegExtension,
    RequestLegSuspension,
    ResumeLeg,
)
from shared.contracts.common import Actor, Post
from shared.contracts.dispatch import FeedBackLeg, RequestLegReturn, SignLeg
from shared.contracts.rectification import (
    ClaimRectification,
    OrderRectification,
    RecordEnforcement,
    RecordReinspection,
)
from shared.contracts.reference import Units
from shared.kernel.errors import Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """When a command is allowed, and by whom.

    `rows` are the rows of the table in domain 9.2; none for what leaves its states alone (domain 1.4 and 5).
    `leg_states` None: the command is about the case's own part, or about a leg in whatever state.
    `rectification` None: wherever the legal track of the leg stands (domain 9.2, last lines).
    `own_leg`: of departments only the leg's own unit (I-13).
    `apart`: no unit and no person that handles the case (I-10).
    """

    rows: tuple[int, ...]
    posts: frozenset[Post]
    case_states: frozenset[CaseStage]
    leg_states: frozenset[LegStage] | None = None
    rectification: frozenset[RectificationStage] | None = None
    own_leg: bool = False
    apart: bool = False


BEFORE_FEEDBACK: Final[frozenset[CaseStage]] = frozenset({"filed", "dispatched", "handling"})
_AT_WORK: Final[frozenset[CaseStage]] = frozenset({"dispatched", "handling", "feedback", "checking", "checked"})
"""Has legs and is open. From `feedback` on every leg is done: there the state of the leg refuses."""
_OPEN: Final[frozenset[CaseStage]] = _AT_WORK | {"filed"}
_CLOSED: Final[frozenset[CaseStage]] = frozenset({"closed"})
_DEPARTMENT: Final[frozenset[Post]] = frozenset({"department"})
_DUTY_LEADER: Final[frozenset[Post]] = frozenset({"duty_leader"})
_DISPATCHER: Final[frozenset[Post]] = frozenset({"dispatcher"})
_LEADER: Final[frozenset[Post]] = frozenset({"leader"})
_IN_HANDLING: Final[frozenset[LegStage]] = frozenset({"handling"})
_UNDER_LAW: Final[frozenset[LegStage]] = frozenset({"handling", "suspended"})
"""挂账 stops what the centre has set, and nothing that the law sets."""


def _by_law(*stages: RectificationStage) -> Transition:
    """Return when the authority of a leg may do something about its order."""
    return Transition(
        rows=(),
        posts=_DEPARTMENT,
        case_states=_AT_WORK,
        leg_states=_UNDER_LAW,
        rectification=frozenset(stages),
        own_leg=True,
    )


TRANSITIONS: Final[dict[type[ActorCommand], Transition]] = {
    DispatchCase: Transition(rows=(8,), posts=_DISPATCHER, case_states=frozenset({"filed", "dispatched"})),
    AddLegs: Transition(rows=(8,), posts=_DISPATCHER, case_states=frozenset({"dispatched", "handling"})),
    SignLeg: Transition(
        rows=(9,),
        posts=_DEPARTMENT,
        case_states=_AT_WORK,
        leg_states=frozenset({"assigned", "handling"}),
        own_leg=True,
    ),
    FeedBackLeg: Transition(
        rows=(17,),
        posts=_DEPARTMENT,
        case_states=_AT_WORK,
        leg_states=_IN_HANDLING,
        rectification=NOTHING_ORDERED,
        own_leg=True,
    ),
    RequestLegReturn: Transition(
        rows=(10,),
        posts=_DEPARTMENT,
        case_states=_AT_WORK,
        leg_states=frozenset({"assigned", "handling"}),
        rectification=NOTHING_ORDERED,
        own_leg=True,
    ),
    DecideLegReturn: Transition(
        rows=(11, 12, 13),
        posts=_DUTY_LEADER,
        case_states=_AT_WORK,
        leg_states=frozenset({"return_pending"}),
        apart=True,
    ),
    RuleLeg: Transition(
        rows=(11, 12),
        posts=_LEADER,
        case_states=_AT_WORK,
        leg_states=frozenset({"assigned", "handling"}),
        rectification=NOTHING_ORDERED,
        apart=True,
    ),
    RequestLegExtension: Transition(
        rows=(14,), posts=_DEPARTMENT, case_states=_AT_WORK, leg_states=_IN_HANDLING, own_leg=True
    ),
    DecideLegExtension: Transition(
        rows=(14,), posts=_DUTY_LEADER | _LEADER, case_states=_AT_WORK, leg_states=_IN_HANDLING, apart=True
    ),
    RequestLegSuspension: Transition(
        rows=(15,), posts=_DEPARTMENT, case_states=_AT_WORK, leg_states=_IN_HANDLING, own_leg=True
    ),
    EndorseLegSuspension: Transition(
        rows=(15,), posts=_DISPATCHER, case_states=_AT_WORK, leg_states=_IN_HANDLING, apart=True
    ),
    DecideLegSuspension: Transition(
        rows=(15,), posts=_LEADER, case_states=_AT_WORK, leg_states=_IN_HANDLING, apart=True
    ),
    ResumeLeg: Transition(
        rows=(16,),
        posts=_DEPARTMENT | _DISPATCHER,
        case_states=_AT_WORK,
        leg_states=frozenset({"suspended"}),
        own_leg=True,
    ),
    SendLegBack: Transition(
        rows=(18,),
        posts=_DISPATCHER,
        case_states=frozenset({"handling", "feedback", "checking"}),
        leg_states=frozenset({"fed_back"}),
        apart=True,
    ),
    WaiveLeg: Transition(
        rows=(17,),
        posts=_DUTY_LEADER | _LEADER,
        case_states=_AT_WORK,
        leg_states=frozenset({"assigned", "handling", "return_pending", "suspended"}),
        rectification=NOTHING_ORDERED,
        apart=True,
    ),
    OrderRectification: _by_law("none", "not_cleared", "cleared"),
    ClaimRectification: _by_law("ordered"),
    RecordReinspection: _by_law("ordered", "claimed", "enforced"),
    RecordEnforcement: _by_law("not_cleared"),
    AssignCheck: Transition(
        rows=(19,),
        posts=frozenset({"dispatcher"}),
        case_states=frozenset({"feedback", "checking"}),
    ),
    CheckCase: Transition(
        rows=(20, 21),
        posts=frozenset({"collector"}),
        case_states=frozenset({"checking"}),
        apart=True,
    ),
    CloseCase: Transition(rows=(20, 22), posts=_DUTY_LEADER, case_states=_AT_WORK, apart=True),
    ProposeVoid: Transition(rows=(23,), posts=_DUTY_LEADER, case_states=BEFORE_FEEDBACK, apart=True),
    DecideVoid: Transition(rows=(23,), posts=frozenset({"leader"}), case_states=_OPEN, apart=True),
    ReopenCase: Transition(rows=(24,), posts=frozenset({"duty_leader", "leader"}), case_states=_CLOSED, apart=True),
    SuperviseCase: Transition(rows=(), posts=frozenset({"inspector", "leader"}), case_states=_OPEN),
    AnswerSupervision: Transition(rows=(), posts=_DEPARTMENT, case_states=_OPEN, own_leg=True),
    EscalateCase: Transition(rows=(), posts=frozenset({"street", "duty_leader"}), case_states=_OPEN),
    AppealLeg: Transition(rows=(), posts=_DEPARTMENT, case_states=_CLOSED, own_leg=True),
    ReviewLegAppeal: Transition(rows=(), posts=frozenset({"evaluator", "leader"}), case_states=_CLOSED, apart=True),
    MergeCase: Transition(rows=(6,), posts=_DUTY_LEADER, case_states=BEFORE_FEEDBACK, apart=True),
    UnmergeCase: Transition(rows=(6,), posts=_DUTY_LEADER, case_states=frozenset({"merged"})),
}


def permit(case: CaseState, command: ActorCommand, actor: Actor, units: Units) -> Refusal | None:
    """Return None when the table allows the command to this actor now, else the refusal that names why not."""
    transition = TRANSITIONS[type(command)]
    leg = None
    if isinstance(command, LegCommand):
        leg = find_leg(case.legs, command.leg)
        if leg is None:
            return Refusal(code="unknown_leg", detail=f"The case has no leg {command.leg}.")
    return (
        _refuse_actor(transition, case, leg, actor, units)
        or _refuse_stale(case, leg, command.expected_revision)
        or _refuse_state(transition, case, leg)
    )


def _refuse_actor(
    transition: Transition, case: CaseState, leg: LegState | None, actor: Actor, units: Units
) -> Refusal | None:
    unit = next((unit for unit in units.units if unit.code == actor.unit), None)
    if unit is None:
        return Refusal(code="not_entitled_unknown_unit", detail=f"There is no unit {actor.unit}.")
    if actor.post not in unit.posts:
        return Refusal(code="not_entitled_post_of_unit", detail=f"{actor.unit} has no post {actor.post}.")
    if actor.post not in transition.posts:
        posts = ", ".join(sorted(transition.posts))
        return Refusal(code="not_entitled_post", detail=f"This act is for {posts}, not for {actor.post}.")
    if transition.own_leg and actor.post == "department" and leg is not None and leg.unit != actor.unit:
        return Refusal(code="not_entitled_other_leg", detail=f"Leg {leg.leg} is of {leg.unit}, not of {actor.unit}.")
    if transition.apart and _handles(case, actor):
        return Refusal(
            code="not_entitled_handler", detail=f"{actor.unit} handles this case: another unit must check and rule."
        )
    return None


def _handles(case: CaseState, actor: Actor) -> bool:
    return actor.unit in units_of(case.legs) or (actor.person is not None and actor.person in case.handlers)


def _refuse_stale(case: CaseState, leg: LegState | None, expected: int | None) -> Refusal | None:
    current = case.revision if leg is None else leg.revision
    if expected is None or expected == current:
        return None
    part = "case's own part" if leg is None else f"leg {leg.leg}"
    return Refusal(
        code="stale_revision", detail=f"The {part} is at revision {current}, not {expected}.", revision=current
    )


def _refuse_state(transition: Transition, case: CaseState, leg: LegState | None) -> Refusal | None:
    if case.state not in transition.case_states:
        return Refusal(
            code=f"wrong_state_case_{case.state}", detail=f"The case is {case.state}: this act does not fit."
        )
    if leg is not None and transition.leg_states is not None and leg.state not in transition.leg_states:
        return wrong_leg_state(leg)
    if leg is not None and transition.rectification is not None:
        return _refuse_rectification(transition.rectification, leg)
    return None


def wrong_leg_state(leg: LegState) -> Refusal:
    """Return the refusal of an act that does not fit the leg as it stands."""
    return Refusal(code=f"wrong_state_leg_{leg.state}", detail=f"Leg {leg.leg} is {leg.state}: this act does not fit.")


def _refuse_rectification(allowed: frozenset[RectificationStage], leg: LegState) -> Refusal | None:
    stage = leg.rectification_stage
    if stage in allowed:
        return None
    return Refusal(
        code=f"wrong_state_rectification_{stage}",
        detail=f"What leg {leg.leg} has ordered by law stands at {stage}: this act does not fit.",
    )
