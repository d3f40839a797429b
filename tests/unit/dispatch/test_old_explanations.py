"""Events that were published before there were own rules, times and validity are read as they were meant."""

import msgspec

from shared.contracts.dispatch import CaseDispatched, CaseRoutingFailed, ConsideredRule
from shared.contracts.reference import Catalogue

STAMP = b'"at":"2026-11-24T02:30:00Z","by":{"client":"dispatch","unit":"dispatch","post":"system","person":null}'
DISPATCHED = (
    b"{" + STAMP + b',"legs":[{"leg":1,"unit":"fire-rescue","role":"lead","limit":{"amount":2,"unit":"urgent_hour"}}],'
    b'"explanation":{"rule":"E0701","catalogue_version":1,"units_version":1,"legal_basis":"x","considered":'
    b'[{"rule":"E0701-here","verdict":"other_place"},{"rule":"E0701","verdict":"won"}],"decided_by":"power_list",'
    b'"reason":null,"overrides":null}}'
)
FAILED = (
    b"{" + STAMP + b',"explanation":{"rule":null,"catalogue_version":1,"units_version":1,"legal_basis":"",'
    b'"considered":[{"rule":"E0701","verdict":"other_target"}],"decided_by":"power_list","reason":null,'
    b'"overrides":null},"reason":"no_rule","detail":"none fits"}'
)
CATALOGUE = (
    b'{"system":"jiaohe","title_zh":"x","title_en":"x","categories":[],"power_list":[{"rule":"E0701","category":"E0701",'
    b'"lead":"fire-rescue","support":["@street"],"legal_basis":"","target_types":["resident"],"streets":["220281001"]}]}'
)


def test_an_old_dispatch_has_rules_of_the_power_list_and_no_version_of_own_rules() -> None:
    event = msgspec.json.decode(DISPATCHED, type=CaseDispatched)
    assert event.explanation.considered == (
        ConsideredRule(rule="E0701-here", verdict="other_place"),
        ConsideredRule(rule="E0701", verdict="won"),
    )
    assert {rule.origin for rule in event.explanation.considered} == {"power_list"}
    assert event.explanation.routing_version is None
    assert event.level == "city"


def test_an_old_failure_is_read() -> None:
    event = msgspec.json.decode(FAILED, type=CaseRoutingFailed)
    assert (event.explanation.rule, event.explanation.calendar_version) == (None, None)


def test_a_rule_of_an_old_power_list_is_for_any_time_and_always_in_force() -> None:
    (rule,) = msgspec.json.decode(CATALOGUE, type=Catalogue).power_list
    assert (rule.when, rule.valid_from, rule.valid_until, rule.communities, rule.level) == (
        None,
        None,
        None,
        (),
        "city",
    )


def test_what_says_nothing_new_is_written_as_before() -> None:
    assert msgspec.json.encode(ConsideredRule(rule="E0701", verdict="won")) == b'{"rule":"E0701","verdict":"won"}'
