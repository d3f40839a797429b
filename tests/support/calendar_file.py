"""`python -m tests.support.calendar_file`: write the days that chinesecalendar knows as the seed's table.

Run it when a version of the library with another year is installed (`make calendar`); the running system reads the
table alone.
"""

import csv
import io
from collections.abc import Iterator
from datetime import date, timedelta
from importlib.metadata import version
from typing import Final

import chinese_calendar

from services.dispatch.seed.files import CITY, DATA

COLUMNS: Final = ("day", "work", "name_zh", "name_en", "source")
FIRST: Final = min(chinese_calendar.holidays).replace(month=1, day=1)
LAST: Final = max(chinese_calendar.holidays).replace(month=12, day=31)

_CHINESE: Final = {holiday.value: holiday.chinese for holiday in chinese_calendar.Holiday}


def every_day() -> Iterator[date]:
    """Yield every day that the library knows."""
    day = FIRST
    while day <= LAST:
        yield day
        day += timedelta(days=1)


def table() -> str:
    """Return the days that are more than their weekday says, as CSV."""
    source = f"chinesecalendar {version('chinesecalendar')}"
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for day in every_day():
        off, english = chinese_calendar.get_holiday_detail(day)
        if english is None:
            continue
        chinese = _CHINESE[english]
        names = (chinese, english) if off else (f"{chinese}调休", f"make-up day for {english}")
        writer.writerow((day.isoformat(), "off" if off else "on", *names, source))
    return text.getvalue()


if __name__ == "__main__":
    (DATA / f"calendar-{CITY}.csv").write_text(table(), encoding="utf-8")
