"""Identifiers are of the versions that RFC 9562 says."""

from uuid import RFC_4122

from shared.kernel.identifiers import named_id, new_id


def test_new_ids_are_version_7_distinct_and_sorted_by_time() -> None:
    ids = [new_id() for _ in range(1000)]
    assert {(one.version, one.variant) for one in ids} == {(7, RFC_4122)}
    assert len(set(ids)) == len(ids)
    milliseconds = [one.int >> 80 for one in ids]
    assert milliseconds == sorted(milliseconds)


def test_the_same_name_gives_the_same_id_and_parts_do_not_run_together() -> None:
    assert named_id("a", "b") == named_id("a", "b")
    assert named_id("ab", "c") != named_id("a", "bc")
