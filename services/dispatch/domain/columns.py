"""The typed columns of the table `cases`: what lists filter, order and count by.

An act on a leg that leaves the case's stage as it is changes none of the indexed ones (ADR 0014): `legs`, `breached`
and `suspended` are not indexed, and the deadline is that of clocks which all legs share until one of them is moved.
"""

from collections.abc import Mapping, Sequence

from services.dispatch.domain.awaiting import awaiting
from services.dispatch.domain.case import ENDED, CaseState
from services.dispatch.domain.legs import DONE, Legs, LegState, units_of
from shared.contracts.clocks import Clock, ClockStage
from shared.deadlines.colours import yellow_from
from shared.deadlines.telling import BREACHED


def columns(case: CaseState) -> Mapping[str, object]:
    """Return the columns beside the ledger's own."""
    opened = case.opened
    clocks = [running_handle_clock(case, leg) for leg in case.legs]
    urgent = _first_due(_own_clock(case), clocks)
    return {
        "status": case.state,
        "open": case.state not in ENDED,
        "revision": case.revision,
        "number": opened.number,
        "source": opened.source,
        "category_system": opened.category.system,
        "category": opened.category.code,
        "street": opened.place.street,
        "community": opened.place.community,
        "campaign": opened.campaign,
        "lead_unit": case.lead,
        "check_unit": case.check.unit if case.check else None,
        "level": case.level,
        "supervised": case.supervision is not None,
        "awaits": sorted({awaited.post for awaited in awaiting(case)}),
        "due_at": urgent.due_at if urgent else None,
        "warn_at": yellow_from(urgent) if urgent else None,
        "uneven": _uneven(case.legs, clocks),
        "breached": breached_stages(case),
        "suspended": sum(leg.state == "suspended" for leg in case.legs),
        "units": sorted(units_of(case.legs)),
        "legs": [_leg(leg, clock) for leg, clock in zip(case.legs, clocks, strict=True)],
        "rule": case.rule,
        "overridden": case.overridden,
        "misdirected": case.misdirected,
        "calendar_version": case.calendar_version,
        "policy_version": case.policy_version,
        "reported_at": opened.reported_at,
        "filed_at": opened.filed_at,
        "opened_at": opened.at,
        "dispatched_at": case.dispatched_at,
        "closed_at": case.closed_at,
    }


def most_urgent(case: CaseState) -> Clock | None:
    """Return the clock of dispatch, handling or check that runs and is due first; None where none runs.

    The clock of signing is not among them: it ends with every signature, and 视同签收 follows when it passes.
    """
    return _first_due(_own_clock(case), [running_handle_clock(case, leg) for leg in case.legs])


def running_handle_clock(case: CaseState, leg: LegState) -> Clock | None:
    """Return the leg's handling clock while it runs."""
    stopped = leg.state in DONE or leg.state == "suspended" or case.state in ENDED
    return None if stopped else leg.handle_clock or case.handle_clock


def running_clock_by_law(case: CaseState, leg: LegState) -> Clock | None:
    """Return the clock of what the leg has ordered by law while it runs; the work list is not ordered by it."""
    return None if leg.rectification is None or case.state in ENDED else leg.rectification.running


def breached_stages(case: CaseState) -> list[ClockStage]:
    """Return the stages of which a limit has passed, in this handling: a fact that stays when the deadline moves."""
    found: list[ClockStage] = []
    if case.check_told == BREACHED:
        found.append("check")
    if case.dispatch_told == BREACHED:
        found.append("dispatch")
    if any(leg.overdue_at for leg in case.legs):
        found.append("handle")
    if BREACHED in [leg.sign_told for leg in case.legs]:
        found.append("sign")
    for leg in case.legs:
        if leg.rectification is not None:
            found += [stage for stage in leg.rectification.breached if stage not in found]
    return found


def _own_clock(case: CaseState) -> Clock | None:
    if case.state == "filed":
        return case.dispatch_clock
    return case.check.clock if case.state == "checking" and case.check is not None else None


def _first_due(own: Clock | None, of_legs: Sequence[Clock | None]) -> Clock | None:
    first = own
    for clock in of_legs:
        if clock is not None and (first is None or clock.due_at < first.due_at):
            first = clock
    return first


def _uneven(legs: Legs, clocks: Sequence[Clock | None]) -> bool:
    """Tell whether the legs that are not done have several deadlines, or one of them none."""
    dues = [clock and clock.due_at for leg, clock in zip(legs, clocks, strict=True) if leg.state not in DONE]
    return len(dues) > 1 and dues.count(dues[0]) < len(dues)


def _leg(leg: LegState, clock: Clock | None) -> dict[str, object]:
    return {
        "leg": leg.leg,
        "unit": leg.unit,
        "role": leg.role,
        "state": leg.state,
        "due_at": clock.due_at if clock else None,
        "warn_at": yellow_from(clock) if clock else None,
    }
