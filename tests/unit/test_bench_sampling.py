"""A stack is counted for the part of ours that is at work, whatever library it has called."""

import pytest

from tests.bench.sampling import component_of, read_samples

OUTER = ["<module> (services/dispatch/__main__.py)", "serve (shared/web/server.py)", "Runner.run (asyncio/runners.py)"]


@pytest.mark.parametrize(
    "inner, component",
    [
        (["_write_events (shared/ledger/write.py)", "copy_records_to_table (asyncpg/connection.py)"], "write"),
        (["load_states (shared/ledger/load.py)", "fetch (asyncpg/connection.py)"], "load"),
        (["Decider.decide (shared/ledger/decide.py)", "route (services/dispatch/domain/routing.py)"], "decide"),
        (["translate (services/dispatch/consumers.py)", "decode (shared/contracts/validation.py)"], "decode"),
        (["Relay.run (shared/messaging/relay.py)", "unpack.<locals>.<listcomp> (shared/ledger/lots.py)"], "publish"),
        (["write_outbox (shared/ledger/write.py)", "pack (shared/ledger/lots.py)"], "encode"),
        (["Relay.run (shared/messaging/relay.py)", "append (aiokafka/producer/message_accumulator.py)"], "publish"),
        (["Consumer._consume (shared/messaging/consumer.py)"], "framework"),
        ([], "loop"),
    ],
)
def test_a_stack_belongs_to_the_innermost_part_that_is_known(inner: list[str], component: str) -> None:
    assert component_of([*OUTER, *inner]) == component


def test_samples_are_added_up_by_component_and_by_function_whatever_the_line() -> None:
    sampled = read_samples(
        "a (x.py:1);write_draft (shared/ledger/write.py:40) 3\n"
        "a (x.py:9);write_draft (shared/ledger/write.py:44) 1\n"
        "a (x.py:1) 6\n"
        "a (x.py:1);_worker (concurrent/futures/thread.py:81) 50\n"
    )
    assert sampled.functions == {"write_draft (shared/ledger/write.py)": 4, "a (x.py)": 6}
    assert sampled.shares() == {"loop": 0.6, "write": 0.4}
