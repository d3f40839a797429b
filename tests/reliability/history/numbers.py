"""Case numbers: every case has one of its own, of the city's day on which it was opened (ADR 0019)."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Final

from tests.reliability.history.copies import Streams
from tests.reliability.history.facts import Facts, Finding
from tests.reliability.history.recount import kind_of

_OF_THE_CITY: Final = timezone(timedelta(hours=8))
_NUMBER: Final = re.compile(r"[0-9A-Z]+-JE-(\d{8})-\d{6,}")


def check_numbers(facts: Facts, streams: Streams) -> Iterator[Finding]:
    """Judge the number of every case, and by which one departments heard of it; gaps between numbers are allowed."""
    numbers: dict[str, str | None] = {}
    for (topic, stream), events in streams.items():
        for event in events:
            if topic == "dispatch.cases" and kind_of(event) == "opened":
                number = numbers[stream] = json.loads(event.document).get("number")
                yield from _of_its_day(stream, number, event.time)
    times = Counter(numbers.values())
    for stream, number in numbers.items():
        if number is not None and times[number] > 1:
            yield _finding(f"{number} is the number of {times[number]} cases", stream)
    for task in facts.tasks:
        if task.case in numbers and task.number != numbers[task.case]:
            yield _finding(f"{task.unit} heard of {task.number}, which is {numbers[task.case]}", task.case)


def _of_its_day(stream: str, number: str | None, opened_at: str) -> Iterator[Finding]:
    day = f"{datetime.fromisoformat(opened_at).astimezone(_OF_THE_CITY):%Y%m%d}"
    read = _NUMBER.fullmatch(number or "")
    if read is None or read[1] != day:
        yield _finding(f"{number} is no number of a case that was opened on {day}", stream)


def _finding(what: str, case: str) -> Finding:
    return Finding(invariant="ADR 0019", what=what, where=case)
