"""Commands for messages that could not be handled (I-7), as docs/held-messages.md explains them."""

import asyncio
import getpass
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Final, get_args

import cyclopts
from cyclopts import Parameter

from deploy.cli.common import OfService, Reason, inside_of
from deploy.cli.failures import FAILED, MISUSED, failures_shown
from shared.contracts.registry import Service

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from deploy.cli.inside import Inside
    from shared.ledger.held import HeldMessage, HeldRecord
    from shared.ledger.interventions import Intervention

Number = Annotated[int, Parameter(help="The number that `joint held list` shows.")]

_PATIENCE_SECONDS: Final = 10.0
_PAUSE_SECONDS: Final = 0.2
_MOST_SHOWN: Final = 200


def register(app: cyclopts.App) -> None:
    """Add `joint held`."""
    held = cyclopts.App(
        name="held",
        help="Messages that could not be handled: list them, show, retry or skip one. 挂起消息：查看、重试、跳过。",
        result_action="return_value",
    )
    held.command(list_all, name="list")
    for command in (show, retry, skip, history):
        held.command(command)
    app.command(held)


def list_all(*, service: Service | None = None, dead: bool = False) -> int:
    """List held messages: dead ones have a reason and need you; the others wait, and go on by themselves.

    列出挂起的消息：有原因的需要人工处理；其余的在等待，会自动继续。

    Parameters
    ----------
    service
        Only that service's.
    dead
        Only dead ones.
    """
    with failures_shown():
        services: tuple[Service, ...] = get_args(Service) if service is None else (service,)
        found = {name: asyncio.run(_list(inside_of(name), dead_only=dead)) for name in services}
    for name, messages in found.items():
        for message in messages:
            print(_line(name, message, messages))
        if len(messages) == _MOST_SHOWN:
            print(f"{name}: only the first {_MOST_SHOWN} are shown.")
    everything = [message for messages in found.values() for message in messages]
    if not everything:
        print("Nothing is held. 没有挂起的消息。")
    if any(message.reason for message in everything):
        print("`joint held show NUMBER --service NAME` shows one, and what can be done.")
    return 0


def show(number: Number, *, service: OfService, content: bool = False) -> int:
    """Show a held message: why it is held, where it came from, what waits behind it.

    查看一条挂起的消息：原因、来源、其后等待的消息。

    Parameters
    ----------
    content
        Show its headers and its content too. It may hold what has to be forgotten: copy it nowhere.
    """
    from shared.ledger.held import show_held

    async def read() -> "HeldRecord":
        inside = inside_of(service)
        async with inside.engine() as engine:
            return await show_held(engine, inside.vault, number)

    with failures_shown():
        shown = asyncio.run(read())
    for name, value in _described(shown):
        print(f"{name:<10} {value}")
    if content:
        for header, raw in shown.record.headers:
            print(f"{'header':<10} {header}: {_text(raw)}")
        print(f"{'content':<10} {_text(shown.record.value)}")
    print(_advice(shown.message, service))
    return 0


def retry(number: Number, *, service: OfService, reason: Reason) -> int:
    """Try a dead message again, and then what waits behind it, in order; wait for what becomes of it.

    重试一条挂起的消息，及其后等待的消息。
    """
    with failures_shown():
        inside = inside_of(service)
        message, rest = asyncio.run(_retry(inside, number, reason))
    after = next((one for one in rest if one.id == number), None)
    if after is None:
        print(f"Message {number} was handled. {_goes_on(message, rest)}")
        return 0
    if after.reason is None:
        print(f"Message {number} is released, but was not tried within {_PATIENCE_SECONDS:.0f} s: is the worker up?")
    else:
        print(f"Message {number} failed again and stays held: {_what(after)}")
    return FAILED


def skip(number: Number, *, service: OfService, reason: Reason) -> int:
    """Give a dead message up for ever: its stream goes on after it. The party that sent it gets a receipt that says so.

    永久放弃一条挂起的消息，须说明理由；其后的消息继续处理。
    """
    with failures_shown():
        if not reason.strip():
            print("Say why: --reason must not be empty.")
            return MISUSED
        message, rest = asyncio.run(_skip(inside_of(service), number, reason))
    print(f"Message {number} is given up. {_goes_on(message, rest)}")
    return 0


def history(*, service: Service | None = None) -> int:
    """Show what was done with held messages, by whom and why, oldest first.

    查看对挂起消息的处理记录：何人、何时、何故。

    Parameters
    ----------
    service
        Only that service's.
    """
    with failures_shown():
        services: tuple[Service, ...] = get_args(Service) if service is None else (service,)
        found = {name: asyncio.run(_history(inside_of(name))) for name in services}
    for name, acts in found.items():
        for act in acts:
            place = f"{act.topic} {act.stream} event {act.sequence}"
            print(
                f"{name}  {act.at:%Y-%m-%d %H:%M:%S}  {act.operator}  {act.act}  {act.consumer}  {place}  {act.reason}"
            )
    if not any(found.values()):
        print("Nothing was done by hand. 没有人工处理记录。")
    return 0


