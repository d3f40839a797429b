"""Guarantees that make a change visible: hash chain, seals, verification, rebuild, and one reading of the clock."""

from typing import Final

from tests.reliability.mutations.mutation import Mutation

_VERIFY: Final = "tests/integration/test_ledger_verify.py::"
_LEDGER: Final = "tests/integration/test_ledger.py::"
_HASHCHAIN: Final = "tests/unit/ledger/test_hashchain.py::"
_HOUSE: Final = "tests/unit/test_house.py::"

_COMPARED: Final = (
    Mutation(
        name="state against events",
        invariant="I-9",
        removed="verify compares a state with the fold of its events",
        file="shared/ledger/verify.py",
        text="if row.state != msgspec.json.encode(fold.state):",
        replacement="if row.state is None:",
        pins=(f"{_VERIFY}test_a_change_by_hand_is_seen",),
    ),
    Mutation(
        name="read model against topics",
        invariant="I-9",
        removed="rebuild reports every row that differs",
        file="services/analytics/consumers/comparison.py",
        text="differing_rows=differing_cases + differing_legs + differing_marks,",
        replacement="differing_rows=differing_cases,",
        pins=("tests/integration/test_rebuild.py::test_a_rebuild_says_what_it_compared_and_every_difference",),
    ),
    Mutation(
        name="topics against the ledger",
        invariant="I-4",
        removed="verify finds what a topic has lost",
        file="shared/ledger/verify.py",
        text="if missing > unpublished:",
        replacement="if missing < 0:",
        pins=(f"{_VERIFY}test_an_event_that_a_topic_lost_or_disordered_is_seen",),
    ),
)

_SEALED: Final = (
    Mutation(
        name="hash of the predecessor",
        invariant="I-17",
        removed="an event's hash covers its predecessor",
        file="shared/ledger/hashchain.py",
        text="(previous, event.bytes,",
        replacement="(event.bytes,",
        pins=(f"{_HASHCHAIN}test_every_part_of_an_event_counts",),
        every_run=True,
    ),
    Mutation(
        name="hash of the bytes",
        invariant="I-17",
        removed="an event's hash covers its stored bytes",
        file="shared/ledger/hashchain.py",
        text="envelope, data)",
        replacement="envelope)",
        pins=(f"{_HASHCHAIN}test_every_part_of_an_event_counts",),
    ),
    Mutation(
        name="the chain travels",
        invariant="I-17",
        removed="a published event carries its predecessor's hash",
        file="shared/ledger/decide.py",
        text="previous=before.head if before.sequence else None",
        replacement="previous=None",
        pins=(f"{_LEDGER}test_what_is_published_is_what_is_stored",),
    ),
    Mutation(
        name="the chain is verified",
        invariant="I-17",
        removed="verify computes the hash of every event",
        file="shared/ledger/verify.py",
        text="    if head != row.hash:",
        replacement="    if row.hash is None:",
        pins=(f"{_VERIFY}test_a_change_by_hand_is_seen",),
    ),
    Mutation(
        name="seals are verified",
        invariant="I-17",
        removed="verify computes every seal anew",
        file="shared/ledger/verify.py",
        text="if await compute_seal(connection, row.cut) != stored:",
        replacement="if await compute_seal(connection, row.cut) is None:",
        pins=(f"{_VERIFY}test_history_that_was_rewritten_with_fitting_hashes_breaks_its_seal",),
    ),
    Mutation(
        name="a seal covers the heads",
        invariant="I-17",
        removed="a seal changes with the last hash of each stream",
        file="shared/ledger/seals.py",
        text="[row.stream.bytes + row.hash for row in heads]",
        replacement="[row.stream.bytes for row in heads]",
        pins=(f"{_VERIFY}test_history_that_was_rewritten_with_fitting_hashes_breaks_its_seal",),
    ),
)

_ONE_NOW: Final = (
    Mutation(
        name="deciders know no clock",
        invariant="I-18",
        removed="time arrives in a decider as an argument",
        file="services/dispatch/domain/evolve.py",
        text="closed_at=event.at, void_proposal",
        replacement="closed_at=datetime.now(), void_proposal",
        pins=(f"{_HOUSE}test_deciders_policies_and_contracts_never_ask_for_time_or_chance",),
    ),
    Mutation(
        name="only kernel and ledger know a clock",
        invariant="I-18",
        removed="whoever needs the time takes a clock",
        file="shared/web/authentication.py",
        text="self._clock.now().timestamp()",
        replacement="time.time()",
        pins=(f"{_HOUSE}test_only_the_kernel_and_the_ledger_read_a_clock",),
    ),
    Mutation(
        name="now is read after the locks",
        invariant="I-18",
        removed="a batch's now is read when its locks are held",
        file="shared/ledger/load.py",
        text="SELECT clock_timestamp()",
        replacement="SELECT now()",
        pins=("tests/reliability/test_guarantees.py::test_the_now_of_a_batch_is_later_than_what_it_waited_for",),
    ),
    Mutation(
        name="time never runs backwards",
        invariant="I-18",
        removed="an event is never earlier than the one before it",
        file="shared/ledger/decide.py",
        text="max(self.now, before.changed_at) if before.changed_at else self.now",
        replacement="self.now",
        pins=(f"{_LEDGER}test_time_never_runs_backwards_in_a_stream",),
    ),
)

MUTATIONS: Final = (*_COMPARED, *_SEALED, *_ONE_NOW)
