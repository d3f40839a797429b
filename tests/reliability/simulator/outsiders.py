"""Who stands outside of the services: callers, senders, an operator; nobody of them is ever killed, all try again."""

from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from shared.contracts.common import Answer
from shared.contracts.envelope import CloudEvent, binary_headers
from shared.contracts.reference import ReferencePublished, Units, reference_stream
from shared.contracts.registry import party_uri
from shared.ledger.commands import Failed, Request
from shared.ledger.failures import verdict_of
from shared.ledger.held import HeldMessageError, retry_held, skip_held
from tests.reliability.simulator import domain
from tests.reliability.simulator.acts import Act, until
from tests.reliability.simulator.broker import BrokerAway, Message
from tests.reliability.simulator.processes import VAULT, Call, Process

if TYPE_CHECKING:
    from tests.reliability.simulator.world import World

_UNITS: Final = reference_stream("units", "jiaohe")


async def caller(world: "World", service: str, letter: domain.Letter, times: int) -> None:
    """Call an API until it answers, several times over."""
    aggregate = "ask" if service == "intake" else "task"
    if service == "dispatch":
        await until("the task", lambda: world.exists(letter.stream))
    request = Request(party="http", key=letter.key, digest=letter.mark.encode())
    command = domain.command(aggregate, letter.stream, letter.mark, request)
    for _ in range(times):
        while True:
            await until("an API", lambda: bool(world.apis(service)))
            call = Call(command)
            world.chance.choice(world.apis(service)).queue.append(call)
            await until("an answer", call.done)
            if isinstance(call.outcome, Answer):
                world.heard("http", letter, call.outcome)
                break
            if isinstance(call.outcome, Failed) and "\x00" in letter.mark:
                world.failed.add(letter.mark)
                break
            if isinstance(call.outcome, Failed):
                await until("a fix", lambda: world.faults.fixed)


async def sender(world: "World", topic: str, letter: domain.Letter, times: int) -> None:
    """Send a letter until the broker has it, several times over."""
    if topic == domain.ACTIONS:
        await until("the task", lambda: world.exists(letter.stream))
    event = domain.letter_event(topic, letter)
    message: Message = (letter.key.encode(), tuple(binary_headers(event)), event.data)
    for _ in range(times):
        while True:
            try:
                await Act(f"letter {letter.key}", partial(world.send, topic, [message]), lambda: not world.broker.away)
            except BrokerAway:
                continue
            world.letters.append((topic, letter))
            break


async def publisher(world: "World") -> None:
    """Publish the document for which some events wait."""
    event = ReferencePublished(
        at=world.clock.broker,
        by=domain.ACTOR,
        kind="units",
        name="jiaohe",
        version=1,
        document=msgspec.Raw(msgspec.json.encode(Units(units=(), sources=()))),
    )
    data = msgspec.json.encode(event)
    envelope = CloudEvent(
        id="document",
        source=party_uri("services", "dispatch"),
        type=ReferencePublished.type,
        subject=str(_UNITS),
        sequence=1,
        data=data,
    )
    message: Message = (str(_UNITS).encode(), tuple(binary_headers(envelope)), data)
    await until("patience", lambda: world.quiet or world.chance.random() < world.plan.eagerness)
    await Act("document", partial(world.broker.append, domain.DOCUMENTS, [message]), lambda: not world.broker.away)


async def operator(process: Process) -> None:
    """Look after dead letters: have the bug fixed and try again, or give up what can never be handled."""
    world, store = process.world, process.database.store
    engine: Any = cast("Any", process.engine)
    seen = -1
    while True:
        await until("dead letters", partial(_looks, process, seen))
        seen = store.version
        row = world.chance.choice([row for row in store.rows("held") if row["reason"] is not None])
        try:
            if row["reason"] == "crashed":
                world.faults.fixed = world.faults.fixed or world.quiet or world.coin()
                await retry_held(engine, row["id"], service=process.service, operator="o", reason="fixed")
            else:
                await skip_held(engine, VAULT, row["id"], service=process.service, operator="o", reason="unreadable")
                world.skipped.append(row)
        except HeldMessageError:
            continue
        except Exception as error:
            if verdict_of(error) != "halt":
                raise
            await until("back", lambda: not process.database.away)


def _looks(process: Process, seen: int) -> bool:
    world, store = process.world, process.database.store
    if store.version == seen or not store.sizes["held"] or all(row["reason"] is None for row in store.rows("held")):
        return False
    return world.quiet or world.chance.random() < world.plan.eagerness
