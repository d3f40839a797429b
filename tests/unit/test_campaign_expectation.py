"""What a plan expects, and how its deviations show: every figure and reason is computed."""

from pathlib import Path

import pytest

from deploy.campaign.behaviour import PERSISTENCE, Ruling, accepts, act_on_leg, finds_it_gone, ruling, waives
from deploy.campaign.expectation import Tally, Waiting, differences, expect
from deploy.campaign.problems import expand
from tests.support.plans import REPORTS, SCENE, deviating, read


@pytest.mark.parametrize(
    "deviation, expected",
    [
        ('what = "silent"\nunit = "urban-management"', (Waiting(reason="not_signed", unit="urban-management"),)),
        ('what = "unfinished"\nunit = "urban-management"', (Waiting(reason="handling", unit="urban-management"),)),
        (
            'what = "unfinished"\nunit = "property-service"\nrole = "support"',
            (
                Waiting(reason="handling", unit="property-service"),
                Waiting(reason="waiting_for_support", unit="urban-management"),
            ),
        ),
        ('what = "silent"\nunit = "property-service"\nrole = "support"\nwaived = true', ()),
        (
            'what = "return_requested"\nunit = "urban-management"\nruling = "undecided"',
            (Waiting(reason="return_pending", unit="urban-management"),),
        ),
        ('what = "return_requested"\nunit = "urban-management"\nruling = "refused"', ()),
        (
            'what = "return_requested"\nunit = "urban-management"\nruling = "upheld"\nto_unit = "sanitation"',
            (),
        ),
        ('what = "failed_check"\nunit = "urban-management"\ntimes = 2', ()),
        (
            'what = "failed_check"\nunit = "urban-management"\ntimes = "for ever"',
            (Waiting(reason="rework", unit="urban-management"),),
        ),
        ('what = "unchecked"\nunit = "urban-management"', (Waiting(reason="waiting_for_check"),)),
        ('what = "unaccepted"\nsource = "hotline-12345"', (Waiting(reason="not_accepted"),)),
    ],
)
def test_each_deviation_says_what_its_case_waits_for(
    tmp_path: Path, deviation: str, expected: tuple[Waiting, ...]
) -> None:
    problem = deviating(tmp_path, deviation)
    figures = expect([problem])
    assert figures.total.closed == (0 if expected else 1)
    assert figures.open_cases == ({expected: 1} if expected else {})


def test_an_upheld_return_counts_for_the_unit_that_got_the_task(tmp_path: Path) -> None:
    problem = deviating(
        tmp_path, 'what = "return_requested"\nunit = "urban-management"\nruling = "upheld"\nto_unit = "sanitation"'
    )
    assert expect([problem]).groups["department"] == {"sanitation": Tally(reported=1, closed=1)}


def test_every_figure_that_differs_is_named(tmp_path: Path) -> None:
    problems = expand(read(tmp_path, REPORTS), SCENE, "test-1")
    found = differences(expect(problems), expect(problems[1:]))
    assert any(line.startswith("reported: the plan expects 40, analytics answers 39") for line in found)
    assert any(line.startswith("street 220281") for line in found)
    assert differences(expect(problems), expect(problems)) == []


def test_a_rate_is_rounded_half_up() -> None:
    assert Tally(reported=344, closed=338).rate == "98.26"
    assert Tally(reported=800, closed=1).rate == "0.13"


def test_a_unit_that_fails_for_ever_gives_up_after_some_failures(tmp_path: Path) -> None:
    problem = deviating(tmp_path, 'what = "failed_check"\nunit = "urban-management"\ntimes = "for ever"')
    acts = [
        act_on_leg(problem, unit="urban-management", state="handling", failures=failures)
        for failures in range(PERSISTENCE + 1)
    ]
    assert acts == ["feed_back"] * PERSISTENCE + [None]
    assert finds_it_gone(problem, PERSISTENCE - 1) is False


def test_a_check_passes_after_the_failures_of_the_plan(tmp_path: Path) -> None:
    problem = deviating(tmp_path, 'what = "failed_check"\nunit = "urban-management"\ntimes = 2')
    assert [finds_it_gone(problem, failures) for failures in range(3)] == [False, False, True]


def test_a_unit_that_asks_for_a_return_goes_on_when_it_is_refused(tmp_path: Path) -> None:
    problem = deviating(tmp_path, 'what = "return_requested"\nunit = "urban-management"\nruling = "refused"')
    assert act_on_leg(problem, unit="urban-management", state="assigned", failures=0) == "request_return"
    assert ruling(problem) == Ruling(to_unit=None)
    assert act_on_leg(problem, unit="urban-management", state="handling", failures=0) == "feed_back"
    assert act_on_leg(problem, unit="property-service", state="assigned", failures=0) == "sign"


def test_nobody_does_what_the_plan_leaves_undone(tmp_path: Path) -> None:
    silent = deviating(tmp_path, 'what = "silent"\nunit = "property-service"\nrole = "support"\nwaived = true')
    assert act_on_leg(silent, unit="property-service", state="assigned", failures=0) is None
    assert waives(silent, "property-service")
    assert not waives(silent, "urban-management")
    undecided = deviating(tmp_path, 'what = "return_requested"\nunit = "urban-management"\nruling = "undecided"')
    assert ruling(undecided) is None
    assert finds_it_gone(deviating(tmp_path, 'what = "unchecked"\nunit = "urban-management"'), 0) is None
    assert not accepts(deviating(tmp_path, 'what = "unaccepted"\nsource = "hotline-12345"'))
