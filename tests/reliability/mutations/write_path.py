"""Guarantees of the write path: one transaction, one effect a request, every event once and in order."""

from typing import Final

from tests.reliability.mutations.mutation import Mutation

_LEDGER: Final = "tests/integration/test_ledger.py::"
_CONSUMERS: Final = "tests/integration/test_ledger_consumers.py::"
_RECEPTION: Final = "tests/integration/test_ledger_reception.py::"
_TAKE: Final = "tests/unit/ledger/test_take.py::"
_FAILURES: Final = "tests/unit/ledger/test_failures.py::"
_GUARANTEES: Final = "tests/reliability/test_guarantees.py::"

_ONE_TRANSACTION: Final = (
    Mutation(
        name="commit before the answer",
        invariant="I-1",
        removed="what was answered has been committed",
        file="shared/ledger/transaction.py",
        text="async with engine.begin() as connection:",
        replacement="async with engine.connect() as connection:",
        pins=(f"{_LEDGER}test_a_command_writes_event_state_outbox_request_and_wake_together",),
    ),
    Mutation(
        name="outbox write",
        invariant="I-1",
        removed="every event goes into the outbox with its state",
        file="shared/ledger/write.py",
        text="await write_outbox(connection, draft.outbox, now)",
        replacement="await write_outbox(connection, (), now)",
        pins=(f"{_LEDGER}test_what_is_published_is_what_is_stored",),
        every_run=True,
    ),
    Mutation(
        name="one transaction a batch",
        invariant="I-5",
        removed="events and states of a batch commit together",
        file="shared/ledger/write.py",
        text="    await _write_states(connection, draft, loaded)\n",
        replacement=(
            '    await connection.exec_driver_sql("COMMIT")\n'
            '    await connection.exec_driver_sql("BEGIN")\n'
            "    await _write_states(connection, draft, loaded)\n"
        ),
        pins=(f"{_LEDGER}test_a_statement_that_is_refused_is_halved_to_the_command_at_fault",),
    ),
    Mutation(
        name="wakes of the state",
        invariant="I-5",
        removed="wakes are written with the state that wants them",
        file="shared/ledger/write.py",
        text="    await _write_wakes(connection, draft, loaded)\n",
        replacement="",
        pins=(f"{_LEDGER}test_wakes_follow_the_state",),
    ),
    Mutation(
        name="row lock",
        invariant="I-4",
        removed="a batch locks the states that it decides on",
        file="shared/ledger/load.py",
        text='"WHERE stream = ANY($1::uuid[]) ORDER BY stream FOR UPDATE"',
        replacement='"WHERE stream = ANY($1::uuid[]) ORDER BY stream"',
        pins=(f"{_GUARANTEES}test_a_batch_that_waited_for_a_row_decides_once_and_on_what_it_waited_for",),
        every_run=True,
    ),
    Mutation(
        name="key of the events",
        invariant="I-4",
        removed="a stream has one event of each sequence",
        file="shared/ledger/migrations.py",
        text="PRIMARY KEY (stream, sequence)",
        replacement="CHECK (sequence > 0)",
        pins=(f"{_GUARANTEES}test_the_database_itself_refuses_a_second_row_of_one_key",),
    ),
    Mutation(
        name="key of the requests",
        invariant="I-2",
        removed="two batches cannot both answer one new request",
        file="shared/ledger/migrations.py",
        text="PRIMARY KEY (party, key)",
        replacement="CHECK (party <> '')",
        pins=(
            f"{_LEDGER}test_the_same_new_request_in_two_batches_has_one_effect",
            f"{_GUARANTEES}test_the_database_itself_refuses_a_second_row_of_one_key",
        ),
    ),
    Mutation(
        name="key of the positions",
        invariant="I-6",
        removed="a consumer has one position in each stream of each topic",
        file="shared/ledger/migrations.py",
        text="PRIMARY KEY (consumer, topic, stream)",
        replacement="CHECK (sequence > 0)",
        pins=(f"{_GUARANTEES}test_the_database_itself_refuses_a_second_row_of_one_key",),
    ),
)

_REQUESTS: Final = (
    Mutation(
        name="request lookup",
        invariant="I-2",
        removed="a request is looked up among those that were answered before",
        file="shared/ledger/decide.py",
        text=" or self._loaded_requests.get(key)",
        replacement="",
        pins=(f"{_LEDGER}test_the_same_request_has_one_effect_and_the_same_answer",),
        every_run=True,
    ),
    Mutation(
        name="request lookup in the batch",
        invariant="I-2",
        removed="a request is looked up in the batch itself",
        file="shared/ledger/decide.py",
        text="unit.requests.get(key) or self.draft.requests.get(key) or ",
        replacement="",
        pins=(f"{_LEDGER}test_the_same_request_has_one_effect_and_the_same_answer",),
    ),
    Mutation(
        name="digest comparison",
        invariant="I-2",
        removed="a key that comes with another body is refused",
        file="shared/ledger/decide.py",
        text="if known.digest == fingerprint:",
        replacement="if known.digest:",
        pins=(f"{_LEDGER}test_a_key_that_is_reused_for_something_else_is_refused",),
    ),
    Mutation(
        name="party in the request key",
        invariant="I-2",
        removed="two parties may choose the same id",
        file="shared/ledger/requests.py",
        text="return Request(party=event.source, key=event.id,",
        replacement='return Request(party="everybody", key=event.id,',
        pins=(
            "tests/unit/intake/test_consumers.py::test_a_submission_becomes_a_command_of_the_source_whose_topic_it_came_on",
        ),
    ),
)

