"""An explained deadline as sentences for people, in Chinese and in English; times are local."""

from datetime import datetime, timedelta
from typing import Final

from shared.contracts.reference import Limit
from shared.deadlines.steps import Explained, Step, Stretch
from shared.deadlines.wording import WORDINGS, Language, Wording
from shared.deadlines.working_time import LOCAL

_ONE_DAY: Final = timedelta(days=1)
_WHOLE_DAY: Final = (Stretch(start="00:00", end="24:00"),)


def sentences(explained: Explained, language: Language) -> tuple[str, ...]:
    """Return why the deadline is what it is: what runs from when, a sentence a step, and when it is due."""
    wording = WORDINGS[language]
    limit = limit_text(explained.limit, language)
    extended = wording.extended.format(extensions=explained.extensions) if explained.extensions else ""
    heading = wording.heading.format(limit=limit, extended=extended, start=_start(explained.started_at, wording))
    due = wording.provisional if explained.provisional else wording.due
    told, extensions, warned = [], 0, False
    for step in explained.steps:
        extensions += step.kind == "extension"
        sentence = _sentence(step, explained.limit, extensions, wording)
        told.append(sentence + wording.unpublished * (step.provisional and not warned))
        warned = warned or step.provisional
    return heading, *told, due.format(due=_end(explained.due_at, wording))


def limit_text(limit: Limit, language: Language) -> str:
    """Return a limit as people say it: `5 working days`."""
    wording = WORDINGS[language]
    unit = wording.units[limit.unit]
    return unit if limit.unit == "at_once" else f"{limit.amount} {unit}{wording.plural * (limit.amount != 1)}"


def duration_text(duration: timedelta, limit: Limit, language: Language) -> str:
    """Return counted time, such as what `remaining` gives, as people say it; the sign is the reader's."""
    return _duration(abs(duration), limit, WORDINGS[language])


def _sentence(step: Step, limit: Limit, extensions: int, wording: Wording) -> str:
    several = step.kind == "working_day" and step.days > 1
    template = wording.working_days if several else wording.sentences[step.kind]
    language: Language = "zh" if wording is WORDINGS["zh"] else "en"
    moved = _duration(abs(step.moved), limit, wording)
    return template.format(
        start=_start(step.started_at, wording),
        end=_end(step.ended_at, wording),
        days_of=_days(step, wording),
        days=step.days,
        slots=_slots(step.stretches, wording),
        used=_duration(step.used, limit, wording),
        delay=wording.delay.format(moved=moved) if step.moved else wording.no_delay,
        name=step.name_zh if language == "zh" else step.name_en,
        number=extensions,
        limit=limit_text(limit, language),
    )


def _days(step: Step, wording: Wording) -> str:
    """Return the day of a step, or its first and last; the year of the last only where it is another."""
    first = step.started_at.astimezone(LOCAL)
    last = (step.ended_at - timedelta.resolution).astimezone(LOCAL)
    if first.date() >= last.date():
        return _day(first, wording)
    ending = _day(last, wording, with_year=first.year != last.year)
    return wording.span.format(first=_day(first, wording), last=ending)


def _day(local: datetime, wording: Wording, *, with_year: bool = True) -> str:
    weekday = wording.weekdays[local.weekday()]
    return wording.day.format(date=f"{local:%Y-%m-%d}" if with_year else f"{local:%m-%d}", weekday=weekday)


def _start(instant: datetime, wording: Wording) -> str:
    local = instant.astimezone(LOCAL)
    return f"{_day(local, wording)} {local:%H:%M:%S}".removesuffix(":00")


def _end(instant: datetime, wording: Wording) -> str:
    """Return an instant at which something ends: midnight is the end of the day before it."""
    local = instant.astimezone(LOCAL)
    if (local.hour, local.minute, local.second) != (0, 0, 0):
        return _start(instant, wording)
    return f"{_day(local - _ONE_DAY, wording)} 24:00"


def _slots(stretches: tuple[Stretch, ...], wording: Wording) -> str:
    if stretches == _WHOLE_DAY:
        return wording.whole_day
    return wording.list_separator.join(f"{stretch.start}-{stretch.end}" for stretch in stretches)


def _duration(duration: timedelta, limit: Limit, wording: Wording) -> str:
    """Return days of a statutory limit, else hours, minutes and seconds, without those that are none."""
    if limit.unit == "statutory_working_day" and not duration % _ONE_DAY:
        return wording.durations["day"].format(duration // _ONE_DAY)
    minutes, seconds = divmod(duration // timedelta(seconds=1), 60)
    words = wording.durations
    parts = [(words["hour"], minutes // 60), (words["minute"], minutes % 60), (words["second"], seconds)]
    return " ".join(word.format(amount) for word, amount in parts if amount) or words["hour"].format(0)
