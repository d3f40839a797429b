"""The units of the city with its sources of reports, and its places, from their files."""

import json
from collections.abc import Sequence

import msgspec

from services.dispatch.domain.routing import HANDLING_KINDS
from services.dispatch.seed.files import CITY, DATA, File, read_rows, read_toml
from shared.contracts.common import Post
from shared.contracts.reference import Area, Places, Source, Unit, Units


class _Unit(File, frozen=True, kw_only=True):
    code: str
    zh: str
    en: str
    kind: str
    posts: tuple[Post, ...]


class _Source(File, frozen=True, kw_only=True):
    code: str
    zh: str
    en: str
    trusted: bool


class _UnitsFile(File, frozen=True, kw_only=True):
    unit: tuple[_Unit, ...]
    source: tuple[_Source, ...]


def units() -> Units:
    """Return the units of the city, its streets among them, and the sources of reports."""
    file = read_toml(f"units-{CITY}.toml", _UnitsFile)
    listed = [
        msgspec.convert(
            {"code": row.code, "name_zh": row.zh, "name_en": row.en, "kind": row.kind, "posts": row.posts}, Unit
        )
        for row in file.unit
    ]
    return Units(units=(*listed, *_street_units()), sources=(*_unit_sources(listed), *map(_source, file.source)))


def places() -> Places:
    """Return the city's outline, streets and communities."""
    collection = json.loads((DATA / f"{CITY}_outline.geojson").read_text(encoding="utf-8"))
    feature = collection["features"][0]
    (ring,) = feature["geometry"]["coordinates"][0]
    streets = [{"code": row["code"], "name": row["name"], "kind": row["kind"]} for row in read_rows("streets.csv")]
    communities = [
        {"code": row["code"], "name": row["name"], "kind": row["kind"], "parent": row["street_code"]}
        for row in read_rows("communities.csv")
    ]
    return Places(
        city=CITY,
        name=feature["properties"]["name"],
        outline=msgspec.convert(ring, tuple[tuple[float, float], ...]),
        areas=msgspec.convert([*streets, *communities], tuple[Area, ...]),
    )


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
        for row in read_rows("streets.csv")
    ]


def _unit_sources(listed: Sequence[Unit]) -> list[Source]:
    return [
        Source(code=unit.code, name_zh=unit.name_zh, name_en=unit.name_en, trusted=True)
        for unit in listed
        if unit.kind in HANDLING_KINDS
    ]


def _source(row: _Source) -> Source:
    return Source(code=row.code, name_zh=row.zh, name_en=row.en, trusted=row.trusted)