_POSITIONS: Final = (
    Mutation(
        name="position check",
        invariant="I-6",
        removed="an event that was taken before is a repeat",
        file="shared/ledger/take.py",
        text="sequence <= position or ",
        replacement="",
        pins=(f"{_TAKE}test_a_repeat_is_dropped_and_counted",),
        every_run=True,
    ),
    Mutation(
        name="gap",
        invariant="I-6",
        removed="what lies behind a gap waits",
        file="shared/ledger/take.py",
        text="sequence = position + 1\n",
        replacement="sequence = min(known, default=0)\n",
        pins=(f"{_TAKE}test_what_lies_behind_a_gap_waits",),
    ),
    Mutation(
        name="topic in the position key",
        invariant="I-6",
        removed="one id on two topics is two streams",
        file="shared/ledger/load.py",
        text='"SELECT stream, sequence FROM positions WHERE consumer = $1 AND topic = $2 AND',
        replacement="\"SELECT stream, sequence FROM positions WHERE consumer = $1 AND $2::text <> '' AND",
        pins=(f"{_GUARANTEES}test_one_id_on_two_topics_is_two_streams",),
        every_run=True,
    ),
    Mutation(
        name="lock of the positions",
        invariant="I-6",
        removed="two owners of a stream take turns",
        file="shared/ledger/load.py",
        text='"ORDER BY stream FOR UPDATE",\n            (consumer, topic, sorted(streams[topic])),',
        replacement='"ORDER BY stream",\n            (consumer, topic, sorted(streams[topic])),',
        pins=(f"{_GUARANTEES}test_owners_that_go_on_with_the_same_streams_have_one_effect",),
    ),
    Mutation(
        name="one crash, one stream",
        invariant="I-7",
        removed="what lies behind a dead letter of the same batch is kept",
        file="shared/ledger/consumption.py",
        text="for behind in verdict.next[number + 1 :]:",
        replacement="for behind in ():",
        pins=(f"{_CONSUMERS}test_a_crash_holds_its_own_stream_and_nobody_elses",),
    ),
    Mutation(
        name="a dead letter stops its stream",
        invariant="I-7",
        removed="a stream waits behind its dead letter",
        file="shared/ledger/take.py",
        text=" and known[sequence].reason is None",
        replacement="",
        pins=(f"{_TAKE}test_a_dead_letter_stops_its_stream",),
    ),
    Mutation(
        name="skipping is recorded",
        invariant="I-7",
        removed="giving a message up is recorded with its reason",
        file="shared/ledger/held.py",
        text='act="skip", operator=operator, reason=reason)',
        replacement='act="skip", operator=operator, reason="")',
        pins=(f"{_CONSUMERS}test_skipping_moves_the_position_and_is_recorded_with_its_reason",),
    ),
    Mutation(
        name="waiting for a reference version",
        invariant="I-19",
        removed="an event that must wait for a document is kept until it arrives",
        file="shared/ledger/consumption.py",
        text="return None if wait is None else _Stop(",
        replacement="return None if wait is not None else _Stop(",
        pins=(f"{_CONSUMERS}test_an_event_that_names_a_reference_version_waits_for_it_and_continues",),
    ),
)

_FAILURES_TOLD_APART: Final = (
    Mutation(
        name="bisecting commands",
        invariant="I-7",
        removed="a batch of commands that fails is halved down to the one at fault",
        file="shared/ledger/transaction.py",
        text="if len(items) <= 1:",
        replacement="if items:",
        pins=(f"{_LEDGER}test_a_statement_that_is_refused_is_halved_to_the_command_at_fault",),
        every_run=True,
    ),
    Mutation(
        name="bisecting streams",
        invariant="I-7",
        removed="a batch of events that fails is halved down to the stream at fault",
        file="shared/ledger/consumption.py",
        text="if len(queues) == 1:",
        replacement="if queues:",
        pins=(f"{_CONSUMERS}test_what_the_database_refuses_is_found_in_the_batch_and_held",),
        every_run=True,
    ),
    Mutation(
        name="our fault halts",
        invariant="I-8",
        removed="a database that shuts down is no fault of a message",
        file="shared/ledger/failures.py",
        text='"57", ',
        replacement="",
        pins=(f"{_FAILURES}test_a_database_that_is_away_full_or_stopping_halts",),
    ),
    Mutation(
        name="a lost connection halts",
        invariant="I-8",
        removed="a connection that breaks is no fault of a message",
        file="shared/ledger/failures.py",
        text="if error.connection_invalidated:",
        replacement="if error is None:",
        pins=(f"{_FAILURES}test_a_lost_connection_halts_whatever_the_code",),
    ),
    Mutation(
        name="a collision is run again",
        invariant="I-8",
        removed="two creators of one row both get their turn",
        file="shared/ledger/failures.py",
        text='"23505", ',
        replacement="",
        pins=(f"{_FAILURES}test_another_transaction_in_the_way_is_run_again",),
    ),
)

_OUTCOMES: Final = (
    Mutation(
        name="receipt of a refusal",
        invariant="I-3",
        removed="whoever is refused hears of it",
        file="shared/ledger/decide.py",
        text="if command.receipt is not None:",
        replacement='if command.receipt is not None and answer.outcome == "accepted":',
        pins=(f"{_GUARANTEES}test_a_refused_record_gets_a_receipt_as_an_accepted_one_does",),
    ),
    Mutation(
        name="a crash is held",
        invariant="I-3",
        removed="a record that crashes its handler is held",
        file="shared/ledger/reception.py",
        text='self._hold(draft, item, "crashed", answers.detail)',
        replacement="pass",
        pins=(f"{_RECEPTION}test_an_outside_record_that_crashes_is_held_once_and_the_others_are_answered",),
    ),
)

MUTATIONS: Final = (*_ONE_TRANSACTION, *_REQUESTS, *_POSITIONS, *_FAILURES_TOLD_APART, *_OUTCOMES)
