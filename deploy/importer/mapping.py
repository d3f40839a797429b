"""The mapping of a foreign table to reports: one TOML file, explained in `mappings/boston311.toml`.

A row becomes a submission or a list of field errors; neither reading nor mapping knows the door that it goes through.
"""

import math
import tomllib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final
from zoneinfo import ZoneInfo, available_timezones

import msgspec
from msgspec import Meta, Struct

from shared.contracts.common import Slug, TargetType
from shared.contracts.intake import ReportSubmission, SubmittedCategory, SubmittedPlace
from shared.kernel.errors import FieldError

MAPPINGS: Final = Path(__file__).parent / "mappings"
_MAXIMUM_DESCRIPTION: Final = 4000
_MAXIMUM_ADDRESS: Final = 200
_STREET_DIGITS: Final = 9
_DECIMALS: Final = 6

Row = Mapping[str, str]


class MappingProblem(Exception):
    """The mapping file cannot be used, or does not fit the table: says where and what to write instead."""


class Part(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the mapping file; a key that we do not know is an error, said by name."""


class Columns(Part, frozen=True, kw_only=True):
    """Names of the table's columns. Several `description` columns are joined by a full stop and a blank."""

    id: str
    observed_at: str
    category: str
    longitude: str
    latitude: str
    description: tuple[str, ...]
    address: str | None = None
    photo: str | None = None


class TimeRule(Part, frozen=True, kw_only=True):
    """How the table writes time: a strptime format without zone, and the zone in which that is meant."""

    format: str
    zone: str


class CategoryRule(Part, frozen=True, kw_only=True):
    """Which code stands for which word of the table; a word that is not in `codes` is refused."""

    system: Slug
    codes: dict[str, str]


class PlaceRule(Part, frozen=True, kw_only=True):
    """How a position becomes one of the city's.

    The table's position is moved by `to` - `from`, its east-west part stretched so that metres stay metres.
    `unknown` are positions that mean "not known". The community is looked up in `communities` by the text of
    `community_column`; its first nine digits are the street.
    """

    origin: tuple[float, float] = msgspec.field(name="from")
    target: tuple[float, float] = msgspec.field(name="to")
    unknown: tuple[tuple[float, float], ...] = ()
    community_column: str | None = None
    communities: dict[str, Annotated[str, Meta(pattern="^[0-9]{12}$")]] = msgspec.field(default_factory=dict)


class TableMapping(Part, frozen=True, kw_only=True):
    """A whole mapping."""

    columns: Columns
    time: TimeRule
    category: CategoryRule
    place: PlaceRule
    target_type: TargetType = "public_space"
    campaign: Annotated[str, Meta(min_length=1, max_length=40)] | None = None


def load_mapping(path: Path) -> TableMapping:
    """Read a mapping file; a bare name means one of ours.

    Raises:
        MappingProblem: naming the file and what is wrong in it.
    """
    file = path if path.suffix else MAPPINGS / f"{path.name}.toml"
    try:
        mapping = msgspec.convert(tomllib.loads(file.read_text(encoding="utf-8")), TableMapping)
    except FileNotFoundError as error:
        known = ", ".join(sorted(mapping.stem for mapping in MAPPINGS.glob("*.toml")))
        raise MappingProblem(f"{file}: there is no such mapping. Give a path, or one of ours: {known}.") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise MappingProblem(f"{file}: {error}. boston311.toml explains every key.") from error
    if mapping.time.zone not in available_timezones():
        raise MappingProblem(f"{file}: time.zone: no zone {mapping.time.zone}; write a name such as Asia/Shanghai.")
    return mapping


def missing_columns(mapping: TableMapping, header: Sequence[str]) -> list[str]:
    """Return the columns that the mapping names and the table does not have."""
    columns = mapping.columns
    needed = (columns.id, columns.observed_at, columns.category, columns.longitude, columns.latitude)
    optional = (columns.address, columns.photo, mapping.place.community_column)
    named = (*needed, *columns.description, *(column for column in optional if column))
    return [name for name in named if name not in header]


def row_id(row: Row, mapping: TableMapping) -> str:
    """Return what names the row for ever, "" when it has nothing there."""
    return _text(row, mapping.columns.id)


def submission_of(row: Row, mapping: TableMapping) -> ReportSubmission | list[FieldError]:
    """Return the report that the row means, or every field of the row that cannot be read."""
    errors: list[FieldError] = []
    observed_at = _time(row, mapping, errors)
    code = _category(row, mapping, errors)
    position = _position(row, mapping, errors)
    description = _description(row, mapping, errors)
    if errors or observed_at is None or position is None:
        return errors
    columns, community = mapping.columns, _community(row, mapping)
    return ReportSubmission(
        category=SubmittedCategory(system=mapping.category.system, code=code),
        place=SubmittedPlace(
            longitude=position[0],
            latitude=position[1],
            street=community[:_STREET_DIGITS] if community else None,
            community=community,
            address=_text(row, columns.address)[:_MAXIMUM_ADDRESS] or None,
        ),
        observed_at=observed_at,
        description=description,
        target_type=mapping.target_type,
        campaign=mapping.campaign,
        photos=tuple(photo for photo in (_text(row, columns.photo),) if photo),
    )


def _text(row: Row, column: str | None) -> str:
    return "" if column is None else (row.get(column) or "").strip()


def _time(row: Row, mapping: TableMapping, errors: list[FieldError]) -> datetime | None:
    """Read local time; of an hour that the zone has twice the first is meant."""
    column = mapping.columns.observed_at
    text = _text(row, column)
    if not text:
        errors.append(FieldError(field=column, code="required", message="The time is missing."))
        return None
    try:
        local = datetime.strptime(text, mapping.time.format)  # noqa: DTZ007 - the zone follows in the next line
    except ValueError:
        message = f"{text!r} is not a time of the form {mapping.time.format}."
        errors.append(FieldError(field=column, code="not_a_time", message=message))
        return None
    return local.replace(tzinfo=ZoneInfo(mapping.time.zone)).astimezone(UTC)


def _category(row: Row, mapping: TableMapping, errors: list[FieldError]) -> str:
    column = mapping.columns.category
    word = _text(row, column)
    code = mapping.category.codes.get(word, "")
    if not code:
        message = f"The mapping has no code for {word!r}; add it under category.codes."
        errors.append(FieldError(field=column, code="unmapped_category", message=message))
    return code


def _position(row: Row, mapping: TableMapping, errors: list[FieldError]) -> tuple[float, float] | None:
    columns, rule = mapping.columns, mapping.place
    numbers = [_degrees(row, column, errors) for column in (columns.longitude, columns.latitude)]
    longitude, latitude = numbers
    if longitude is None or latitude is None:
        return None
    if (longitude, latitude) in rule.unknown:
        message = "The table writes this position where it does not know the place."
        errors.append(FieldError(field=columns.longitude, code="position_unknown", message=message))
        return None
    (from_longitude, from_latitude), (to_longitude, to_latitude) = rule.origin, rule.target
    stretch = math.cos(math.radians(from_latitude)) / math.cos(math.radians(to_latitude))
    moved = to_longitude + (longitude - from_longitude) * stretch, to_latitude + latitude - from_latitude
    return round(moved[0], _DECIMALS), round(moved[1], _DECIMALS)


def _degrees(row: Row, column: str, errors: list[FieldError]) -> float | None:
    text = _text(row, column)
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if math.isfinite(number):
        return number
    errors.append(FieldError(field=column, code="not_a_number", message=f"{text!r} is not a number of degrees."))
    return None


def _description(row: Row, mapping: TableMapping, errors: list[FieldError]) -> str:
    columns = mapping.columns.description
    text = ". ".join(part for part in (_text(row, column) for column in columns) if part)
    if not text:
        errors.append(FieldError(field=", ".join(columns), code="required", message="There is no description."))
    return text[:_MAXIMUM_DESCRIPTION]


def _community(row: Row, mapping: TableMapping) -> str | None:
    """Return the community's code; None lets the report wait for an acceptor to complete it."""
    return mapping.place.communities.get(_text(row, mapping.place.community_column))
