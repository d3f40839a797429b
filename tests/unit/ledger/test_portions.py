"""Batches hold at most 2,000 items or 4 MiB, in the order in which the items came."""

from shared.kernel.identifiers import new_id
from shared.ledger.portions import command_size, portions, record_size
from tests.support.tally import add, outside_record

MEBIBYTE = 1024 * 1024


def test_batches_are_cut_by_number() -> None:
    records = [outside_record("x", offset) for offset in range(4001)]
    parts = list(portions(records, record_size))
    assert [len(part) for part in parts] == [2000, 2000, 1]
    assert [record for part in parts for record in part] == records


def test_batches_are_cut_by_size_and_what_fits_nowhere_goes_alone() -> None:
    sizes = [2, 2, 2, 2, 5, 1]
    records = [outside_record("x" * (size * MEBIBYTE), offset) for offset, size in enumerate(sizes)]
    assert [len(part) for part in portions(records, record_size)] == [2, 2, 1, 1]
    assert list(portions([], record_size)) == []


def test_a_command_is_as_large_as_what_it_carries() -> None:
    small, large = add(new_id()), add(new_id(), note="x" * MEBIBYTE)
    assert command_size(small) < 100
    assert MEBIBYTE <= command_size(large) < MEBIBYTE + 100
