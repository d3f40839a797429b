"""What the files in `data` have in common: strict shapes, tables, and limits as people write them."""

import csv
import tomllib
from pathlib import Path
from typing import Final, TypeVar, get_args

import msgspec

from shared.contracts.reference import Limit, LimitUnit

CITY: Final = "jiaohe"
DATA: Final = Path(__file__).parents[1] / "data"

T = TypeVar("T")


class File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What people write into the files: a misspelt field is an error."""


def read_toml(name: str, shape: type[T]) -> T:
    """Return what a file says.

    Raises:
        ValueError: if it does not keep to the form that its head describes.
    """
    try:
        return msgspec.convert(tomllib.loads((DATA / name).read_text(encoding="utf-8")), shape)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ValueError(f"{name}: {error}") from error


def read_rows(name: str) -> list[dict[str, str]]:
    """Return the rows of a table by the names of their columns."""
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def limit(text: str) -> Limit:
    """Read `at_once` or `<amount> <unit>`.

    Raises:
        ValueError: if it is neither.
    """
    amount, _, unit = text.rpartition(" ")
    if unit not in get_args(LimitUnit):
        raise ValueError(f"{text!r} is no limit; units are {', '.join(get_args(LimitUnit))}.")
    return msgspec.convert({"amount": int(amount or "0"), "unit": unit}, Limit)
