"""From figures and rows to what the API answers: percentages, names, addresses and reasons, added at the edge."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from datetime import datetime
from itertools import groupby
from typing import Final

from msgspec import structs

from services.analytics.api.parameters import address
from services.analytics.api.views import (
    BesideView,
    CaseView,
    ClosureView,
    CountedView,
    CountingRuleView,
    FigureView,
    LegFigureView,
    LegView,
    MarkView,
    PartitionView,
    ReasonView,
    TopicView,
)
from services.analytics.domain.facts import LegFacts
from services.analytics.domain.indicators import CUMULATIVE_CLOSURE, Ratio, percentage
from services.analytics.domain.names import Name, Names, named
from services.analytics.domain.openness import AFTER_CUT_OFF, LEVELS, why_open
from services.analytics.queries import BESIDE, Beside, CaseRow, Figures, Filters, Group, LegFigures, Progress

_TOTAL: Final = Name(zh="合计", en="Total")
_NOTHING: Final[Mapping[Group, Name]] = {
    "street": Name(zh="街道不明", en="Street unknown"),
    "community": Name(zh="社区不明", en="Community unknown"),
    "department": Name(zh="尚未派遣", en="Not dispatched"),
    "campaign": Name(zh="不属于专项行动", en="No campaign"),
    "level": Name(zh="尚未派遣", en="Not dispatched"),
}
_BESIDE: Final[Mapping[Beside, Name]] = {
    "suspended": Name(zh="挂账", en="Suspended"),
    "reopened": Name(zh="重开", en="Reopened"),
    "overdue": Name(zh="处置超期", en="Overdue"),
    "exempted": Name(zh="超期申诉成立（免计）", en="Overdue, exempted on appeal"),
    "extended": Name(zh="延期", en="Extended"),
    "returned": Name(zh="回退", en="Returned"),
    "reworked": Name(zh="返工", en="Reworked"),
    "supervised": Name(zh="督办", en="Supervised"),
    "escalated": Name(zh="升级", en="Escalated"),
}
_OF_CASE: Final = (*("number", "level", "dispatched_at", "closed_at", "voided_at", "void_reason"),)
"""What a case's view says as its facts do."""


def closure_view(
    filters: Filters,
    total: Figures,
    group: Group | None,
    groups: Iterable[Figures],
    legs: Iterable[LegFigures],
    progress: Progress,
    names: Names,
) -> ClosureView:
    """Return the closure rate with everything that a reader needs to trust it."""
    cut_off = filters.as_of or progress.latest_at
    fixed = replace(filters, as_of=cut_off)
    return ClosureView(
        rule=CountingRuleView(**asdict(CUMULATIVE_CLOSURE)),
        cut_off=cut_off,
        total=_figure(total, _TOTAL, fixed, cut_off),
        group=group,
        groups=tuple(
            _figure(
                figures, _group_name(group, figures.key or "", names), fixed.within(group, figures.key or ""), cut_off
            )
            for figures in groups
            if group is not None
        ),
        legs=tuple(_legs(figures, fixed, names) for figures in legs),
        counted=_counted(progress),
    )


def case_view(row: CaseRow, names: Names) -> CaseView:
    """Return one problem with what it waits for."""
    report, case = row.report, row.case
    category = named(names.categories, f"{report.category_system}:{report.category_code}")
    merged = (case.merged_at, case.merged_into) if case else (report.report_merged_at, report.report_merged_into)
    reasons = (why_open(report, case, names.units) or (AFTER_CUT_OFF,)) if row.counted_as == "open" else ()
    return CaseView(
        case_id=row.stream,
        counted_as=row.counted_as,
        source=report.source,
        category_system=report.category_system,
        category=report.category_code,
        category_zh=category.zh,
        category_en=category.en,
        street=report.street,
        street_name=report.street and named(names.areas, report.street).zh,
        community=report.community,
        community_name=report.community and named(names.areas, report.community).zh,
        campaign=report.campaign,
        department=case.lead if case else None,
        observed_at=report.observed_at,
        reported_at=report.reported_at,
        filed_at=report.filed_at,
        **{name: getattr(case, name, None) for name in _OF_CASE},
        merged_at=merged[0],
        merged_into=merged[1],
        rejected_at=report.rejected_at,
        rejection=report.rejection,
        reasons=tuple(ReasonView(**asdict(reason)) for reason in reasons),
        marks=tuple(MarkView(**structs.asdict(mark)) for mark in case.marks) if case else (),
        legs=tuple(leg_view(leg, names) for _, leg in sorted(case.legs.items())) if case else (),
    )


def leg_view(leg: LegFacts, names: Names) -> LegView:
    """Return one leg with its unit's name."""
    unit = named(names.units, leg.unit)
    return LegView(name_zh=unit.zh, name_en=unit.en, **structs.asdict(leg))


def _figure(figures: Figures, name: Name, filters: Filters, cut_off: datetime | None) -> FigureView:
    ratio = Ratio(numerator=figures.closed, denominator=figures.reported, cut_off=cut_off)
    return FigureView(
        key=figures.key or "",
        name_zh=name.zh,
        name_en=name.en,
        numerator=ratio.numerator,
        denominator=ratio.denominator,
        percentage=percentage(ratio),
        open=figures.open,
        voided=figures.voided,
        merged=figures.merged,
        rejected=figures.rejected,
        beside=tuple(_beside(figures, one) for one in BESIDE),
        cases=address("/v1/cases", filters),
    )


def _beside(figures: Figures, counted: Beside) -> BesideView:
    name, times = _BESIDE[counted], figures.of(counted)
    return BesideView(counted=counted, name_zh=name.zh, name_en=name.en, cases=times.cases, times=times.times)


def _legs(figures: LegFigures, filters: Filters, names: Names) -> LegFigureView:
    unit = named(names.units, figures.unit)
    return LegFigureView(
        unit=figures.unit,
        name_zh=unit.zh,
        name_en=unit.en,
        assigned=figures.assigned,
        fed_back=figures.fed_back,
        waived=figures.waived,
        open=figures.open,
        suspended=figures.beside["suspended"],
        overdue=figures.beside["overdue"],
        exempted=figures.beside["exempted"],
        legs=address("/v1/legs", filters, unit=figures.unit),
    )


def _group_name(group: Group, key: str, names: Names) -> Name:
    if not key:
        return _NOTHING[group]
    match group:
        case "street" | "community":
            return named(names.areas, key)
        case "department":
            return named(names.units, key)
        case "category":
            return named(names.categories, key)
        case "source":
            return named(names.sources, key)
        case "level":
            return named(LEVELS, key)
        case "campaign" | "day":
            return Name(zh=key, en=key)


def _counted(progress: Progress) -> CountedView:
    topics = groupby(progress.partitions, key=lambda partition: partition.topic)
    return CountedView(
        topics=tuple(
            _topic(
                topic,
                tuple(
                    PartitionView(partition=one.partition, next_offset=one.next_offset, events=one.events)
                    for one in partitions
                ),
            )
            for topic, partitions in topics
        ),
        held_streams=progress.held_streams,
        cases_without_report=progress.cases_without_report,
        latest_event_at=progress.latest_at,
    )


def _topic(topic: str, partitions: tuple[PartitionView, ...]) -> TopicView:
    return TopicView(topic=topic, events=sum(partition.events for partition in partitions), partitions=partitions)
