"""A plan is read strictly, expanded the same way every time, and says what the figures must be."""

from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any, Final

import pytest
from msgspec.structs import replace

from deploy.campaign.expectation import Tally, expect
from deploy.campaign.plan import DEFAULT_PLAN, PLANS, PlanProblem, load_plan
from deploy.campaign.problems import Scene, expand, route, share_out
from services.dispatch import seed
from shared.contracts.common import Place, TargetType
from shared.contracts.reference import Catalogue, Kind, LocalOverride, Places, Routing, Units, When
from tests.support.plans import HEAD, REPORTS, SCENE, read

CITY: Final = "jiaohe"
SEEDED: Final[tuple[Kind, ...]] = ("catalogue", "routing", "units", "places")


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
    assert lead_of(SCENE, "E0136", "property_company") == "property-service"
    assert lead_of(SCENE, "E0136", "resident") == "urban-management"


def lead_of(scene: Scene, category: str, target_type: TargetType, community: str = "220281001001") -> str | None:
    place = Place(longitude=127.34, latitude=43.72, street=community[:9], community=community)
    rule = route(scene, category, target_type, place)
    return None if rule is None else rule.lead


def with_own(*overrides: LocalOverride) -> Scene:
    """The small city with rules of its own."""
    return replace(SCENE, routing=Routing(city=CITY, overrides=overrides))


def own(lead: str, **narrower: Any) -> LocalOverride:  # noqa: ANN401 - fields of the rule
    defaults = {"system": CITY, "category": "E0136", "support": (), "legal_basis": "none", "reason": "agreed"}
    return LocalOverride(**defaults | {"rule": f"own-{lead}", "lead": lead} | narrower)


def test_a_rule_of_the_citys_own_wins_over_a_narrower_one_of_the_power_list() -> None:
    scene = with_own(own("sanitation"))
    assert lead_of(scene, "E0136", "property_company") == "sanitation"
    assert lead_of(scene, "E0191", "resident") == "urban-management"
    assert lead_of(with_own(own("sanitation", system="boston311")), "E0136", "resident") == "urban-management"


def test_of_the_citys_own_rules_the_one_for_the_community_wins_where_it_is() -> None:
    scene = with_own(own("sanitation", streets=("220281001",)), own("property-service", communities=("220281001001",)))
    assert lead_of(scene, "E0136", "resident", "220281001001") == "property-service"
    assert lead_of(scene, "E0136", "resident", "220281001002") == "sanitation"
    assert lead_of(scene, "E0136", "resident", "220281002001") == "urban-management"


@pytest.mark.parametrize(
    "narrower",
    [{"when": When(weekdays=(6, 7))}, {"valid_from": date(2026, 12, 1)}, {"valid_until": date(2026, 12, 1)}],
)
def test_a_rule_that_holds_at_some_times_only_makes_a_plan_impossible(narrower: dict[str, object]) -> None:
    scene = with_own(own("sanitation", **narrower))
    with pytest.raises(PlanProblem, match="own-sanitation"):
        lead_of(scene, "E0136", "resident")
    assert lead_of(scene, "E0191", "resident") == "urban-management"


def test_the_problems_of_a_plan_follow_the_citys_own_rules(tmp_path: Path) -> None:
    problems = expand(read(tmp_path, REPORTS), with_own(own("sanitation")), "test-1")
    assert {problem.lead for problem in problems if problem.category.code == "E0136"} == {"sanitation"}


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
    catalogue, routing, units, places = (documents[kind, CITY] for kind in SEEDED)
    assert isinstance(catalogue, Catalogue)
    assert isinstance(routing, Routing)
    assert isinstance(units, Units)
    assert isinstance(places, Places)
    return Scene(catalogue=catalogue, catalogue_version=1, routing=routing, units=units, places=places)


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
