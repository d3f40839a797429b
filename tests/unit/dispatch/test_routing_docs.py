"""The example of docs/routing.md, as it stands there: its rule may be published, and its question has its answer."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import msgspec

from services.dispatch import seed
from services.dispatch.domain.hypothesis import Hypothesis, Versions, suppose
from services.dispatch.domain.reference_checks import check_document
from services.dispatch.domain.routing import Routed, Unroutable, route
from services.dispatch.domain.routing_words import in_words
from shared.contracts.dispatch import Verdict
from shared.contracts.library import ReferenceLibrary
from shared.contracts.reference import Routing
from shared.kernel.errors import Refusal

PAGE = (Path(__file__).parents[3] / "docs" / "routing.md").read_text(encoding="utf-8")
RULES, QUESTION = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
CHINESE, ENGLISH = (block.splitlines() for block in re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL))


def city() -> ReferenceLibrary:
    """Return the city of the seed with the rule of the page as version 2 of its own rules."""
    known = ReferenceLibrary()
    for (kind, name), document in seed.documents().items():
        known = known.with_document(kind, name, 1, document)
    return known.with_document("routing", seed.CITY, 2, msgspec.json.decode(RULES, type=Routing))


def question() -> Hypothesis:
    asked = json.loads(QUESTION)
    return Hypothesis(
        system=asked["category"]["system"],
        code=asked["category"]["code"],
        condition=asked["category"]["condition"],
        street=None,
        community=asked["place"]["community"],
        target_type=asked["target_type"],
        at=datetime.fromisoformat(asked["at"]),
        versions=Versions(),
    )


def answer(asked: Hypothesis) -> Routed | Unroutable:
    found = suppose(city(), seed.CITY, asked)
    assert not isinstance(found, Refusal), found
    return route(*found)


def test_the_rule_of_the_page_may_be_published() -> None:
    document = msgspec.json.decode(RULES, type=Routing)
    assert check_document(document, name=seed.CITY, city=seed.CITY, library=city()) == ()


def test_the_question_of_the_page_has_the_answer_of_the_page() -> None:
    result = answer(question())
    assert isinstance(result, Routed)
    assert [leg.unit for leg in result.legs] == ["urban-management", "public-security"]
    said = in_words(result.explanation, [(leg.unit, leg.role) for leg in result.legs], seed.units())
    assert list(said.zh) == CHINESE
    assert list(said.en) == ENGLISH


def test_at_the_other_times_of_the_page_the_power_list_answers() -> None:
    monday = answer(replace(question(), at=datetime(2026, 12, 7, 2, 0, tzinfo=UTC)))
    before = answer(replace(question(), at=datetime(2026, 11, 30, 14, 30, tzinfo=UTC)))
    assert [one.verdict for one in monday.explanation.considered] == ["other_time", "won"]
    assert [one.verdict for one in before.explanation.considered] == ["not_in_force", "won"]
    assert isinstance(monday, Routed)
    assert [leg.unit for leg in monday.legs] == ["public-security", "urban-management", "street-220281001"]


def test_the_page_explains_every_verdict() -> None:
    assert [verdict for verdict in get_args(Verdict) if f"`{verdict}`" not in PAGE] == []
