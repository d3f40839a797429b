"""The reference data that a new city starts with."""

import re
import tomllib
from datetime import date

import msgspec
import pytest
from shapely import Point, Polygon

from services.dispatch import seed
from services.dispatch.domain.reference import PublishReference, decide
from services.dispatch.domain.reference_checks import check_document
from services.dispatch.seed import rules
from services.dispatch.seed.files import DATA, limit
from shared.contracts.decisions import Context
from shared.contracts.library import ReferenceLibrary
from shared.contracts.reference import Limit, PowerRule, When
from shared.contracts.registry import topics
from shared.kernel.errors import Refusal
from tests.support.reference import NOON

SAFETY_ROWS = {*range(20, 23), *range(34, 41)}


def library() -> ReferenceLibrary:
    known = ReferenceLibrary()
    for (kind, name), document in seed.documents().items():
        known = known.with_document(kind, name, 1, document)
    return known


def test_every_document_passes_the_checks_against_the_others() -> None:
    known = library()
    found = {
        key: check_document(document, name=key[1], city=seed.CITY, library=known)
        for key, document in seed.documents().items()
    }
    assert all(errors == () for errors in found.values()), found


def test_all_forty_kinds_of_problems_are_there() -> None:
    text = (DATA / "catalogue-jiaohe.toml").read_text(encoding="utf-8")
    blocks = re.findall(r"# row (\d+)\n(.*?)(?=\n\[\[|\Z)", text, re.DOTALL)
    assert {int(row) for row, _ in blocks} == set(range(1, 41))
    assert len(blocks) == len(seed.catalogue("jiaohe").categories)
    assert {int(row) for row, block in blocks if "safety = true" in block} == SAFETY_ROWS


def test_limits_that_were_found_in_practice_are_kept() -> None:
    limits = {
        (category.code, condition.code): condition.limit
        for category in seed.catalogue("jiaohe").categories
        for condition in category.conditions
    }
    assert limits["E0101-1", "01"] == Limit(amount=2, unit="urgent_day")
    assert limits["E0110", "01"] == Limit(amount=4, unit="working_hour")
    assert limits["E0701", "01"] == Limit(amount=0, unit="at_once")
    assert limits["P0123", "02"] == Limit(amount=4, unit="working_hour")


def test_every_category_says_where_it_comes_from() -> None:
    for system in seed.CATALOGUES:
        assert all(category.source for category in seed.catalogue(system).categories)


def test_the_import_sample_has_its_22_request_types() -> None:
    assert len({category.name_en for category in seed.catalogue("boston311").categories}) == 22


def test_private_parking_locks_in_compounds_belong_to_housing() -> None:
    leads = {rule.rule: rule.lead for rule in seed.catalogue("jiaohe").power_list if rule.category == "E0196"}
    assert leads == {"E0196": "urban-management", "E0196-compound": "housing"}


def test_the_city_has_its_streets_and_communities_inside_a_real_outline() -> None:
    places = seed.places()
    kinds = [area.kind for area in places.areas]
    assert len(places.areas) == 17 + 286
    assert kinds.count("street") == 7
    assert Polygon(places.outline).contains(Point(127.34, 43.72))


def test_every_handling_unit_and_every_source_gets_topics() -> None:
    departments, sources = seed.department_codes(), seed.source_codes()
    assert "joint-administration" not in departments
    assert {"urban-management", "property-service", "street-220281001"} <= set(departments)
    assert {"urban-management", "grid-platform", "boston311"} <= set(sources)
    assert len({topic.name for topic in topics(sources, departments)}) == len(topics(sources, departments))


def test_the_seed_is_published_as_version_1_of_each_document_without_knowing_the_others() -> None:
    for command in seed.seed_commands():
        assert isinstance(command.body, PublishReference)
        context = Context(stream=command.stream, now=NOON, at=NOON, actor=command.actor, library=ReferenceLibrary())
        outcome = decide(seed.CITY, None, command.body, context)
        assert not isinstance(outcome, Refusal), outcome
        assert [event.version for event in outcome] == [1]


def test_a_repeat_of_the_seed_is_the_same_request() -> None:
    first = [command.request for command in seed.seed_commands()]
    assert first == [command.request for command in seed.seed_commands()]
    assert len({request.key for request in first if request is not None}) == len(first) == 7


@pytest.mark.parametrize("text", ["2 fortnights", "urgent_hours", ""])
def test_a_limit_in_a_file_that_says_nothing_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no limit"):
        limit(text)


def test_a_narrower_rule_of_a_file_says_where_when_and_at_which_level() -> None:
    text = """
        code = "E1"
        zh = "甲"
        en = "one"
        lead = "fire-rescue"
        support = []
        source = "invented"
        law = "a law"
        level = "community"

        [[narrower]]
        rule = "E1-night"
        lead = "@street"
        support = ["fire-rescue"]
        communities = ["220281001001"]
        when = { working_time = false, weekdays = [6, 7] }
        level = "street"
        valid_from = 2026-12-01
    """
    row = msgspec.convert(tomllib.loads(text), rules._Category)
    general, narrow = rules._rules(row)
    assert (general.rule, general.level, general.when) == ("E1", "community", None)
    assert narrow == PowerRule(
        rule="E1-night",
        category="E1",
        lead="@street",
        support=("fire-rescue",),
        legal_basis="a law",
        communities=("220281001001",),
        when=When(working_time=False, weekdays=(6, 7)),
        level="street",
        valid_from=date(2026, 12, 1),
    )
