"""What lists find a case by follows its state: its deadline, its colour, who must act."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest

from services.dispatch.domain.columns import columns
from shared.contracts.clocks import Clock
from shared.contracts.reference import Limit
from shared.deadlines.colours import colour_of
from tests.support.adjusting import (
    DUE,
    all_signed,
    ask_extension,
    ask_suspension,
    decide_extension,
    decide_suspension,
    endorse,
    utc,
)
from tests.support.cases import DISPATCHER, DUTY_LEADER, FIRE, LEADER, MARKET, URBAN, department, fed_back
from tests.support.ends import INSPECTOR, STAGES, supervise
from tests.support.lawful import claim, order, ordered

FOUR_FIFTHS = utc("2026-11-23 09:24")
"""Of eight working hours from nine o'clock on: six hours and 24 minutes, and two hours of lunch."""


def dues_of(row: Mapping[str, object]) -> list[tuple[object, object]]:
    """When each leg is due, and from when on it is yellow."""
    legs = row["legs"]
    assert isinstance(legs, list)
    return [(leg["due_at"], leg["warn_at"]) for leg in legs]


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


def test_a_leg_is_as_urgent_as_what_the_law_sets_where_that_ends_first() -> None:
    case = ordered(1, "natural_day")
    case.done("2026-11-23 02:10", ask_extension(2), department(MARKET))
    case.done("2026-11-23 02:20", decide_extension(2), DUTY_LEADER)
    row = columns(case.known)
    # Handling would go on until the 25th; the party has 24 hours.
    by_law = [(DUE, FOUR_FIFTHS), (utc("2026-11-24 02:00"), utc("2026-11-23 21:12")), (DUE, FOUR_FIFTHS)]
    assert dues_of(row) == by_law
    assert (row["due_at"], row["uneven"]) == (DUE, True)
    case.given(*fed_back(3))
    case.done("2026-11-23 03:00", claim(2), department(MARKET))
    assert dues_of(columns(case.known))[1] == (utc("2026-11-25 01:00"), utc("2026-11-24 07:48"))


def test_a_limit_of_the_law_that_ends_after_handling_changes_nothing() -> None:
    assert columns(ordered().known) == columns(all_signed().known)


def test_a_suspended_leg_is_due_by_law_alone() -> None:
    case = ordered()
    case.done("2026-11-23 03:00", ask_suspension(2, utc("2027-04-01 00:00")), department(MARKET))
    case.done("2026-11-23 03:10", endorse(2), DISPATCHER)
    case.done("2026-11-23 03:20", decide_suspension(2), LEADER)
    row = columns(case.known)
    # The second of two whole days ends at 24:00 of the 25th in Jiaohe; three fifths of it make four fifths of both.
    assert dues_of(row)[1] == (utc("2026-11-25 16:00"), utc("2026-11-25 06:24"))
    assert (row["due_at"], row["uneven"]) == (DUE, True)


def test_a_case_of_which_one_leg_is_left_is_as_urgent_as_that_leg_is_by_law() -> None:
    case = all_signed()
    case.given(*fed_back(2, 3))
    case.done("2026-11-23 01:30", order(1, 1, "natural_day"), department(URBAN))
    case.done("2026-11-23 02:00", ask_extension(1), department(URBAN))
    case.done("2026-11-23 02:10", decide_extension(1), DUTY_LEADER)
    row = columns(case.known)
    assert (row["due_at"], row["warn_at"]) == (utc("2026-11-24 01:30"), utc("2026-11-23 20:42"))
    assert row["uneven"] is False


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
