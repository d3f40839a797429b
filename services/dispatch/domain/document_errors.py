"""How what is wrong with a reference document is said: the small things that the checks of all kinds share."""

from collections import Counter
from collections.abc import Iterable, Iterator

from shared.kernel.errors import FieldError


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
