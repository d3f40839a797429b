"""Commands that look into ledgers and read models, and set them right: verify, rebuild, held, republish, forget."""

import asyncio
import getpass
import sys
from typing import TYPE_CHECKING, Annotated, get_args
from uuid import UUID

import cyclopts
from cyclopts import Parameter

from deploy.cli.failures import FAILED, failures_shown
from shared.contracts.registry import Service

if TYPE_CHECKING:
    from deploy.cli.inside import Inside
    from services.analytics.consumers.rebuild import RebuildReport
    from services.analytics.queries import Figures
    from shared.ledger.held import HeldMessage
    from shared.ledger.verify import Verification

Number = Annotated[int, Parameter(help="The number that `joint held list` shows.")]
OfService = Annotated[Service, Parameter(help="intake, dispatch or analytics.")]
Reason = Annotated[str, Parameter(help="Why; recorded with your name.")]

_PATIENCE_SECONDS = 60.0


def register(app: cyclopts.App) -> None:
    """Add the commands of this file to `joint`."""
    for command in (verify, rebuild, republish, forget):
        app.command(command)
    held = cyclopts.App(
        name="held",
        help="Messages that could not be handled: list them, retry one, skip one. 挂起消息：查看、重试、跳过。",
        result_action="return_value",
    )
    held.command(held_list, name="list")
    held.command(held_retry, name="retry")
    held.command(held_skip, name="skip")
    app.command(held)


def verify() -> int:
    """Compare each ledger with its own hash chains, states, topics and seals; exit code 1 if anything differs.

    核对账本：事件链、状态、主题与封存是否一致。
    """
    with failures_shown():
        found = [asyncio.run(_verify(_inside(service))) for service in ("intake", "dispatch")]
    for result in found:
        _show_verification(result)
    equal = all(result.equal for result in found)
    print("Everything is equal. 全部一致。" if equal else "Something differs. 存在差异。")
    return 0 if equal else FAILED


def rebuild() -> int:
    """Make the read model of analytics again from offset 0, beside the live one, and compare them.

    从头重建统计读模型，并与现有读模型比对；不改动现有数据。
    """
    with failures_shown():
        inside = _inside("analytics")
        found = asyncio.run(_rebuild(inside))
    compared = found.comparison
    print(
        f"{found.records} records read; compared {compared.streams} streams, {compared.cases} cases, "
        f"{compared.legs} legs, {compared.figures} figures."
    )
    if found.given_up:
        print(f"{found.given_up} events were given up by operators and are left out on both sides.")
    if compared.held_live or compared.held_rebuilt:
        print(f"streams held: {compared.held_live} live, {compared.held_rebuilt} rebuilt.")
    if compared.streams_behind:
        print(f"{compared.streams_behind} streams stand elsewhere in the live read model and were not compared.")
    for difference in compared.differences:
        print(f"differs: {difference.table} {difference.key}: {dict(difference.columns)}")
    print(f"live    {_figures(compared.live)}\nrebuilt {_figures(compared.rebuilt)}")
    print("Everything is equal. 全部一致。" if found.equal else "Something differs. 存在差异。")
    return 0 if found.equal else FAILED


def republish(*, service: OfService, aggregate: str, topic: str | None = None) -> int:
    """Send every event of an aggregate again, to its own topic or to another one that exists.

    将某类事件从账本重新发布到主题；消费者按序号识别重复，不会重复计数。

    Parameters
    ----------
    aggregate
        report, case or reference.
    topic
        Another topic, such as one with more partitions. Without it the aggregate's own.
    """
    from deploy.cli.failures import MISUSED

    with failures_shown():
        inside = _inside(service)
        own = {one.name: one.topic for one in inside.aggregates}
        if aggregate not in own:
            print(f"{service} has no aggregate {aggregate}; it has: {', '.join(own) or 'none'}.")
            return MISUSED
        sent = asyncio.run(_republish(inside, aggregate, topic or own[aggregate]))
    print(f"{sent} events are queued for {topic or own[aggregate]}; the worker sends them.")
    return 0


def forget(report: UUID, *, reason: Reason) -> int:
    """Forget what may have to be forgotten of a report: free text, address, contact, photo references.

    遗忘上报内容：描述、地址、联系方式、照片引用；事件与数字不变。

    Parameters
    ----------
    report
        The id of the report, which is that of its case.
    """
    with failures_shown():
        return asyncio.run(_forget(report, reason))


