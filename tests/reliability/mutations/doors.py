"""Guarantees whose absence the tests on a whole city must notice too: at its doors and in a takeover."""

from typing import Final

from tests.reliability.mutations.mutation import Mutation

_DUPLICATES: Final = "tests/reliability/test_door_duplicates.py::"
_LEASE: Final = "tests/reliability/test_faults_lease.py::"

MUTATIONS: Final = (
    Mutation(
        name="request lookup, at the doors",
        invariant="I-2",
        removed="what was answered before is looked up, whoever sends it again and wherever",
        file="shared/ledger/decide.py",
        text=" or self._loaded_requests.get(key)",
        replacement="",
        pins=(f"{_DUPLICATES}test_an_act_that_is_sent_three_times_over_two_connections_is_done_once",),
    ),
    Mutation(
        name="digest comparison, at the doors",
        invariant="I-2",
        removed="of two bodies under one id the second is refused",
        file="shared/ledger/decide.py",
        text="if known.digest == fingerprint:",
        replacement="if known.digest:",
        pins=(
            f"{_DUPLICATES}test_of_two_bodies_under_one_id_the_first_wins_and_the_other_changes_nothing",
            f"{_DUPLICATES}test_of_two_bodies_that_race_over_two_connections_one_wins_for_ever",
        ),
    ),
    Mutation(
        name="the digest of an HTTP request, at the doors",
        invariant="I-2",
        removed="of two bodies that race under one key one wins",
        file="shared/web/idempotency.py",
        text="canonical_digest(method, path, data=body)",
        replacement="canonical_digest(method, path, data=None)",
        pins=(f"{_DUPLICATES}test_of_two_bodies_that_race_in_two_processes_one_wins_for_ever",),
    ),
    Mutation(
        name="rows of a round are locked, in a city",
        invariant="I-4",
        removed="nobody overtakes a relay that lost its lease",
        file="shared/ledger/outbox.py",
        text=")) ORDER BY id FOR UPDATE",
        replacement=")) ORDER BY id",
        pins=(f"{_LEASE}test_nobody_overtakes_a_relay_that_lost_its_lease_alone",),
    ),
)
