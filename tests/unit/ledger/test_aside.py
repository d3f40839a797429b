"""What failed waits longer each time, and holds up nobody else."""

from shared.ledger.aside import SetAside


def test_what_failed_waits_longer_each_time_and_others_do_not() -> None:
    aside = SetAside[str](first=0.5, most=30.0)
    assert aside.failed("a", now=100.0) == 0.5
    assert aside.waiting(now=100.4) == ["a"]
    assert aside.waiting(now=100.6) == []
    assert aside.failed("a", now=100.6) == 1.0
    assert aside.failed("b", now=100.6) == 0.5
    assert aside.waiting(now=101.2) == ["a"]


def test_what_works_again_starts_anew() -> None:
    aside = SetAside[str](first=0.5, most=30.0)
    aside.failed("a", now=0.0)
    aside.failed("a", now=1.0)
    assert aside.succeeded("a")
    assert not aside.succeeded("a")
    assert aside.failed("a", now=9.0) == 0.5


def test_the_wait_has_a_bound() -> None:
    aside = SetAside[str](first=0.5, most=30.0)
    waits = [aside.failed("a", now=0.0) for _ in range(100)]
    assert waits[:7] == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0]
    assert waits[-1] == 30.0


def test_what_is_not_kept_starts_anew() -> None:
    aside = SetAside[str](first=0.5, most=30.0)
    for name in ("a", "b"):
        aside.failed(name, now=0.0)
    aside.keep({"b", "c"})
    assert aside.waiting(now=0.1) == ["b"]
    assert aside.failed("a", now=1.0) == 0.5
