"""The city's calendar, working hours and limits of stages, from their files."""

from datetime import date

from services.dispatch.seed.files import CITY, File, limit, read_rows, read_toml
from shared.contracts.reference import Calendar, CalendarDay, FixedHoliday, LimitPolicy, Season, Slot


class _Holiday(File, frozen=True, kw_only=True):
    day: str
    zh: str
    en: str


class _CalendarFile(File, frozen=True, kw_only=True):
    city: str
    first_year: int
    last_year: int
    fixed_holiday: tuple[_Holiday, ...]


class _Season(File, frozen=True, kw_only=True):
    starts_on: str
    zh: str
    en: str
    slots: tuple[str, ...]


class _Limits(File, frozen=True, kw_only=True):
    accept: str
    file: str
    verify: str
    dispatch: str
    sign: str
    check: str
    reinspection: str


class _LimitPolicyFile(File, frozen=True, kw_only=True):
    city: str
    season: tuple[_Season, ...]
    limits: _Limits


def calendar() -> Calendar:
    """Return what is known of the city's days."""
    file = read_toml(f"calendar-{CITY}.toml", _CalendarFile)
    return Calendar(
        city=file.city,
        first_year=file.first_year,
        last_year=file.last_year,
        days=tuple(_day(row) for row in read_rows(f"calendar-{CITY}.csv")),
        fixed_holidays=tuple(
            FixedHoliday(day=holiday.day, name_zh=holiday.zh, name_en=holiday.en) for holiday in file.fixed_holiday
        ),
    )


def limit_policy() -> LimitPolicy:
    """Return the city's working hours and how long each stage may take."""
    file = read_toml(f"limit-policy-{CITY}.toml", _LimitPolicyFile)
    return LimitPolicy(
        city=file.city,
        seasons=tuple(_season(season) for season in file.season),
        accept=limit(file.limits.accept),
        file=limit(file.limits.file),
        verify=limit(file.limits.verify),
        dispatch=limit(file.limits.dispatch),
        sign=limit(file.limits.sign),
        check=limit(file.limits.check),
        reinspection=limit(file.limits.reinspection),
    )


def _day(row: dict[str, str]) -> CalendarDay:
    return CalendarDay(
        day=date.fromisoformat(row["day"]),
        workday={"on": True, "off": False}[row["work"]],
        name_zh=row["name_zh"],
        name_en=row["name_en"],
        source=row["source"],
    )


def _season(season: _Season) -> Season:
    return Season(
        starts_on=season.starts_on,
        name_zh=season.zh,
        name_en=season.en,
        slots=tuple(_slot(text) for text in season.slots),
    )


def _slot(text: str) -> Slot:
    """Read `08:00-12:00`."""
    start, _, end = text.partition("-")
    return Slot(start=start, end=end)
