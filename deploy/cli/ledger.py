"""Commands that look into ledgers and read models, and set them right: verify, rebuild, republish, forget."""

import asyncio
import sys
from typing import TYPE_CHECKING
from uuid import UUID

import cyclopts

from deploy.cli.common import OfService, Reason, inside_of, unlogged
from deploy.cli.failures import FAILED, failures_shown

if TYPE_CHECKING:
    from deploy.cli.inside import Inside
    from services.analytics.consumers.rebuild import RebuildReport
    from services.analytics.queries import Figures
    from shared.ledger.verify import Verification

_PATIENCE_SECONDS = 60.0


def register(app: cyclopts.App) -> None:
    """Add the commands of this file to `joint`."""
    for command in (verify, rebuild, republish, forget):
        app.command(command)


def verify() -> int:
    """Compare each ledger with its own hash chains, states, topics and seals; exit code 1 if anything differs.

    核对账本：事件链、状态、主题与封存是否一致。
    """
    with failures_shown():
        found = [asyncio.run(_verify(inside_of(service))) for service in ("intake", "dispatch")]
    for result in found:
        _show_verification(result)
    equal = all(result.equal for result in found)
    print("Everything is equal. 全部一致。" if equal else "Something differs. 存在差异。")
    return 0 if equal else FAILED


def rebuild() -> int:
    """Make the read model of analytics again from offset 0, beside the live one, and compare them.

    从头重建统计读模型，并与现有读模型比对；不改动现有数据。
    """
    with failures_shown(), unlogged():
        inside = inside_of("analytics")
        found = asyncio.run(_rebuild(inside))
    compared = found.comparison
    print(
        f"{found.records} records read; compared {compared.streams} streams, {compared.cases} cases, "
        f"{compared.legs} legs, {compared.figures} figures."
    )
    if found.given_up:
        print(f"Given up by operators, and left out on both sides: {found.given_up}.")
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
        inside = inside_of(service)
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
        f"{result.later} written meanwhile, {result.seals} seals; streams held: {result.held_streams}."
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
    inside = inside_of("intake")
    async with inside.engine() as engine:
        given_up = await give_up_forgotten(engine, inside.vault, service="intake")
    print(f"Forgotten: {report}." + (f" {given_up} held submissions of it were given up." if given_up else ""))
    return 0
