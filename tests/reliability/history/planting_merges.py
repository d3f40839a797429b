"""Violations to plant of what cases and reports say of their merges, and of what their reporters are told."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from tests.reliability.history.facts import Facts
from tests.reliability.history.planting import Plant, drop_published, events, first, lose, with_other

_REPORTS: Final = "intake.reports"


def accept_after_merge(facts: Facts) -> Facts:
    """Accept a report that was merged."""
    merged, accepted = events(facts, "merged", _REPORTS)[0], events(facts, "accepted", _REPORTS)[0]
    last = max(event.sequence for event in facts.published if (event.topic, event.stream) == (_REPORTS, merged.stream))
    late = replace(accepted, stream=merged.stream, sequence=last + 1)
    return replace(facts, published=[*facts.published, late])


def merge_a_master(facts: Facts) -> Facts:
    """Merge a report, as which another one goes on, into that one."""
    merged = events(facts, "merged", _REPORTS)[0]
    master = json.loads(merged.document)["master"]
    document = json.dumps(json.loads(merged.document) | {"master": merged.stream}).encode()
    circle = replace(merged, stream=master, sequence=merged.sequence + 1000, document=document)
    return replace(facts, published=[*facts.published, circle])


def reject_a_master(facts: Facts) -> Facts:
    """Reject a report before the one that it admitted has come."""
    admitted, rejected = events(facts, "merge_admitted", _REPORTS)[0], events(facts, "rejected", _REPORTS)[0]
    confirmed = first(events(facts, "merge_confirmed", _REPORTS), lambda event: event.stream == admitted.stream)
    early = replace(rejected, stream=confirmed.stream, sequence=confirmed.sequence)
    return replace(facts, published=with_other(facts.published, confirmed, early))


def tell_nobody_else(facts: Facts) -> Facts:
    """Tell of a closed case its own reporter alone, though reports were merged into that one."""
    told = first(events(facts, "outcome_told"), lambda event: "merged_reports" in json.loads(event.document))
    body = json.loads(told.document)
    del body["merged_reports"]
    other = replace(told, document=json.dumps(body).encode())
    return replace(facts, published=with_other(facts.published, told, other))


OF_MERGES: Final[Mapping[str, tuple[str, str, Plant]]] = {
    "a reporter was not told": ("I-6", "merge_told of", drop_published("merge_told")),
    "a reporter was told of nothing": ("I-6", "1 times, not 0 times", drop_published("unmerged")),
    "a case that was asked to carry another is silent": (
        "I-6",
        "answered 0 times about taking on",
        lose("merge_admitted", "dispatch.cases"),
    ),
    "a report that was asked to carry another is silent": (
        "I-6",
        "answered 0 times about taking on",
        lose("merge_admitted", _REPORTS),
    ),
    "a report that was told that another has come is silent": (
        "I-6",
        "answered 0 times about having come",
        lose("merge_confirmed", _REPORTS),
    ),
    "a merged report is worked on": ("I-6", "accepted after it was merged", accept_after_merge),
    "a report is merged into a merged one": ("I-6", "which is merged itself", merge_a_master),
    "a report is merged into a rejected one": ("I-6", "were about to be merged into it", reject_a_master),
    "the reporter of a merged report is not told": ("I-6", "for the reporters of [], not of", tell_nobody_else),
}
"""By name: the invariant, what is found, and the plant."""
