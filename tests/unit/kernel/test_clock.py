"""Clocks."""

from datetime import UTC, datetime, timedelta

import pytest

from shared.kernel.clock import ManualClock, SystemClock


def test_the_system_clock_tells_utc() -> None:
    assert SystemClock().now().tzinfo is UTC


def test_a_manual_clock_moves_only_when_told_and_only_forward() -> None:
    start = datetime(2026, 2, 13, 9, 30, tzinfo=UTC)
    clock = ManualClock(start)
    clock.advance(timedelta(hours=2))
    assert clock.now() == start + timedelta(hours=2)
    with pytest.raises(ValueError, match="backwards"):
        clock.advance(timedelta(seconds=-1))
