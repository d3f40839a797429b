"""Plans and a small city for tests of the campaign: two categories, a few units, one street."""

from pathlib import Path

from deploy.campaign.plan import Plan, load_plan
from deploy.campaign.problems import Problem, Scene, expand
from shared.contracts.common import TargetType
from shared.contracts.reference import (
    Area,
    Catalogue,
    Category,
    FilingCondition,
    Limit,
    Places,
    PowerRule,
    Routing,
    Source,
    Unit,
    Units,
)

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
    routing=Routing(city="jiaohe", overrides=()),
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
