"""What the ledger counts is what it committed: a batch that had to run again is counted once."""

from prometheus_client import REGISTRY
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.kernel.identifiers import new_id
from tests.support.ledgers import EVENTS, ledger_on, policy_on, reception_on, rows
from tests.support.tally import add, event_record, outside_record


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"joint_ledger_{name}", labels) or 0.0


async def fail_once_on(engine: AsyncEngine, table: str) -> None:
    """Let the first commit of a row of the table be in another one's way: a sequence is never rolled back."""
    async with engine.begin() as connection:
        await connection.exec_driver_sql("CREATE SEQUENCE commits")
        await connection.exec_driver_sql(
            "CREATE FUNCTION fail_once() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            "IF nextval('commits') = 1 THEN RAISE EXCEPTION 'in the way' USING ERRCODE = '40001'; END IF; "
            "RETURN NULL; END $$"
        )
        await connection.exec_driver_sql(
            f"CREATE CONSTRAINT TRIGGER fail_once AFTER INSERT ON {table} DEFERRABLE INITIALLY DEFERRED "
            "FOR EACH ROW EXECUTE FUNCTION fail_once()"
        )


async def failed_once(engine: AsyncEngine) -> bool:
    [(tried,)] = await rows(engine, "SELECT last_value FROM commits")
    return bool(tried > 1)


async def test_commands_of_a_batch_that_ran_twice_are_counted_once(ledger_engine: AsyncEngine) -> None:
    await fail_once_on(ledger_engine, "events")
    before = counted("commands_total", aggregate="tally", outcome="accepted")

    await ledger_on(ledger_engine).execute([add(new_id()), add(new_id())])
    await policy_on(ledger_engine).consume([event_record(new_id(), 1)])

    assert counted("commands_total", aggregate="tally", outcome="accepted") == before + 3
    assert await failed_once(ledger_engine)


async def test_repeats_and_dead_letters_of_a_batch_that_ran_twice_are_counted_once(ledger_engine: AsyncEngine) -> None:
    stream, dead = new_id(), new_id()
    policy = policy_on(ledger_engine)
    await policy.consume([event_record(stream, 1)])
    await fail_once_on(ledger_engine, "held")
    repeats = counted("repeats_skipped_total")
    held = counted("messages_held_total", consumer=EVENTS, reason="crashed")

    await policy.consume([event_record(stream, 1), event_record(dead, 1, note="crash")])

    assert counted("repeats_skipped_total") == repeats + 1
    assert counted("messages_held_total", consumer=EVENTS, reason="crashed") == held + 1
    assert await failed_once(ledger_engine)


async def test_an_outside_record_that_is_held_in_a_second_run_is_counted_once(ledger_engine: AsyncEngine) -> None:
    await fail_once_on(ledger_engine, "held")
    held = counted("messages_held_total", consumer="intake.submissions", reason="crashed")
    accepted = counted("commands_total", aggregate="tally", outcome="accepted")

    await reception_on(ledger_engine).consume([outside_record("crash", 0), outside_record("fine", 1)])

    assert counted("messages_held_total", consumer="intake.submissions", reason="crashed") == held + 1
    assert counted("commands_total", aggregate="tally", outcome="accepted") == accepted + 1
