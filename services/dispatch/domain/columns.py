"""The typed columns of the table `cases`: what lists filter, order and count by.

An act on a leg that leaves the case's stage as it is changes none of the indexed ones (ADR 0014): `legs`, `breached`
and `suspended` are not indexed, and the deadline is that of clocks which all legs share until one of them is moved, or
the law sets a limit that ends before.
"""

from collections.abc import Iterable, Mapping, Sequence

from services.dispatch.domain.awaiting import awaiting
from services.dispatch.domain.case import ENDED, CaseState
from services.dispatch.domain.legs import DONE, Legs, LegState, units_of
from shared.contracts.clocks import Clock, ClockStage
from shared.deadlines.colours import yellow_from
from shared.deadlines.telling import BREACHED


def columns(case: CaseState) -> Mapping[str, object]:
    """Return the columns beside the ledger's own."""
    opened = case.opened
    clocks = [most_urgent_of_leg(case, leg) for leg in case.legs]
    urgent = _first_due((_own_clock(case), *clocks))
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
    """Return the clock of dispatch, check or a leg that runs and is due first; None where none runs."""
    return _first_due((_own_clock(case), *(most_urgent_of_leg(case, leg) for leg in case.legs)))


def most_urgent_of_leg(case: CaseState, leg: LegState) -> Clock | None:
    """Return the clock of handling, or of what is ordered by law, that runs and is due first; None where none runs.

    The clock of signing is not among them: it ends with every signature, and 视同签收 follows when it passes.
    """
    return _first_due((running_handle_clock(case, leg), running_clock_by_law(case, leg)))


def running_handle_clock(case: CaseState, leg: LegState) -> Clock | None:
    """Return the leg's handling clock while it runs."""
    stopped = leg.state in DONE or leg.state == "suspended" or case.state in ENDED
    return None if stopped else leg.handle_clock or case.handle_clock


def running_clock_by_law(case: CaseState, leg: LegState) -> Clock | None:
    """Return the clock of what the leg has ordered by law (责令改正, 复查) while it runs."""
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


def _first_due(clocks: Iterable[Clock | None]) -> Clock | None:
    running = [clock for clock in clocks if clock is not None]
    return min(running, key=lambda clock: clock.due_at, default=None)


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
