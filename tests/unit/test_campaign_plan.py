"""A plan is read strictly, expanded the same way every time, and says what the figures must be."""

from collections import Counter
from pathlib import Path
from typing import Final

import pytest

from deploy.campaign.behaviour import PERSISTENCE, Ruling, accepts, act_on_leg, finds_it_gone, ruling, waives
from deploy.campaign.expectation import Tally, Waiting, differences, expect
from deploy.campaign.plan import DEFAULT_PLAN, PLANS, Plan, PlanProblem, load_plan
from deploy.campaign.problems import Problem, Scene, expand, route, share_out
from services.dispatch import seed
from shared.contracts.common import TargetType
from shared.contracts.reference import (
    Area,
    Catalogue,
    Category,
    FilingCondition,
    Kind,
    Limit,
    Places,
    PowerRule,
    Source,
    Unit,
    Units,
)

SEEDED: Final[tuple[tuple[Kind, str], ...]] = (("catalogue", "jiaohe"), ("units", "jiaohe"), ("places", "jiaohe"))
HEAD = """
[campaign]
code = "test"
title_zh = "测试"
title_en = "Test"
seed = 7
problems = {problems}
[area]
centre = [127.344, 43.724]
radius_metres = 500
[area.communities]
"220281001001" = 3
"220281002001" = 1
"""
REPORTS = """
[[reports]]
source = "urban-management"
weight = 3
[reports.categories]
E0136 = 2
E0191 = 1
[[reports]]
source = "hotline-12345"
weight = 1
mode = "structured"
[reports.categories]
E0136 = 1
"""


def condition(code: str) -> FilingCondition:
    return FilingCondition(
        code=code,
        name_zh=f"条件{code}",
        name_en=f"condition {code}",
        limit=Limit(amount=1, unit="working_day"),
        statutory=False,
        closing_condition_zh="清理干净",
        closing_condition_en="cleared",
    )


def category(code: str) -> Category:
    return Category(
        code=code,
        name_zh=code,
        name_en=code,
        component=False,
        local=False,
        safety=False,
        conditions=(condition("01"), condition("02")),
        legal_basis="none",
        source="test",
    )


def rule(code: str, lead: str, *support: str, target_types: tuple[TargetType, ...] = ()) -> PowerRule:
    return PowerRule(
        rule=f"{code}-{lead}", category=code, lead=lead, support=support, legal_basis="none", target_types=target_types
    )


def unit(code: str) -> Unit:
    return Unit(code=code, name_zh=code, name_en=code, kind="department", posts=("department",))


def source(code: str, *, trusted: bool) -> Source:
    return Source(code=code, name_zh=code, name_en=code, trusted=trusted)


SCENE = Scene(
    catalogue=Catalogue(
        system="jiaohe",
        title_zh="测试",
        title_en="Test",
        categories=(category("E0136"), category("E0191")),
        power_list=(
            rule("E0136", "urban-management", "@street", "property-service"),
            rule("E0136", "property-service", target_types=("property_company",)),
            rule("E0191", "urban-management"),
        ),
    ),
    catalogue_version=4,
    units=Units(
        units=tuple(map(unit, ("urban-management", "property-service", "sanitation", "street-220281001"))),
        sources=(source("urban-management", trusted=True), source("hotline-12345", trusted=False)),
    ),
    places=Places(
        city="jiaohe",
        name="蛟河市",
        outline=((127.0, 43.0), (128.0, 43.0), (128.0, 44.0), (127.0, 44.0), (127.0, 43.0)),
        areas=(
            Area(code="220281001001", name="红星社区", kind="community", parent="220281001"),
            Area(code="220281002001", name="滨河社区", kind="community", parent="220281002"),
        ),
    ),
)


def read(tmp_path: Path, text: str, problems: int = 40) -> Plan:
    file = tmp_path / "plan.toml"
    file.write_text(HEAD.format(problems=problems) + text, encoding="utf-8")
    return load_plan(file)


def deviating(tmp_path: Path, deviation: str) -> Problem:
    """Return the one problem of a plan that has this one deviation."""
    plan = read(tmp_path, f"{REPORTS}\n[[deviations]]\ncount = 1\n{deviation}")
    return next(problem for problem in expand(plan, SCENE, "test-1") if problem.deviation is not None)


def test_shares_are_whole_numbers_that_add_up() -> None:
    assert share_out(10, {"a": 1, "b": 1, "c": 1}) == {"a": 4, "b": 3, "c": 3}
    assert share_out(0, {"a": 5}) == {"a": 0}
    assert share_out(7, {"a": 0, "b": 2}) == {"a": 0, "b": 7}


def test_weights_that_add_up_to_the_total_are_exact_counts() -> None:
    weights = {"a": 148, "b": 121, "c": 69, "d": 6}
    assert share_out(344, weights) == weights


def test_the_same_plan_and_code_give_the_same_problems(tmp_path: Path) -> None:
    plan = read(tmp_path, REPORTS)
    assert expand(plan, SCENE, "test-1") == expand(plan, SCENE, "test-1")


def test_problems_of_two_runs_never_share_a_position(tmp_path: Path) -> None:
    plan = read(tmp_path, REPORTS)
    positions = Counter(
        (problem.place.longitude, problem.place.latitude)
        for code in ("test-1", "test-2")
        for problem in expand(plan, SCENE, code)
    )
    assert len(positions) == 80


