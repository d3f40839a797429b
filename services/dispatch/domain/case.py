"""The case: its state. `evolve` says how events change it, `columns` what queries find it by."""

from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from services.dispatch.domain.events import OwnEvent
from services.dispatch.domain.leg_changes import ClockEvent, LegEvent
from services.dispatch.domain.legs import Legs, LegState
from services.dispatch.domain.pending import AssignedCheck, Supervision, VoidProposal
from shared.contracts.clocks import Clock
from shared.contracts.common import Actor, Level, Message
from shared.contracts.dispatch import CaseOpened, Explanation
from shared.deadlines.telling import Told

CaseStage = Literal["filed", "dispatched", "handling", "feedback", "checking", "checked", "closed", "voided", "merged"]
"""已立案 (waits for a dispatcher), 已派遣, 处置中, 已反馈 (waits for a checker), 核查中, 核查通过, 结案, 作废, 并案."""
CASE_STAGES: Final[tuple[CaseStage, ...]] = (
    "filed",
    "dispatched",
    "handling",
    "feedback",
    "checking",
    "checked",
    "closed",
    "voided",
    "merged",
)
ENDED: Final[frozenset[CaseStage]] = frozenset({"closed", "voided", "merged"})
"""Nothing runs and nothing is handled any more (unless a closed case is reopened, or a merged one unmerged)."""

LaterEvent = OwnEvent | LegEvent | ClockEvent
CaseEvent = CaseOpened | LaterEvent


class CaseState(Message, frozen=True, kw_only=True, omit_defaults=True):
    """One case. `revision` counts the changes of its own part; each leg has its own (design section 2)."""

    opened: CaseOpened
    state: CaseStage
    revision: int
    legs: Legs = ()
    explanation: Explanation | None = None
    """Why it was dispatched as it was, or why routing failed."""
    routing_problem: str | None = None
    rule: str | None = None
    """The rule that routing chose, whatever became of it: so that a bad rule shows."""
    overridden: bool = False
    """A dispatcher sent it elsewhere than the rule did."""
    misdirected: bool = False
    """A unit to which the rule sent it was right that it is not its duty (an upheld return)."""
    dispatched_at: datetime | None = None
    checked_at: datetime | None = None
    checked_by: Actor | None = None
    """Who found the problem gone; None until a check has passed."""
    failed_checks: int = 0
    handlers: tuple[str, ...] = ()
    """The persons who fed back, where tokens named them: they may not check or close (I-10)."""
    check: AssignedCheck | None = None
    """Who is to check; None while nobody is."""
    closed_at: datetime | None = None
    level: Level = "city"
    """Who has to solve it (domain 5); escalated only by an explicit act."""
    supervision: Supervision | None = None
    """The latest 督办."""
    void_proposal: VoidProposal | None = None
    merging: UUID | None = None
    """The case that this one asks to carry it, while that has not answered."""
    master: UUID | None = None
    """The case that this one is merged into."""
    merged_at: datetime | None = None
    before_merge: CaseStage | None = None
    carries: tuple[UUID, ...] = ()
    """The cases that are merged, or about to be, into this one."""
    dispatch_clock: Clock | None = None
    dispatch_told: Told = 0
    sign_clock: Clock | None = None
    handle_clock: Clock | None = None
    """What the legs of the dispatch share; a leg whose clock went another way has its own."""
    check_told: Told = 0
    calendar_version: int | None = None
    policy_version: int | None = None
    """The oldest documents that a running clock may rest on."""

    @property
    def lead(self) -> str | None:
        """Return the unit of the lead leg (主办), if the case is dispatched."""
        return next((leg.unit for leg in self.legs if leg.role == "lead"), None)

    def sign_clock_of(self, leg: LegState) -> Clock | None:
        """Return until when the leg has to be signed; None for a case of before there were clocks."""
        return leg.sign_clock or self.sign_clock

    def handle_clock_of(self, leg: LegState) -> Clock | None:
        """Return until when the leg has to be handled; None for a case of before there were clocks."""
        return leg.handle_clock or self.handle_clock
