"""What Chinese and English call the steps of a deadline. `rendering` fills the sentences."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from shared.contracts.reference import LimitUnit
from shared.deadlines.steps import StepKind

Language = Literal["zh", "en"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """The sentences of a language, and the parts that they are made of."""

    heading: str
    extended: str
    sentences: Mapping[StepKind, str]
    working_days: str
    """Instead of the sentence of one working day, where there are several alike."""
    unpublished: str
    """After the first step with days that the calendar does not know."""
    due: str
    provisional: str
    delay: str
    no_delay: str
    weekdays: tuple[str, ...]
    day: str
    span: str
    list_separator: str
    whole_day: str
    units: Mapping[LimitUnit, str]
    plural: str
    durations: Mapping[Literal["day", "hour", "minute", "second"], str]


CHINESE: Final = Wording(
    heading="时限 {limit}{extended}，自 {start} 起计。",
    extended="，延期 {extensions} 次",
    sentences={
        "working_day": "{days_of}：{slots}，计 {used}。",
        "make_up_day": "{days_of}：{name}，上班，{slots}，计 {used}。",
        "weekend": "{days_of}：周末，不计。",
        "day_off": "{days_of}：{name}，共 {days} 天，不计，{delay}。",
        "off_hours": "{start} 之后：当日已无工作时间，不计。",
        "first_day": "{days_of}：起算当日不计。",
        "natural": "{start} 至 {end}：昼夜、节假日均计，计 {used}。",
        "at_once": "{start}：立即到期。",
        "pause": "{start} 至 {end}：停止计时，{delay}。",
        "extension": "{end}：原应到期，第 {number} 次延期，增加 {limit}。",
    },
    working_days="{days_of}：{days} 个工作日（{slots}），计 {used}。",
    unpublished="自此放假安排尚未公布，暂按星期和固定节日推算。",
    due="到期：{due}。",
    provisional="到期（暂定）：{due}。放假安排公布后重新计算。",
    delay="期限顺延 {moved}",
    no_delay="期限不变",
    weekdays=("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
    day="{date}（{weekday}）",
    span="{first}至 {last}",
    list_separator="、",
    whole_day="全天",
    units={
        "urgent_hour": "紧急工作时",
        "urgent_day": "紧急工作日",
        "working_hour": "工作时",
        "working_day": "工作日",
        "natural_day": "自然日",
        "statutory_working_day": "法定工作日",
        "at_once": "立即",
    },
    plural="",
    durations={"day": "{} 天", "hour": "{} 小时", "minute": "{} 分", "second": "{} 秒"},
)

ENGLISH: Final = Wording(
    heading="The limit is {limit}{extended}, from {start}.",
    extended=" and was extended {extensions}×",
    sentences={
        "working_day": "{days_of}: {slots}, counts {used}.",
        "make_up_day": "{days_of}: {name}, a working day, {slots}, counts {used}.",
        "weekend": "{days_of}: weekend, does not count.",
        "day_off": "{days_of}: {name}, days off: {days}, does not count; {delay}.",
        "off_hours": "After {start}: no working time is left on that day.",
        "first_day": "{days_of}: the first day does not count.",
        "natural": "{start} to {end}: nights and days off count too, {used}.",
        "at_once": "{start}: due at once.",
        "pause": "{start} to {end}: the clock stood still; {delay}.",
        "extension": "{end}: the limit would have ended here; extension {number} adds {limit}.",
    },
    working_days="{days_of}: {days} working days ({slots}), count {used}.",
    unpublished=" From here on the holidays are not published yet: by weekday and fixed holidays.",
    due="Due: {due}.",
    provisional="Due, provisionally: {due}. It is computed again when the holidays are published.",
    delay="the deadline is later by {moved}",
    no_delay="the deadline does not move",
    weekdays=("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    day="{weekday} {date}",
    span="{first} to {last}",
    list_separator=", ",
    whole_day="whole day",
    units={
        "urgent_hour": "urgent hour",
        "urgent_day": "urgent day",
        "working_hour": "working hour",
        "working_day": "working day",
        "natural_day": "natural day",
        "statutory_working_day": "statutory working day",
        "at_once": "at once",
    },
    plural="s",
    durations={"day": "{} d", "hour": "{} h", "minute": "{} min", "second": "{} s"},
)

WORDINGS: Final[Mapping[Language, Wording]] = {"zh": CHINESE, "en": ENGLISH}