def _line(service: str, message: "HeldMessage", messages: Sequence["HeldMessage"]) -> str:
    state = "dead   " if message.reason else "waiting"
    when = f"{message.held_at:%Y-%m-%d %H:%M:%S}"
    place = f"{message.topic} {message.stream} event {message.sequence}"
    return f"{service} {message.id}  {state}  {when}  {message.consumer}  {place}  {_what(message, messages)}"


def _what(message: "HeldMessage", messages: Sequence["HeldMessage"] = ()) -> str:
    if message.reason is not None:
        return f"{message.reason}: {message.detail}" if message.detail else message.reason
    if message.waits_for is not None:
        return f"waits for the document {message.waits_for}"
    stream = (message.consumer, message.topic, message.stream)
    before = [
        one
        for one in messages
        if (one.consumer, one.topic, one.stream) == stream and one.sequence < message.sequence and one.reason
    ]
    return f"waits behind {before[-1].id}" if before else "waits for an earlier event"


def _goes_on(message: "HeldMessage", rest: Sequence["HeldMessage"]) -> str:
    place = f"{message.topic} {message.stream}"
    dead = next((one for one in rest if one.reason), None)
    if dead is not None:
        return f"But the next one of {place} cannot be handled either: message {dead.id}, {_what(dead)}"
    if rest:
        return f"{len(rest)} of {place} still wait for an earlier event."
    return f"{place} went on after event {message.sequence}; nothing of it is held."


def _described(shown: "HeldRecord") -> list[tuple[str, str]]:
    message, record = shown.message, shown.record
    kind = next((_text(raw) for name, raw in record.headers if name == "ce_type"), "(none)")
    return [
        ("state", "dead" if message.reason else "waiting"),
        ("why", _what(message)),
        ("consumer", message.consumer),
        ("topic", message.topic),
        ("stream", str(message.stream)),
        ("event", str(message.sequence)),
        ("type", kind),
        ("record", f"{record.place} (topic:partition:offset), written {record.timestamp:%Y-%m-%d %H:%M:%S} UTC"),
        ("held since", f"{message.held_at:%Y-%m-%d %H:%M:%S} UTC"),
        ("behind it", str(shown.behind)),
    ]


def _advice(message: "HeldMessage", service: str) -> str:
    if message.reason is None:
        return "It waits and goes on by itself; nothing is to be done with it."
    options = f'{message.id} --service {service} --reason "…"'
    return (
        f"After a release that can handle it: joint held retry {options}\n"
        f"To give it up for ever:             joint held skip {options}"
    )


def _text(raw: bytes | None) -> str:
    return "(none)" if raw is None else raw.decode("utf-8", "backslashreplace")


async def _list(inside: "Inside", *, dead_only: bool) -> "list[HeldMessage]":
    from shared.ledger.held import list_held

    async with inside.engine() as engine:
        return await list_held(engine, dead_only=dead_only, limit=_MOST_SHOWN)


async def _retry(inside: "Inside", number: int, reason: str) -> "tuple[HeldMessage, list[HeldMessage]]":
    """Release the message; return it, and what is held of its stream afterwards."""
    from shared.ledger.held import retry_held

    async with inside.engine() as engine:
        operator = getpass.getuser()
        message = await retry_held(engine, number, service=inside.service, operator=operator, reason=reason)
        return message, await _settled(engine, message)


async def _skip(inside: "Inside", number: int, reason: str) -> "tuple[HeldMessage, list[HeldMessage]]":
    """Give the message up; return it, and what is held of its stream afterwards."""
    from shared.ledger.held import skip_held

    async with inside.engine() as engine:
        operator = getpass.getuser()
        message = await skip_held(
            engine, inside.vault, number, service=inside.service, operator=operator, reason=reason
        )
        return message, await _settled(engine, message)


async def _settled(engine: "AsyncEngine", message: "HeldMessage") -> "list[HeldMessage]":
    """Return what is held of the message's stream when nothing of it is about to go on."""
    from shared.ledger.held import held_with

    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        rest = await held_with(engine, message)
        if not rest or any(one.reason for one in rest) or time.monotonic() > deadline:
            return rest
        await asyncio.sleep(_PAUSE_SECONDS)


async def _history(inside: "Inside") -> "list[Intervention]":
    from shared.ledger.interventions import list_interventions

    async with inside.engine() as engine:
        return await list_interventions(engine)