def held_list(*, service: Service | None = None, dead: bool = False) -> int:
    """List held messages. Those with a reason are dead letters; the others wait behind one, or for what is missing.

    列出挂起的消息。

    Parameters
    ----------
    service
        Only that service's.
    dead
        Only dead letters.
    """
    with failures_shown():
        services: tuple[Service, ...] = get_args(Service) if service is None else (service,)
        found = {name: asyncio.run(_list_held(_inside(name), dead_only=dead)) for name in services}
    for name, messages in found.items():
        for message in messages:
            what = message.reason or f"waits for {message.waits_for or 'an earlier message'}"
            detail = f": {message.detail}" if message.detail else ""
            place = f"{message.topic} {message.stream} event {message.sequence}"
            when = f"{message.held_at:%Y-%m-%d %H:%M:%S}"
            print(f"{name} {message.id}  {when}  {message.consumer}  {place}  {what}{detail}")
    if not any(found.values()):
        print("Nothing is held. 没有挂起的消息。")
    return 0


def held_retry(number: Number, *, service: OfService, reason: Reason) -> int:
    """Let the worker try a dead letter again, and what waits behind it, in order.

    重试一条挂起的消息，及其后等待的消息。
    """
    with failures_shown():
        message = asyncio.run(_retry(_inside(service), number, reason))
    print(f"Message {number} is released; {message.consumer} tries it again.")
    return 0


def held_skip(number: Number, *, service: OfService, reason: Reason) -> int:
    """Give a dead letter up: its stream goes on after it. A party whose message it was gets a receipt that says so.

    放弃一条挂起的消息，须说明理由；其后的消息继续处理。
    """
    with failures_shown():
        message = asyncio.run(_skip(_inside(service), number, reason))
    print(f"Message {number} is given up; {message.topic} {message.stream} goes on after it.")
    return 0


def _inside(service: Service) -> "Inside":
    from deploy.cli.inside import Inside
    from deploy.cli.running import require_running, this_stage

    stage = this_stage()
    require_running(stage)
    return Inside(stage=stage, service=service)


async def _verify(inside: "Inside") -> "Verification":
    from shared.ledger import verify as ledger_verification

    async with inside.engine() as engine:
        return await ledger_verification.verify(
            engine, service=inside.service, aggregates=inside.aggregates, read_topic=inside.read_topic
        )


def _show_verification(result: "Verification") -> None:
    print(
        f"{result.service}: {result.streams} streams, {result.events} events, {result.states} states, "
        f"{result.records} records on topics ({result.repeats} repeats), {result.unpublished} not published yet, "
        f"{result.later} written meanwhile, {result.seals} seals."
    )
    for difference in result.differences:
        print(f"  differs: {difference}")
    hidden = result.differences_found - len(result.differences)
    if hidden:
        print(f"  and {hidden} more.")


async def _rebuild(inside: "Inside") -> "RebuildReport":
    from services.analytics.consumers.rebuild import rebuild_beside

    return await rebuild_beside(
        inside.database_url,
        inside.vault,
        inside.read_topics,
        progress=_show_records,
        patience_seconds=_PATIENCE_SECONDS,
    )


def _show_records(records: int) -> None:
    if sys.stdout.isatty():
        print(f"{records} records read", end="\r", flush=True)


def _figures(figures: "Figures") -> str:
    return f"{figures.reported} reported, {figures.closed} closed, {figures.rejected} rejected"


async def _republish(inside: "Inside", aggregate: str, topic: str) -> int:
    from shared.ledger.republish import republish as queue_again

    async with inside.engine() as engine:
        return await queue_again(
            engine, service=inside.service, aggregate=aggregate, topic=topic, progress=lambda _count: None
        )


async def _forget(report: UUID, reason: str) -> int:
    from deploy.campaign.door import Door
    from deploy.cli.running import require_running, this_stage
    from shared.ledger.forgetting import give_up_forgotten

    stage = this_stage()
    require_running(stage)
    token = stage.token("joint", "joint-administration", "administrator")
    async with Door(stage.api, token) as door:
        reply = await door.post("intake", f"/v1/reports/{report}/forget", {"reason": reason}, key=f"forget:{report}")
    if not reply.accepted:
        print(f"Not forgotten: {reply}")
        return FAILED
    inside = _inside("intake")
    async with inside.engine() as engine:
        given_up = await give_up_forgotten(engine, inside.vault, service="intake")
    print(f"Forgotten: {report}." + (f" {given_up} held submissions of it were given up." if given_up else ""))
    return 0


async def _list_held(inside: "Inside", *, dead_only: bool) -> "list[HeldMessage]":
    from shared.ledger.held import list_held

    async with inside.engine() as engine:
        return await list_held(engine, dead_only=dead_only)


async def _retry(inside: "Inside", number: int, reason: str) -> "HeldMessage":
    from shared.ledger.held import retry_held

    async with inside.engine() as engine:
        return await retry_held(engine, number, operator=getpass.getuser(), reason=reason)


async def _skip(inside: "Inside", number: int, reason: str) -> "HeldMessage":
    from shared.ledger.held import skip_held

    async with inside.engine() as engine:
        return await skip_held(
            engine, inside.vault, number, service=inside.service, operator=getpass.getuser(), reason=reason
        )
