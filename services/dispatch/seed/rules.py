"""The catalogues with their power lists, and the city's own rules, from their files."""

from collections.abc import Sequence
from datetime import date
from typing import Final

import msgspec

from services.dispatch.seed.files import CITY, File, limit, read_toml
from shared.contracts.common import Level, TargetType
from shared.contracts.reference import (
    Catalogue,
    Category,
    FilingCondition,
    LocalOverride,
    PowerRule,
    Routing,
    When,
)

CATALOGUES: Final = ("jiaohe", "boston311")


class _Condition(File, frozen=True, kw_only=True):
    code: str
    zh: str
    en: str
    limit: str
    statutory: bool
    closing_zh: str
    closing_en: str


class _Narrower(File, frozen=True, kw_only=True):
    rule: str
    lead: str
    support: tuple[str, ...]
    target_types: tuple[TargetType, ...] = ()
    streets: tuple[str, ...] = ()
    communities: tuple[str, ...] = ()
    when: When | None = None
    level: Level = "city"
    valid_from: date | None = None
    valid_until: date | None = None


class _Category(File, frozen=True, kw_only=True):
    code: str
    zh: str
    en: str
    lead: str
    support: tuple[str, ...]
    source: str
    conditions: tuple[_Condition, ...] = ()
    conditions_of: str | None = None
    narrower: tuple[_Narrower, ...] = ()
    law: str = ""
    level: Level = "city"
    component: bool = False
    local: bool = False
    safety: bool = False
    no_site_check: bool = False


class _CatalogueFile(File, frozen=True, kw_only=True):
    system: str
    title_zh: str
    title_en: str
    category: tuple[_Category, ...]


class _Override(LocalOverride, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class _RoutingFile(File, frozen=True, kw_only=True):
    city: str
    overrides: tuple[_Override, ...]


def catalogue(system: str) -> Catalogue:
    """Return the catalogue of a code system.

    Raises:
        ValueError: if its file does not keep to the form that its head describes.
    """
    file = read_toml(f"catalogue-{system}.toml", _CatalogueFile)
    conditions = {category.code: category.conditions for category in file.category}
    return Catalogue(
        system=file.system,
        title_zh=file.title_zh,
        title_en=file.title_en,
        categories=tuple(_category(row, conditions[row.conditions_of or row.code]) for row in file.category),
        power_list=tuple(rule for row in file.category for rule in _rules(row)),
    )


def routing() -> Routing:
    """Return the city's own rules."""
    file = read_toml(f"routing-{CITY}.toml", _RoutingFile)
    return Routing(city=file.city, overrides=file.overrides)


def _category(row: _Category, conditions: Sequence[_Condition]) -> Category:
    return Category(
        code=row.code,
        name_zh=row.zh,
        name_en=row.en,
        component=row.component,
        local=row.local,
        safety=row.safety,
        no_site_check=row.no_site_check,
        conditions=tuple(_condition(condition) for condition in conditions),
        legal_basis=row.law,
        source=row.source,
    )


def _condition(row: _Condition) -> FilingCondition:
    return FilingCondition(
        code=row.code,
        name_zh=row.zh,
        name_en=row.en,
        limit=limit(row.limit),
        statutory=row.statutory,
        closing_condition_zh=row.closing_zh,
        closing_condition_en=row.closing_en,
    )


def _rules(row: _Category) -> list[PowerRule]:
    general = PowerRule(
        rule=row.code,
        category=row.code,
        lead=row.lead,
        support=row.support,
        legal_basis=row.law,
        level=row.level,
    )
    narrower = [
        PowerRule(category=row.code, legal_basis=row.law, **msgspec.structs.asdict(rule)) for rule in row.narrower
    ]
    return [general, *narrower]
