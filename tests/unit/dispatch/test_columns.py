"""What lists find a case by follows its state: its deadline, its colour, who must act."""

from datetime import datetime, timedelta

import pytest

from services.dispatch.domain.columns import columns
from shared.contracts.clocks import Clock
from shared.contracts.reference import Limit
from shared.deadlines.colours import colour_of
from tests.support.adjusting import DUE, all_signed, ask_suspension, decide_suspension, endorse, utc
from tests.support.cases import DISPATCHER, FIRE, LEADER, department, fed_back
from tests.support.ends import INSPECTOR, STAGES, supervise

FOUR_FIFTHS = utc("2026-11-23 09:24")
"""Of eight working hours from nine o'clock on: six hours and 24 minutes, and two hours of lunch."""


def test_the_deadline_is_that_of_handling_while_departments_are_at_work() -> None:
    row = columns(all_signed().known)
    assert (row["due_at"], row["warn_at"], row["open"]) == (DUE, FOUR_FIFTHS, True)
    assert row["legs"] == [
        {
            "leg": 1,
            "unit": "urban-management",
            "role": "lead",
            "state": "handling",
            "due_at": DUE,
            "warn_at": FOUR_FIFTHS,
        },
        {
            "leg": 2,
            "unit": "market-supervision",
            "role": "support",
            "state": "handling",
            "due_at": DUE,
            "warn_at": FOUR_FIFTHS,
        },
        {
            "leg": 3,
            "unit": "fire-rescue",
            "role": "support",
            "state": "handling",
            "due_at": DUE,
            "warn_at": FOUR_FIFTHS,
        },
    ]


@pytest.mark.parametrize(
    "stage, running, opens",
    [
        ("filed", "dispatch", True),
        ("dispatched", "handle", True),
        ("handling", "handle", True),
        ("feedback", None, True),
        ("checking", "check", True),
        ("checked", None, True),
        ("closed", None, False),
        ("voided", None, False),
        ("merged", None, False),
    ],
)
def test_a_deadline_is_there_while_its_stage_runs(stage: str, running: str | None, opens: bool) -> None:
    case = STAGES[stage]()
    # Limits of the test city: an hour to dispatch, two to handle, four to check, day and night.
    hours = {"dispatch": 1, "handle": 2, "check": 4}
    started = {"dispatch": case.events[0].at, "handle": case.events[0].at, "check": case.events[-1].at}
    due = None if running is None else started[running] + timedelta(hours=hours[running])
    row = columns(case.known)
    assert (row["due_at"], row["open"]) == (due, opens)


def test_acts_on_legs_change_no_indexed_column_while_the_stage_stays() -> None:
    case = all_signed()
    before = columns(case.known)
    case.given(*fed_back(2), (supervise(), INSPECTOR))
    after = columns(case.known)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"legs", "revision", "supervised"}


def test_a_suspended_leg_has_no_deadline_and_is_counted() -> None:
    case = all_signed().given(
        (ask_suspension(3, utc("2027-04-01 00:00")), department(FIRE)),
        (endorse(3), DISPATCHER),
        (decide_suspension(3), LEADER),
    )
    row = columns(case.known)
    assert (row["due_at"], row["suspended"]) == (DUE, 1)
    legs = row["legs"]
    assert isinstance(legs, list)
    assert [leg["due_at"] for leg in legs] == [DUE, DUE, None]


def test_a_passed_deadline_stays_a_fact() -> None:
    case = all_signed()
    case.fired_until("2026-11-24 01:00")
    assert columns(case.known)["breached"] == ["handle"]
    case.given(*fed_back(2, 3, 1))
    assert columns(case.known)["breached"] == ["handle"]


@pytest.mark.parametrize(
    "instant, colour",
    [
        ("2026-11-23 09:23:59.999999", "green"),
        ("2026-11-23 09:24", "yellow"),
        ("2026-11-24 00:59:59.999999", "yellow"),
        ("2026-11-24 01:00", "red"),
        ("2027-01-01 00:00", "red"),
    ],
)
def test_a_clock_turns_yellow_at_four_fifths_and_red_at_its_deadline(instant: str, colour: str) -> None:
    clock = Clock(
        stage="handle",
        limit=Limit(amount=8, unit="working_hour"),
        started_at=utc("2026-11-23 01:00"),
        original_due_at=DUE,
        due_at=DUE,
        warn_at=(utc("2026-11-23 06:00"), FOUR_FIFTHS),
        calendar_version=1,
        policy_version=1,
    )
    now: datetime = utc(instant)
    assert colour_of(clock, now) == colour
