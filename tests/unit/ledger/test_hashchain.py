"""The hash chain and the Merkle root change with everything that they cover."""

import hashlib
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from shared.ledger.hashchain import GENESIS, chained, merkle_root

AT = datetime(2026, 11, 24, tzinfo=UTC)


def one(previous: bytes = GENESIS, **changes: object) -> bytes:
    event: dict[str, object] = {
        "event": UUID(int=1),
        "stream": UUID(int=2),
        "sequence": 3,
        "type_": "t",
        "at": AT,
        "data": b"{}",
    }
    return chained(previous, **(event | changes))  # type: ignore[arg-type]


def test_every_part_of_an_event_counts() -> None:
    variants = {
        one(),
        one(previous=bytes([1]) * 32),
        one(event=UUID(int=9)),
        one(stream=UUID(int=9)),
        one(sequence=4),
        one(type_="u"),
        one(at=AT + timedelta(microseconds=1)),
        one(data=b"{ }"),
    }
    assert len(variants) == 8


def test_the_root_of_nothing_is_the_hash_of_nothing() -> None:
    assert merkle_root([]) == hashlib.sha256(b"").digest()


@given(st.lists(st.binary(min_size=1, max_size=8), min_size=1, max_size=40, unique=True), st.data())
def test_a_root_changes_with_each_leaf_and_with_their_order(leaves: list[bytes], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(leaves) - 1))
    changed = [*leaves[:place], leaves[place] + b"x", *leaves[place + 1 :]]
    assert merkle_root(changed) != merkle_root(leaves)
    assert merkle_root([*leaves, b"more-than-eight"]) != merkle_root(leaves)
    if len(leaves) > 1:
        assert merkle_root(leaves[::-1]) != merkle_root(leaves)
