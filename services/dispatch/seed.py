"""The first version of every reference document, read from the files in `data`, and the commands that publish it.

The files serve a new city once. Later versions are published by an administrator: where a version exists already, a
changed file changes nothing.
"""

import csv
import json
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Final, TypeVar, get_args

import msgspec

from services.dispatch.domain.reference import PublishReference
from services.dispatch.domain.routing import HANDLING_KINDS
from shared.contracts.common import Actor, Post, TargetType
from shared.contracts.reference import (
    Area,
    Catalogue,
    Category,
    Document,
    FilingCondition,
    Kind,
    Limit,
    LimitUnit,
    LocalOverride,
    Places,
    PowerRule,
    Routing,
    Source,
    Unit,
    Units,
    reference_stream,
)
from shared.contracts.registry import party_uri
from shared.contracts.validation import canonical_digest
from shared.ledger.commands import Cause, Command, Request

AGGREGATE: Final = "reference"
"""The name under which the ledger must know the aggregate of `domain/reference.py`."""
CITY: Final = "jiaohe"
CATALOGUES: Final = ("jiaohe", "boston311")

_DATA: Final = Path(__file__).parent / "data"
_PUBLISHER: Final = Actor(client="dispatch", unit="joint-administration", post="administrator")

T = TypeVar("T")


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What people write into the files: a misspelt field is an error."""


class _Condition(_File, frozen=True, kw_only=True):
    code: str
    zh: str
    en: str
    limit: str
    statutory: bool
    closing_zh: str
    closing_en: str


class _Narrower(_File, frozen=True, kw_only=True):
    rule: str
    lead: str
    support: tuple[str, ...]
    target_types: tuple[TargetType, ...] = ()
    streets: tuple[str, ...] = ()


class _Category(_File, frozen=True, kw_only=True):
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
    component: bool = False
    local: bool = False
    safety: bool = False
    no_site_check: bool = False


class _CatalogueFile(_File, frozen=True, kw_only=True):
    system: str
    title_zh: str
    title_en: str
    category: tuple[_Category, ...]


class _Unit(_File, frozen=True, kw_only=True):
    code: str
    zh: str
    en: str
    kind: str
    posts: tuple[Post, ...]


class _Source(_File, frozen=True, kw_only=True):
    code: str
    zh: str
    en: str
    trusted: bool


class _Override(LocalOverride, frozen=True, kw_only=True, forbid_unknown_fields=True):
    pass


class _RoutingFile(_File, frozen=True, kw_only=True):
    city: str
    overrides: tuple[_Override, ...]


class _UnitsFile(_File, frozen=True, kw_only=True):
    unit: tuple[_Unit, ...]
    source: tuple[_Source, ...]


def documents() -> dict[tuple[Kind, str], Document]:
    """Return version 1 of every document by kind and name; what others refer to first."""
    return {
        ("units", CITY): units(),
        ("places", CITY): places(),
        **{("catalogue", system): catalogue(system) for system in CATALOGUES},
        ("routing", CITY): routing(),
    }


def seed_commands() -> Sequence[Command]:
    """Return the commands that publish version 1 of every document; a repeat changes nothing, whatever the files say.

    Their requests name the document and not its content: the answer to a repeat is the first one's.
    """
    return [_publish(kind, name, document) for (kind, name), document in documents().items()]


def source_codes() -> tuple[str, ...]:
    """Return the slugs of the parties that may submit reports: each has its topics."""
    return tuple(source.code for source in units().sources)


def department_codes() -> tuple[str, ...]:
    """Return the slugs of the units that handle cases (departments, services, streets): each has its topics."""
    return tuple(unit.code for unit in units().units if unit.kind in HANDLING_KINDS)


def catalogue(system: str) -> Catalogue:
    """Return the catalogue of a code system.

    Raises:
        ValueError: if its file does not keep to the form that its head describes.
    """
    file = _read(f"catalogue-{system}.toml", _CatalogueFile)
    conditions = {category.code: category.conditions for category in file.category}
    return Catalogue(
        system=file.system,
        title_zh=file.title_zh,
        title_en=file.title_en,
        categories=tuple(_category(row, conditions[row.conditions_of or row.code]) for row in file.category),
        power_list=tuple(rule for row in file.category for rule in _rules(row)),
    )


def units() -> Units:
    """Return the units of the city, its streets among them, and the sources of reports."""
    file = _read(f"units-{CITY}.toml", _UnitsFile)
    listed = [
        msgspec.convert(
            {"code": row.code, "name_zh": row.zh, "name_en": row.en, "kind": row.kind, "posts": row.posts}, Unit
        )
        for row in file.unit
    ]
    return Units(units=(*listed, *_street_units()), sources=(*_unit_sources(listed), *map(_source, file.source)))


def places() -> Places:
    """Return the city's outline, streets and communities."""
    collection = json.loads((_DATA / f"{CITY}_outline.geojson").read_text(encoding="utf-8"))
    feature = collection["features"][0]
    (ring,) = feature["geometry"]["coordinates"][0]
    streets = [{"code": row["code"], "name": row["name"], "kind": row["kind"]} for row in _rows("streets.csv")]
    communities = [
        {"code": row["code"], "name": row["name"], "kind": row["kind"], "parent": row["street_code"]}
        for row in _rows("communities.csv")
    ]
    return Places(
        city=CITY,
        name=feature["properties"]["name"],
        outline=msgspec.convert(ring, tuple[tuple[float, float], ...]),
        areas=msgspec.convert([*streets, *communities], tuple[Area, ...]),
    )


