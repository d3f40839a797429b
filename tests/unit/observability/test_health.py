"""Health: ready only when every check says nothing."""

import pytest

from shared.observability.health import Health


def broken() -> str | None:
    raise ConnectionError("refused")


def test_a_process_without_problems_is_ready() -> None:
    health = Health()
    health.add("consumer", lambda: None)
    assert health.readiness().ready


def test_a_process_with_a_problem_is_not_ready_and_says_which() -> None:
    health = Health()
    health.add("consumer", lambda: None)
    health.add("relay", lambda: "no round since 31 s")
    readiness = health.readiness()
    assert not readiness.ready
    assert readiness.problems == {"relay": "no round since 31 s"}


def test_a_notice_is_told_and_keeps_nobody_from_being_ready() -> None:
    health = Health()
    health.add("consumer", lambda: None)
    health.add_notice("held", lambda: "dead letters: 1 of dispatch.events")
    health.add_notice("backlog", lambda: None)
    readiness = health.readiness()
    assert readiness.ready
    assert readiness.notices == {"held": "dead letters: 1 of dispatch.events"}


def test_a_check_that_raises_counts_as_a_problem() -> None:
    health = Health()
    health.add("database", broken)
    assert health.readiness().problems == {"database": "the check failed: ConnectionError: refused"}


def test_two_checks_of_one_name_are_refused() -> None:
    health = Health()
    health.add("relay", lambda: None)
    with pytest.raises(ValueError, match="relay"):
        health.add("relay", lambda: None)
