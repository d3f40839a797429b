"""What analytics answers about one campaign, read over its public API."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from deploy.campaign.door import Door, Unreachable
from deploy.campaign.expectation import Figures, Reasons, Tally, Waiting
from deploy.campaign.outcome import OpenCase

_GROUPINGS: Final = ("street", "department", "category")
_CLOSURE: Final = "/v1/indicators/closure"


async def read_total(door: Door, campaign: str) -> Tally:
    """Return how many problems of the campaign are reported and closed now."""
    return _tally((await _closure(door, campaign=campaign))["total"])


async def read_figures(door: Door, campaign: str) -> Figures:
    """Return every figure of the campaign."""
    total: Mapping[str, Any] = (await _closure(door, campaign=campaign))["total"]
    groups = {}
    for grouping in _GROUPINGS:
        rows = (await _closure(door, campaign=campaign, group=grouping))["groups"]
        groups[grouping] = {str(row["key"]): _tally(row) for row in rows}
    waiting = Counter([_reasons(case) async for case in _open(door, campaign)])
    return Figures(total=_tally(total), rate=total["percentage"], groups=groups, open_cases=dict(waiting))


async def open_cases_of(door: Door, campaign: str) -> list[OpenCase]:
    """Return the open cases with the reasons that analytics gives for each, in both languages."""
    return [
        OpenCase(case_id=case["case_id"], sentences=tuple((reason["zh"], reason["en"]) for reason in case["reasons"]))
        async for case in _open(door, campaign)
    ]


def _open(door: Door, campaign: str) -> Any:  # noqa: ANN401 - documents as they came
    return door.items("analytics", "/v1/cases", campaign=campaign, counted="open")


def _reasons(case: Mapping[str, Any]) -> Reasons:
    return tuple(sorted(Waiting(reason=reason["code"], unit=reason["unit"] or "") for reason in case["reasons"]))


async def _closure(door: Door, **parameters: str) -> Mapping[str, Any]:
    reply = await door.get("analytics", _CLOSURE, **parameters)
    if not reply.accepted:
        raise Unreachable(f"analytics does not answer {_CLOSURE}: {reply}")
    return reply.document


def _tally(figure: Mapping[str, Any]) -> Tally:
    return Tally(reported=figure["denominator"], closed=figure["numerator"])
