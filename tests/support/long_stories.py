"""What can happen to a case beyond the normal course, told like `Story`: every method tells one more event of it."""

from datetime import datetime, timedelta
from typing import Any, Literal, Self
from uuid import UUID

from shared.contracts import adjustments, clocks, dispatch, merges, rectification
from shared.contracts.common import Level
from tests.support.stories import EXPLANATION, LIMIT, SYSTEM, Story


def clock(stage: clocks.ClockStage, started_at: datetime, due_at: datetime) -> clocks.Clock:
    """Return a clock with these instants."""
    return clocks.Clock(
        stage=stage,
        limit=LIMIT,
        started_at=started_at,
        original_due_at=due_at,
        due_at=due_at,
        warn_at=(started_at, due_at),
        calendar_version=1,
        policy_version=1,
    )


class LongStory(Story):
    """A story in which more happens. A handling clock runs for a day from the event that starts or moves it."""

    def redispatched(self, lead: str, *support: str) -> Self:
        withdrawn = tuple(self._leg(number) for number in self._units)
        self._units = dict(enumerate((lead, *support), start=1))
        legs = tuple(self._leg(number) for number in self._units)
        at = self._tick()
        return self._case(
            adjustments.CaseRedispatched(
                at=at,
                by=SYSTEM,
                legs=legs,
                withdrawn=withdrawn,
                explanation=EXPLANATION,
                sign_clock=self._clock("sign"),
                handle_clock=self._clock("handle"),
            )
        )

    def legs_added(self, *units: str) -> Self:
        numbers = range(len(self._units) + 1, len(self._units) + len(units) + 1)
        self._units |= dict(zip(numbers, units, strict=True))
        return self._case(
            adjustments.LegsAdded(
                at=self._tick(),
                by=SYSTEM,
                legs=tuple(self._leg(number) for number in numbers),
                explanation=EXPLANATION,
                sign_clock=self._clock("sign"),
                handle_clock=self._clock("handle"),
            )
        )

    def ruled(self, to_unit: str, leg: int = 1) -> Self:
        unit, self._units[leg] = self._units[leg], to_unit
        return self._case(
            adjustments.LegRuled(
                at=self._tick(),
                by=SYSTEM,
                leg=leg,
                unit=unit,
                to_unit=to_unit,
                explanation=EXPLANATION,
                sign_clock=self._clock("sign"),
                handle_clock=self._clock("handle"),
            )
        )

    def sent_back(self, leg: int = 1) -> Self:
        return self._case(adjustments.LegSentBack(at=self._tick(), by=SYSTEM, **self._of(leg), reason="no photo"))

    def extension_requested(self, leg: int = 1) -> Self:
        return self._case(
            adjustments.LegExtensionRequested(
                at=self._tick(), by=SYSTEM, **self._of(leg), reason="rain", engineering=False
            )
        )

    def extended(self, leg: int = 1) -> Self:
        at = self._tick()
        return self._case(
            adjustments.LegExtended(
                at=at, by=SYSTEM, **self._of(leg), reason="rain", due_was=at, clock=self._clock("handle")
            )
        )

    def extension_refused(self, leg: int = 1) -> Self:
        return self._case(
            adjustments.LegExtensionRefused(at=self._tick(), by=SYSTEM, **self._of(leg), reason="it is dry")
        )

    def suspension_requested(self, until: datetime, leg: int = 1) -> Self:
        return self._case(
            adjustments.LegSuspensionRequested(
                at=self._tick(), by=SYSTEM, **self._of(leg), reason="wrong_season", plan="in spring", until=until
            )
        )

    def suspension_endorsed(self, leg: int = 1) -> Self:
        return self._case(
            adjustments.LegSuspensionEndorsed(at=self._tick(), by=SYSTEM, **self._of(leg), reason="frozen ground")
        )

    def suspended(self, until: datetime, leg: int = 1) -> Self:
        return self._case(
            adjustments.LegSuspended(
                at=self._tick(), by=SYSTEM, **self._of(leg), reason="wrong_season", plan="in spring", until=until
            )
        )

    def suspension_refused(self, leg: int = 1) -> Self:
        return self._case(
            adjustments.LegSuspensionRefused(at=self._tick(), by=SYSTEM, **self._of(leg), reason="it is mild")
        )

    def resumed(self, leg: int = 1) -> Self:
        at = self._tick()
        return self._case(
            adjustments.LegResumed(
                at=at,
                by=SYSTEM,
                **self._of(leg),
                cause="early",
                reason="thaw",
                due_was=at,
                clock=self._clock("handle"),
            )
        )

    def rectified(self, leg: int = 1) -> Self:
        """Ordered by law; nobody claims anything in time, and only the second re-inspection is passed."""
        basis = {"legal_basis": "fire law, article 60", "document_number": "2026-118"}
        self._by_law(rectification.LegRectificationOrdered, leg, **basis, clock=self._clock("rectification"))
        self._by_law(rectification.LegRectificationExpired, leg, clock=self._clock("reinspection"))
        clear = {"statement": "the stairs are clear", "evidence": ()}
        self._by_law(rectification.LegRectificationClaimed, leg, **clear, clock=self._clock("reinspection"))
        self._by_law(rectification.LegReinspected, leg, passed=False, finding="locked", evidence=())
        clock = self._clock("reinspection")
        self._by_law(rectification.LegEnforcementRecorded, leg, **basis, measure="penalty", clock=clock)
        return self._by_law(rectification.LegReinspected, leg, passed=True, finding="clear", evidence=())

    def counted_as_signed(self, leg: int = 1) -> Self:
        return self._case(clocks.LegCountedAsSigned(at=self._tick(), by=SYSTEM, **self._of(leg)))

    def warned(self, leg: int = 1) -> Self:
        at = self._tick()
        return self._case(clocks.ClockWarned(at=at, by=SYSTEM, stage="handle", percent=80, due_at=at, **self._of(leg)))

    def breached(self, leg: int | None = 1, stage: clocks.ClockStage = "handle", late: timedelta = timedelta()) -> Self:
        """A limit passed; it is told so much later."""
        at = self._tick()
        whose = self._of(leg) if leg is not None else {}
        return self._case(clocks.ClockBreached(at=at, by=SYSTEM, stage=stage, due_at=at - late, **whose))

    def recomputed(self, leg: int = 1) -> Self:
        at = self._tick()
        moved = clocks.MovedClock(leg=leg, due_was=at, clock=self._clock("handle"))
        return self._case(
            clocks.ClocksRecomputed(at=at, by=SYSTEM, calendar_version=2, policy_version=1, moved=(moved,))
        )

    def check_assigned(self, unit: str = "supervision-centre") -> Self:
        return self._case(
            adjustments.CaseCheckAssigned(at=self._tick(), by=SYSTEM, unit=unit, rule="nearest", candidates=(unit,))
        )

    def void_proposed(self) -> Self:
        return self._case(
            adjustments.CaseVoidProposed(at=self._tick(), by=SYSTEM, reason="not_found", ground="nothing there")
        )

    def void_refused(self) -> Self:
        return self._case(adjustments.CaseVoidRefused(at=self._tick(), by=SYSTEM, reason="look again"))

    def voided(self) -> Self:
        return self._case(
            adjustments.CaseVoided(at=self._tick(), by=SYSTEM, reason="not_found", ground="nothing there", unmerges=())
        )

    def reopened(self, *legs: int, ground: adjustments.ReopenGround = "false_closing") -> Self:
        closed_at = next(event.at for event in reversed(self.cases) if isinstance(event, dispatch.CaseClosed))
        return self._case(
            adjustments.CaseReopened(
                at=self._tick(),
                by=SYSTEM,
                legs=legs or tuple(self._units),
                ground=ground,
                reason="staged photo",
                closed_at=closed_at,
                handle_clock=self._clock("handle"),
            )
        )

    def supervised(self) -> Self:
        return self._case(adjustments.CaseSupervised(at=self._tick(), by=SYSTEM, reason="again", reply_by=None))

    def supervision_answered(self, leg: int = 1) -> Self:
        return self._case(
            adjustments.CaseSupervisionAnswered(at=self._tick(), by=SYSTEM, **self._of(leg), answer="tomorrow")
        )

    def escalated(self, from_level: Level, to_level: Level) -> Self:
        return self._case(
            adjustments.CaseEscalated(
                at=self._tick(), by=SYSTEM, from_level=from_level, to_level=to_level, reason="too big"
            )
        )

    def appealed(self, leg: int = 1) -> Self:
        return self._case(adjustments.LegAppealed(at=self._tick(), by=SYSTEM, **self._of(leg), ground="no access"))

    def appeal_reviewed(self, leg: int = 1, *, upheld: bool = True, last: bool = True) -> Self:
        decision: Literal["upheld", "rejected"] = "upheld" if upheld else "rejected"
        return self._case(
            adjustments.LegAppealReviewed(
                at=self._tick(),
                by=SYSTEM,
                **self._of(leg),
                upheld=upheld,
                reason="so it was",
                decision=decision if last else None,
            )
        )

    def merge_requested(self, master: UUID) -> Self:
        return self._case(merges.CaseMergeRequested(at=self._tick(), by=SYSTEM, master=master, reason="the same hole"))

    def merge_admitted(self, merged: UUID) -> Self:
        return self._case(merges.CaseMergeAdmitted(at=self._tick(), by=SYSTEM, merged=merged))

    def merge_declined(self, merged: UUID) -> Self:
        return self._case(merges.CaseMergeDeclined(at=self._tick(), by=SYSTEM, merged=merged, reason="closed"))

    def merged(self, master: UUID) -> Self:
        return self._case(merges.CaseMerged(at=self._tick(), by=SYSTEM, master=master))

    def merge_abandoned(self, master: UUID) -> Self:
        return self._case(
            merges.CaseMergeAbandoned(at=self._tick(), by=SYSTEM, master=master, reason="closed", admitted=False)
        )

    def unmerged(self, master: UUID, *resumed: int) -> Self:
        """The clocks of the legs `resumed` go on."""
        at = self._tick()
        moved = tuple(clocks.MovedClock(leg=leg, due_was=at, clock=self._clock("handle")) for leg in resumed)
        return self._case(merges.CaseUnmerged(at=at, by=SYSTEM, master=master, reason="another hole", resumed=moved))

    def merge_released(self, merged: UUID) -> Self:
        return self._case(merges.CaseMergeReleased(at=self._tick(), by=SYSTEM, merged=merged))

    def _by_law(
        self,
        event: type[rectification.RectificationEvent],
        leg: int,
        **said: Any,  # noqa: ANN401 - of the event
    ) -> Self:
        return self._case(event(at=self._tick(), by=SYSTEM, **self._of(leg), **said))

    def _leg(self, number: int) -> dispatch.Leg:
        return dispatch.Leg(
            leg=number, unit=self._units[number], role="lead" if number == 1 else "support", limit=LIMIT
        )

    def _clock(self, stage: clocks.ClockStage) -> clocks.Clock:
        return clock(stage, self._now, self._now + timedelta(days=1))

    def _of(self, leg: int) -> dict[str, Any]:
        return {"leg": leg, "unit": self._units[leg]}
