"""How long a deadline takes, and an explained one, beside a loop over the days, in turn in one process.

The loop is what one writes first: it asks the calendar's library day by day and goes through the slots. Both answer the
same questions, and every answer of the one is compared with that of the other. It knows neither pauses nor seasons.
"""

import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Final, TypeVar

import chinese_calendar

from services.dispatch.seed import calendar, catalogue, limit_policy
from shared.contracts.reference import Limit
from shared.deadlines.clocks import start_clock
from shared.deadlines.deadline import deadline
from shared.deadlines.explaining import explain
from shared.deadlines.rendering import sentences
from shared.deadlines.working_time import LOCAL, WorkingTime
from tests.bench.result import Figure, Result, Scale

_FIRST: Final = datetime(2004, 1, 1, tzinfo=UTC)
_LAST: Final = datetime(2026, 11, 1, tzinfo=UTC)
_HOURS: Final = {"working_hour": 1, "working_day": 8}
_SLOTS: Final = ((timedelta(hours=8), timedelta(hours=12)), (timedelta(hours=14), timedelta(hours=18)))

Question = tuple[datetime, Limit]
Asked = TypeVar("Asked")
Answer = TypeVar("Answer")


async def run(scale: Scale) -> Result:
    """Measure the loop, deadlines, clocks and explained clocks in turn; every round has questions of its own."""
    working_time = WorkingTime.of(calendar(), limit_policy())
    naive: list[float] = []
    ours: list[float] = []
    clocks: list[float] = []
    explained: list[float] = []
    for number in range(scale.rounds):
        asked = questions(number, scale.pick(50_000, 2_000))
        expected, loop = timed(lambda question: by_days(*question), asked)
        found, own = timed(lambda question: deadline(*question, working_time).due_at, asked)
        assert found == expected
        running, clock = timed(
            lambda question: start_clock("handle", question[1], question[0], working_time, 1, 1), asked
        )
        few = running[: scale.pick(5_000, 200)]
        told, telling = timed(lambda each: sentences(explain(each, working_time), "zh"), few)
        assert all(told)
        for values, micros in ((naive, loop), (ours, own), (clocks, clock), (explained, telling)):
            values.append(micros)
    return Result(
        part="deadlines",
        figures=[
            Figure(name="a deadline, by a loop over the days", unit="µs", values=naive),
            Figure(name="a deadline, ours", unit="µs", values=ours),
            Figure(name="a clock: its deadline and two warnings", unit="µs", values=clocks),
            Figure(name="a deadline explained in sentences", unit="µs", values=explained),
        ],
        summary={
            "deadlines_per_second": 1e6 / median(ours),
            "deadlines_explained_per_second": 1e6 / median(explained),
            "deadlines_ratio": median(naive) / median(ours),
        },
        notes=["CPU of this process; starts at random from 2004 to 2026, the working limits of the catalogue"],
    )


def questions(seed: int, count: int) -> list[Question]:
    """Return starts at random, each with a limit of the catalogue that counts working time."""
    chance = random.Random(seed)
    limits = [
        condition.limit
        for category in catalogue("jiaohe").categories
        for condition in category.conditions
        if condition.limit.unit in _HOURS
    ]
    span = (_LAST - _FIRST) // timedelta(seconds=1)
    return [(_FIRST + timedelta(seconds=chance.randrange(span)), chance.choice(limits)) for _ in range(count)]


def by_days(start: datetime, limit: Limit) -> datetime:
    """Return the deadline, by going through the days and their slots."""
    moment = start.astimezone(LOCAL)
    left = timedelta(hours=_HOURS[limit.unit] * limit.amount)
    while True:
        midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        if chinese_calendar.is_workday(moment.date()):
            for opens, closes in _SLOTS:
                begin, end = max(moment, midnight + opens), midnight + closes
                if begin < end:
                    if left <= end - begin:
                        return begin + left
                    left -= end - begin
        moment = midnight + timedelta(days=1)


def timed(answer: Callable[[Asked], Answer], asked: Sequence[Asked]) -> tuple[list[Answer], float]:
    """Return the answers, and the CPU microseconds that each of them took."""
    begun = time.process_time()
    answers = [answer(question) for question in asked]
    return answers, (time.process_time() - begun) / len(asked) * 1e6
