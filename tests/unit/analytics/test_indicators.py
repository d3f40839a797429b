"""Ratios and their percentages (I-15)."""

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.analytics.domain.indicators import CUMULATIVE_CLOSURE, Ratio, percentage


def shown(numerator: int, denominator: int) -> str:
    return percentage(Ratio(numerator=numerator, denominator=denominator, cut_off=None))


@pytest.mark.parametrize(
    "numerator, denominator, expected",
    [
        (338, 344, "98.26"),
        (911, 972, "93.72"),
        (737, 972, "75.82"),
        (0, 7, "0.00"),
        (7, 7, "100.00"),
        (1, 3, "33.33"),
        (2, 3, "66.67"),
        (1, 800, "0.13"),
        (1, 160, "0.63"),
        (1, 20_000, "0.01"),
        (1, 20_001, "0.00"),
        (19_999, 20_000, "100.00"),
    ],
)
def test_a_percentage_is_rounded_half_up_once(numerator: int, denominator: int, expected: str) -> None:
    assert shown(numerator, denominator) == expected


def test_nothing_of_nothing_is_no_hundred_percent() -> None:
    assert shown(0, 0) == "—"


@pytest.mark.parametrize("numerator, denominator", [(1, 0), (-1, 2), (1, -2)])
def test_a_ratio_that_counts_nothing_real_is_an_error(numerator: int, denominator: int) -> None:
    with pytest.raises(ValueError, match=r"ratio counts|numerator counts"):
        Ratio(numerator=numerator, denominator=denominator, cut_off=None)


@given(st.integers(0, 10**9), st.integers(1, 10**9))
def test_a_percentage_equals_exact_decimal_arithmetic(numerator: int, denominator: int) -> None:
    digits, rest = divmod(numerator * 10**6, denominator)
    exact = Decimal(digits).scaleb(-4) + (Decimal("0.00000001") if rest else 0)
    assert Decimal(shown(numerator, denominator)) == exact.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)


def test_the_cumulative_rate_never_goes_by_the_name_of_the_rate_on_due_cases() -> None:
    assert CUMULATIVE_CLOSURE.title_zh == "累计办结率"
    assert CUMULATIVE_CLOSURE.name == "cumulative_closure_rate"
