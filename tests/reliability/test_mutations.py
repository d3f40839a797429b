"""Mutation of the guarantee: with a guarantee taken out of the code, the tests that pin it fail.

`make mutations` tries every mutation (tests/reliability/mutations); here only those run without which nothing else
means much: position check, row lock, topic in the position key, request lookup, outbox write, acknowledgement,
bisecting, and one of each rule of who may close a case.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from tests.reliability.mutations.catalogue import IN_EVERY_RUN, MUTATIONS, pins_of
from tests.reliability.mutations.mutation import Mutation, StaleMutationError
from tests.reliability.mutations.workshop import COPIES, ROOT, Run, Verdict, Workshop, whole, workshop
from tests.support.servers import Broker, Postgres, addresses

ENFORCED = {f"I-{number}" for number in range(1, 20)}
TRIED = {mutation.name for mutation in IN_EVERY_RUN}


@pytest.fixture(scope="module")
def shop(broker: Broker, postgres: Postgres) -> Iterator[Workshop]:
    with workshop(COPIES, addresses(broker, postgres)) as ready:
        yield ready


@dataclass(frozen=True, kw_only=True)
class Trials:
    """What goes on meanwhile: the pins on unchanged code, and each mutation by its name."""

    unchanged: "Future[Run]"
    mutated: Mapping[str, "Future[Verdict]"]


@pytest.fixture(scope="module")
def trials(shop: Workshop) -> Iterator[Trials]:
    """Begin all of them, as many at once as there are copies."""
    with ThreadPoolExecutor(COPIES) as pool:
        yield Trials(
            unchanged=pool.submit(shop.unchanged, pins_of(IN_EVERY_RUN)),
            mutated={mutation.name: pool.submit(shop.tried, mutation) for mutation in IN_EVERY_RUN},
        )


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: str(mutation.name))
def test_the_text_that_a_mutation_replaces_is_there_once(mutation: Mutation) -> None:
    source = (ROOT / mutation.file).read_text(encoding="utf-8")
    assert mutation.mutated(source) != source


def test_every_invariant_has_a_mutation() -> None:
    assert {mutation.invariant for mutation in MUTATIONS} == ENFORCED
    assert len({mutation.name for mutation in MUTATIONS}) == len(MUTATIONS)


def test_the_guarantees_without_which_nothing_else_means_much_are_tried_in_every_run() -> None:
    assert {
        *("position check", "row lock", "topic in the position key", "request lookup", "outbox write"),
        *("acknowledging after the work", "a failed batch comes again", "bisecting commands", "bisecting streams"),
    } <= TRIED


@pytest.mark.timeout(300)
def test_without_a_mutation_the_pins_pass_in_a_copy(trials: Trials) -> None:
    run = trials.unchanged.result()
    assert whole(run), run.output


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", [mutation.name for mutation in IN_EVERY_RUN])
def test_without_the_guarantee_its_pins_fail(trials: Trials, name: str) -> None:
    assert trials.mutated[name].result().problem is None


def test_a_mutation_whose_text_has_changed_says_so() -> None:
    mutation = MUTATIONS[0]
    with pytest.raises(StaleMutationError, match="occurs 0 times"):
        mutation.mutated("nothing of it")
    with pytest.raises(StaleMutationError, match="occurs 2 times"):
        mutation.mutated(mutation.text * 2)


def test_a_change_that_nobody_notices_survives(shop: Workshop) -> None:
    harmless = Mutation(
        name="harmless",
        invariant="I-6",
        removed="nothing",
        file="shared/ledger/take.py",
        text='UNREADABLE: Final = "unreadable"',
        replacement='UNREADABLE: Final = str("unreadable")',
        pins=("tests/unit/ledger/test_take.py::test_the_next_event_is_taken",),
    )
    assert "survives" in (shop.tried(harmless).problem or "")


def test_code_that_cannot_be_imported_is_no_success(shop: Workshop) -> None:
    broken = Mutation(
        name="broken",
        invariant="I-6",
        removed="nothing",
        file="shared/ledger/take.py",
        text='UNREADABLE: Final = "unreadable"',
        replacement="UNREADABLE: Final = missing",
        pins=("tests/unit/ledger/test_take.py::test_the_next_event_is_taken",),
    )
    assert "could not be run" in (shop.tried(broken).problem or "")
