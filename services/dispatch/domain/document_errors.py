"""How what is wrong with a reference document is said: the small things that the checks of all kinds share."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

import msgspec

from shared.contracts.reference import Document
from shared.contracts.validation import MAXIMUM_ERRORS
from shared.kernel.errors import FieldError

_MAXIMUM_FIELD: Final = 200
"""A stranger's field names are text of any length."""


def error(field: str, code: str, message: str) -> FieldError:
    """Return one thing that is wrong with the field of this path."""
    return FieldError(field=field, code=code, message=message)


def duplicates(path: str, field: str, values: Iterable[str | None]) -> Iterator[FieldError]:
    """Name every value that stands in the list at `path` for at least the second time; None is no value."""
    seen: Counter[str] = Counter()
    for index, value in enumerate(values):
        if value is None:
            continue
        seen[value] += 1
        if seen[value] > 1:
            place = f"{path}.{index}.{field}".rstrip(".")
            yield error(place, "duplicate", f"{value} stands here more than once.")


def unknown_fields(sent: bytes, document: Document) -> Iterator[FieldError]:
    """Name every field of the JSON that the document does not have.

    Readers ignore such a field, so that versions may grow; who publishes has misspelt it, and would not get what they
    meant: a rule in force today for one that was to begin later.
    """
    found = _unknown("", msgspec.json.decode(sent), msgspec.to_builtins(document))
    yield from islice(found, MAXIMUM_ERRORS)


def _unknown(path: str, sent: object, known: object) -> Iterator[FieldError]:
    if isinstance(sent, dict) and isinstance(known, dict):
        for name, value in sent.items():
            field = f"{path}.{name}".lstrip(".")
            if name in known:
                yield from _unknown(field, value, known[name])
            else:
                yield error(field[:_MAXIMUM_FIELD], "additionalProperties", "There is no such field.")
    elif isinstance(sent, list) and isinstance(known, list | tuple):
        for index, (one, other) in enumerate(zip(sent, known, strict=True)):
            yield from _unknown(f"{path}.{index}".lstrip("."), one, other)