def routing() -> Routing:
    """Return the city's own rules."""
    file = _read(f"routing-{CITY}.toml", _RoutingFile)
    return Routing(city=file.city, overrides=file.overrides)


def _publish(kind: Kind, name: str, document: Document) -> Command:
    key = f"seed:{kind}:{name}"
    return Command(
        aggregate=AGGREGATE,
        stream=reference_stream(kind, name),
        body=PublishReference(kind=kind, name=name, document=msgspec.json.encode(document), expected_version=0),
        actor=_PUBLISHER,
        cause=Cause(correlation=key),
        request=Request(party=party_uri("services", "dispatch"), key=key, digest=canonical_digest(key, data=None)),
    )


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
        limit=_limit(row.limit),
        statutory=row.statutory,
        closing_condition_zh=row.closing_zh,
        closing_condition_en=row.closing_en,
    )


def _limit(text: str) -> Limit:
    """Read `at_once` or `<amount> <unit>`."""
    amount, _, unit = text.rpartition(" ")
    if unit not in get_args(LimitUnit):
        raise ValueError(f"{text!r} is no limit; units are {', '.join(get_args(LimitUnit))}.")
    return msgspec.convert({"amount": int(amount or "0"), "unit": unit}, Limit)


def _rules(row: _Category) -> list[PowerRule]:
    general = PowerRule(rule=row.code, category=row.code, lead=row.lead, support=row.support, legal_basis=row.law)
    narrower = [
        PowerRule(
            rule=rule.rule,
            category=row.code,
            lead=rule.lead,
            support=rule.support,
            legal_basis=row.law,
            target_types=rule.target_types,
            streets=rule.streets,
        )
        for rule in row.narrower
    ]
    return [general, *narrower]


def _street_units() -> list[Unit]:
    return [
        Unit(
            code=f"street-{row['code']}",
            name_zh=row["name"],
            name_en=f"{row['kind'].capitalize()} {row['code']}",
            kind="street",
            posts=("department", "street", "collector"),
            street=row["code"],
        )
        for row in _rows("streets.csv")
    ]


def _unit_sources(listed: Sequence[Unit]) -> list[Source]:
    return [
        Source(code=unit.code, name_zh=unit.name_zh, name_en=unit.name_en, trusted=True)
        for unit in listed
        if unit.kind in HANDLING_KINDS
    ]


def _source(row: _Source) -> Source:
    return Source(code=row.code, name_zh=row.zh, name_en=row.en, trusted=row.trusted)


def _read(name: str, shape: type[T]) -> T:
    try:
        return msgspec.convert(tomllib.loads((_DATA / name).read_text(encoding="utf-8")), shape)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ValueError(f"{name}: {error}") from error


def _rows(name: str) -> list[dict[str, str]]:
    with (_DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
