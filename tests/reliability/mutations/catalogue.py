"""Every mutation that is tried, in the order of the invariants."""

from collections.abc import Sequence
from typing import Final

from tests.reliability.mutations import deadlines, doors, merges, rules, time, topics, verification, write_path
from tests.reliability.mutations.mutation import Mutation


def _number(mutation: Mutation) -> int:
    return int(mutation.invariant.removeprefix("I-"))


MUTATIONS: Final = tuple(
    sorted(
        (
            *write_path.MUTATIONS,
            *topics.MUTATIONS,
            *rules.MUTATIONS,
            *merges.MUTATIONS,
            *deadlines.MUTATIONS,
            *doors.MUTATIONS,
            *time.MUTATIONS,
            *verification.MUTATIONS,
        ),
        key=_number,
    )
)
IN_EVERY_RUN: Final = tuple(mutation for mutation in MUTATIONS if mutation.every_run)


def pins_of(mutations: Sequence[Mutation]) -> list[str]:
    """Return every test that pins one of the mutations, once."""
    return list(dict.fromkeys(pin for mutation in mutations for pin in mutation.pins))
