"""The typed columns of the table `cases`: what lists filter, order and count by.

An act on a leg that leaves the case's stage as it is changes none of the indexed ones (ADR 0014): `legs`, `breached`
and `suspended` are not indexed, and the deadline is that of clocks which all legs share until one of them is moved.
"""

from collections.abc import Iterator, Mapping

from services.dispatch.domain.awaiting import awaiting
from services.dispatch.domain.case import ENDED, CaseState
from services.dispatch.domain.colours import yellow_from
from services.dispatch.domain.legs import BREACHED, LegState, units_of
from shared.contracts.clocks import Clock, ClockStage


def columns(case: CaseState) -> Mapping[str, object]:
    """Return the columns beside the ledger's own."""
    opened = case.opened
    urgent = most_urgent(case)
    return {
        "status": case.state,
        "open": case.state not in ENDED,
        "revision": case.revision,
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
        "uneven": _uneven(case),
        "breached": sorted(breached_stages(case)),
        "suspended": sum(leg.state == "suspended" for leg in case.legs),
        "units": sorted(units_of(case.legs)),
        "legs": [_leg(case, leg) for leg in case.legs],
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
    return min(_running(case), key=lambda clock: clock.due_at, default=None)


def running_handle_clock(case: CaseState, leg: LegState) -> Clock | None:
    """Return the leg's handling clock while it runs."""
    return None if leg.done or leg.state == "suspended" or case.state in ENDED else case.handle_clock_of(leg)


def breached_stages(case: CaseState) -> frozenset[ClockStage]:
    """Return the stages of which a limit has passed, in this handling: a fact that stays when the deadline moves."""
    told: dict[ClockStage, bool] = {
        "dispatch": case.dispatch_told == BREACHED,
        "sign": any(leg.sign_told == BREACHED for leg in case.legs),
        "handle": any(leg.overdue_at is not None for leg in case.legs),
        "check": case.check_told == BREACHED,
    }
    return frozenset(stage for stage, breached in told.items() if breached)


def _running(case: CaseState) -> Iterator[Clock]:
    if case.state == "filed" and case.dispatch_clock is not None:
        yield case.dispatch_clock
    if case.state == "checking" and case.check is not None and case.check.clock is not None:
        yield case.check.clock
    for leg in case.legs:
        clock = running_handle_clock(case, leg)
        if clock is not None:
            yield clock


def _uneven(case: CaseState) -> bool:
    """Tell whether the legs that are not done have several deadlines, or one of them none."""
    clocks = (running_handle_clock(case, leg) for leg in case.legs if not leg.done)
    return len({None if clock is None else clock.due_at for clock in clocks}) > 1


def _leg(case: CaseState, leg: LegState) -> dict[str, object]:
    clock = running_handle_clock(case, leg)
    return {
        "leg": leg.leg,
        "unit": leg.unit,
        "role": leg.role,
        "state": leg.state,
        "due_at": clock.due_at if clock else None,
        "warn_at": yellow_from(clock) if clock else None,
    }
