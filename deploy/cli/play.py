"""Commands that put something through the system: demo, campaign, import."""

import asyncio
import signal
import sys
from collections import Counter
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

from cyclopts import Parameter

from deploy.cli.failures import DIFFERS, failures_shown

if TYPE_CHECKING:
    import cyclopts
    from rich.console import Console

    from deploy.campaign.plan import Plan
    from deploy.campaign.stage import Stage
    from deploy.importer.loader import Loaded, RefusedRow
    from deploy.importer.mapping import TableMapping

_REASONS_SHOWN: Final = 20

T = TypeVar("T")


def register(app: "cyclopts.App") -> None:
    """Add the commands of this file to `joint`."""
    app.command(demo)
    app.command(campaign)
    app.command(import_table, name="import")


def campaign(*, plan: Path | None = None, code: str | None = None) -> int:
    """Play a campaign and compare every figure with its plan; exit code 3 when one differs.

    按计划演练一次专项行动，逐项核对数字；系统未启动时自动启动，结束后自动停止。

    The parties are programs of their own that use only the public topics and the HTTP API. The system is started if
    it is not up, and what was started is ended again.

    Parameters
    ----------
    plan
        A plan file; without it the campaign of the source report is played (deploy/campaign/plans/jiaohe.toml).
    code
        The campaign's code. Without it the plan's code and the time, so that repeated runs stay apart.
    """
    from deploy.campaign.plan import DEFAULT_PLAN, load_plan
    from deploy.cli.running import brought_up, this_stage

    with failures_shown():
        loaded, stage = load_plan(plan or DEFAULT_PLAN), this_stage()
        with brought_up(stage):
            return _play(stage, loaded, code)


def demo(*, plan: Path | None = None) -> int:
    """Start everything, play a campaign with a live view, and stay up until Ctrl-C.

    启动整个系统，演练一次专项行动并实时显示进度，然后保持运行，直到按下 Ctrl-C。

    Parameters
    ----------
    plan
        A plan file; without it the campaign of the source report is played.
    """
    from deploy.campaign.plan import DEFAULT_PLAN, load_plan
    from deploy.cli.running import is_running, know_the_city, this_stage
    from deploy.embedded import supervisor

    with failures_shown():
        loaded, stage = load_plan(plan or DEFAULT_PLAN), this_stage()
        if is_running(stage):
            result = _play(stage, loaded, None)
            _show_what_next(stage)
            return result
        know_the_city(stage)
        results: list[int] = []

        def play_and_tell() -> None:
            results.append(_play(stage, loaded, None))
            _show_what_next(stage)
            print("\nThe system stays up. Ctrl-C ends it in order. 系统保持运行，按 Ctrl-C 停止。", flush=True)

        supervisor.run(stage.settings, restarts=True, when_ready=play_and_tell)
        return results[0] if results else 0


def import_table(
    file: Path,
    *,
    source: str,
    mapping: Annotated[Path, Parameter(name="--mapping")],
) -> int:
    """Load a CSV file of problems through the public door; refused rows go to FILE.refused.csv.

    通过公开接口导入 CSV 数据；未受理的行及原因写入 FILE.refused.csv。重复导入不会产生重复数据。

    Each row is POST /v1/reports with its id as Idempotency-Key, so that a second run changes nothing. Rows that are
    refused are no failure of the command: correct them in FILE.refused.csv and import that file.

    Parameters
    ----------
    file
        The table: CSV in UTF-8 with a header.
    source
        The source that reports, as the units document names it, such as boston311.
    mapping
        A mapping file, or the name of one of ours (deploy/importer/mappings), such as boston311.
    """
    from rich.console import Console

    from deploy.cli.running import require_running, this_stage
    from deploy.importer.loader import open_table, write_refused
    from deploy.importer.mapping import load_mapping

    with failures_shown():
        rule = load_mapping(mapping)
        header, count = open_table(file, rule)
        stage = this_stage()
        require_running(stage)
        loaded = asyncio.run(_load(stage, file, source, rule, count))
        console = Console()
        console.print(f"{count} rows: {loaded.accepted} accepted, {len(loaded.refused)} refused.", highlight=False)
        refused_file = file.with_name(f"{file.name}.refused.csv")
        if loaded.refused:
            write_refused(refused_file, header, loaded.refused)
            _show_reasons(console, loaded.refused)
            console.print(f"The refused rows with every reason: {refused_file}", highlight=False)
        else:
            refused_file.unlink(missing_ok=True)
        return 0


def _play(stage: "Stage", plan: "Plan", code: str | None) -> int:
    """Play the plan, print what came out, and return the exit code."""
    from rich.console import Console

    from deploy.campaign.display import print_outcome
    from deploy.campaign.runner import play, prepare

    console = Console()
    outcome = _run(play(stage, prepare(stage, plan, code), console))
    print_outcome(console, outcome)
    return 0 if outcome.as_planned else DIFFERS


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end; Ctrl-C and SIGTERM cancel the work in order and become KeyboardInterrupt.

    Whoever handled the signals before handles them again afterwards.
    """
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in numbers}

    async def cancellable() -> T:
        task = asyncio.ensure_future(work)
        for number in numbers:
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        return await task

    try:
        return asyncio.run(cancellable())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


async def _load(stage: "Stage", file: Path, source: str, mapping: "TableMapping", count: int) -> "Loaded":
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from deploy.campaign.door import Door
    from deploy.importer.loader import load

    token = stage.token(source, source, "source")
    with Progress(TextColumn(file.name), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()) as progress:
        task = progress.add_task(file.name, total=count)
        async with Door(stage.api, token) as door:
            return await load(file, mapping, door, lambda: progress.advance(task))


def _show_reasons(console: "Console", refused: "Sequence[RefusedRow]") -> None:
    """Print how often each reason was given."""
    from rich.table import Table

    reasons = Counter(reason for row in refused for reason in row.reasons)
    table = Table("reason", "rows")
    for reason, count in reasons.most_common(_REASONS_SHOWN):
        table.add_row(reason, str(count))
    console.print(table)


def _show_what_next(stage: "Stage") -> None:
    """Print where everything is, and what to try."""
    api = stage.api
    print("\nWhere everything is / 各服务地址:")
    for service, address in api.items():
        print(f"  {service:<10} {address}  (API {address}/schema/openapi.json, topics {address}/asyncapi.json)")
    print(f"  logs       {stage.home.logs}")
    print("What to try next / 可以继续尝试:")
    joint = _this_command()
    signed = f"$({joint} token --client me --unit supervision-centre --post evaluator)"
    closure = f"{api['analytics']}/v1/indicators/closure?group=department"
    table = "deploy/importer/samples/boston311_2015.csv --source boston311 --mapping boston311"
    for line in (
        f"{joint} status       # processes, memory, lag and rate",
        f"{joint} campaign --plan deploy/campaign/plans/small.toml       # another plan, on this system",
        f"{joint} import {table}",
        f"{joint} verify       # compare ledgers, topics and seals",
        f"{joint} rebuild      # make the read model again and compare",
        f'curl -H "Authorization: Bearer {signed}" "{closure}"',
    ):
        print(f"  {line}")


def _this_command() -> str:
    """Return how a person calls `joint` from here."""
    beside_python = Path(sys.executable).with_name("joint")
    try:
        return str(beside_python.relative_to(Path.cwd()))
    except ValueError:
        return "joint"