def test_problems_follow_the_weights_of_the_plan(tmp_path: Path) -> None:
    problems = expand(read(tmp_path, REPORTS), SCENE, "test-1")
    assert [problem.number for problem in problems] == list(range(1, 41))
    assert Counter(problem.source for problem in problems) == {"urban-management": 30, "hotline-12345": 10}
    assert Counter(problem.category.code for problem in problems) == {"E0136": 30, "E0191": 10}
    assert Counter(problem.place.community for problem in problems) == {"220281001001": 30, "220281002001": 10}
    assert {problem.category.version for problem in problems} == {4}
    assert {problem.mode for problem in problems if problem.source == "hotline-12345"} == {"structured"}


def test_the_street_of_a_rule_is_that_of_the_place(tmp_path: Path) -> None:
    problems = expand(read(tmp_path, REPORTS), SCENE, "test-1")
    assert {unit for problem in problems for unit in problem.support if unit.startswith("street-")} == {
        "street-220281001",
        "street-220281002",
    }


def test_the_rule_that_narrows_most_wins() -> None:
    won = route(SCENE.catalogue, "E0136", "property_company", "220281001")
    general = route(SCENE.catalogue, "E0136", "resident", "220281001")
    assert won is not None
    assert general is not None
    assert (won.lead, general.lead) == ("property-service", "urban-management")


@pytest.mark.parametrize(
    "text, said",
    [
        ("[surprise]", "surprise"),
        (REPORTS.replace("weight = 3", 'weight = "many"'), "reports"),
        (REPORTS.replace("weight = 3", "weight = 0").replace("weight = 1", "weight = 0"), "at least one weight"),
        (REPORTS + '[[deviations]]\nwhat = "vanished"\ncount = 1', "vanished"),
        (REPORTS + '[[deviations]]\nwhat = "silent"\nunit = "urban-management"\ncount = 0', "count"),
        (
            REPORTS + '[[deviations]]\nwhat = "return_requested"\nunit = "x"\nruling = "upheld"\ncount = 1',
            "needs `to_unit`",
        ),
        (REPORTS + '[[deviations]]\nwhat = "silent"\nunit = "x"\nwaived = true\ncount = 1', "never waived"),
        (REPORTS + '[[deviations]]\nwhat = "unaccepted"\nsource = "x"\ncount = 1', "reports nothing"),
        ("[broken", "TOML"),
    ],
)
def test_a_plan_that_cannot_be_read_is_refused_by_name(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(PlanProblem, match=said):
        read(tmp_path, text)


@pytest.mark.parametrize(
    "text, said",
    [
        (REPORTS.replace('"hotline-12345"', '"nobody"'), "no source nobody"),
        (REPORTS.replace("E0191", "E9999"), "no category E9999"),
        (REPORTS + '[[deviations]]\nwhat = "silent"\nunit = "nobody"\ncount = 1', "no unit nobody"),
        (REPORTS + '[[deviations]]\nwhat = "unaccepted"\nsource = "urban-management"\ncount = 1', "is trusted"),
        (REPORTS + '[[deviations]]\nwhat = "silent"\nunit = "sanitation"\ncount = 1', "fits only 0"),
        (REPORTS + '[[deviations]]\nwhat = "silent"\nunit = "urban-management"\ncount = 41', "fits only 40"),
    ],
)
def test_a_plan_that_does_not_fit_the_published_documents_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(PlanProblem, match=said):
        expand(read(tmp_path, text), SCENE, "test-1")


def test_an_area_outside_the_city_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "plan.toml"
    file.write_text(HEAD.format(problems=40).replace("127.344", "129.5") + REPORTS, encoding="utf-8")
    with pytest.raises(PlanProblem, match="leaves the outline"):
        expand(load_plan(file), SCENE, "test-1")


def test_a_missing_plan_names_those_that_exist(tmp_path: Path) -> None:
    with pytest.raises(PlanProblem, match="empty, jiaohe, small"):
        load_plan(tmp_path / "none.toml")


@pytest.mark.parametrize("file", sorted(PLANS.glob("*.toml")), ids=lambda file: file.stem)
def test_every_plan_of_ours_can_be_read(file: Path) -> None:
    assert load_plan(file).campaign.code == file.stem


def published() -> Scene:
    documents = seed.documents()
    catalogue, units, places = (documents[key] for key in SEEDED)
    assert isinstance(catalogue, Catalogue)
    assert isinstance(units, Units)
    assert isinstance(places, Places)
    return Scene(catalogue=catalogue, catalogue_version=1, units=units, places=places)


@pytest.mark.parametrize("file", sorted(PLANS.glob("*.toml")), ids=lambda file: file.stem)
def test_every_plan_of_ours_fits_the_documents_of_a_new_city(file: Path) -> None:
    plan = load_plan(file)
    assert expect(expand(plan, published(), "test-1")).total.reported == plan.campaign.problems


def test_the_default_plan_is_the_campaign_of_the_source_report() -> None:
    figures = expect(expand(load_plan(DEFAULT_PLAN), published(), "test-1"))
    assert (figures.total, figures.rate) == (Tally(reported=344, closed=338), "98.26")
    assert len(figures.open_cases) == 6
    assert set(figures.groups["street"]) == {"220281001"}
    assert set(figures.groups["department"]) == {"", "urban-management", "market-supervision", "fire-rescue"}


def test_an_empty_plan_expects_nothing_of_nothing() -> None:
    figures = expect(expand(load_plan(PLANS / "empty.toml"), SCENE, "empty-1"))
    assert figures.total == Tally(reported=0, closed=0)
    assert figures.rate == "—"
    assert figures.open_cases == {}


def test_weights_of_the_default_plan_are_exact_counts() -> None:
    plan = load_plan(DEFAULT_PLAN)
    assert sum(plan.area.communities.values()) == plan.campaign.problems
    assert sum(report.weight for report in plan.reports) == plan.campaign.problems
    for report in plan.reports:
        assert sum(report.categories.values()) == report.weight


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
