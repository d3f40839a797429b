"""Commands that run the system on this machine: up, status, down, reset, token, party."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

if TYPE_CHECKING:
    import cyclopts

    from deploy.embedded.home import Home
    from deploy.embedded.settings import SystemSettings
    from deploy.embedded.status import ProcessStatus

_FAILED = 1


def register(app: cyclopts.App) -> None:
    """Add the commands of this file to `joint`."""
    for command in (up, status, down, reset, token, party):
        app.command(command)


def up(*, detach: bool = False, restart: bool = False) -> None:
    """Start Kafka, PostgreSQL and the three services, and stay until Ctrl-C.

    启动 Kafka、PostgreSQL 和三个服务，保持运行直到按下 Ctrl-C。

    JOINT_KAFKA_BOOTSTRAP and JOINT_DATABASE_URL use existing servers instead of the embedded ones.

    Parameters
    ----------
    detach
        Leave everything running in the background; `joint down` ends it.
    restart
        Start a service process again when it ends by itself, instead of ending the system.
    """
    from deploy.cli.running import know_the_city, this_stage
    from deploy.embedded import supervisor
    from deploy.embedded.system import AlreadyRunning

    home, settings = _home()
    know_the_city(this_stage())
    try:
        with _failures_shown():
            if detach:
                supervisor.run_detached(settings, restarts=restart)
                _show_addresses(home)
            else:
                supervisor.run(settings, restarts=restart, when_ready=lambda: _show_addresses(home))
    except AlreadyRunning:
        print("The system is already running; nothing was changed.")
        _show_addresses(home)


def status(*, json: bool = False) -> int:
    """Show each process with memory (PSS), lag, rate, held messages and due wakes, and how long the start took.

    显示各进程的内存、积压、速率、挂起的消息与到期的定时。

    Parameters
    ----------
    json
        Print it for programs.
    """
    from deploy.embedded.status import system_status

    home, _ = _home()
    found = system_status(home)
    if json:
        print(found.to_json())
        return 0 if found.running else _FAILED
    if not found.running:
        print("The system is not running. `joint up` starts it.")
        return _FAILED
    print(f"{'process':<18}{'pid':>8}{'memory':>12}{'lag':>10}{'rate':>12}{'dead':>7}{'waiting':>9}{'due':>7}")
    for process in found.processes:
        print(_line(process))
    print(f"{'total':<18}{'':>8}{_mebibytes(found.memory):>12}")
    print(f"Started in {found.start_seconds} s.")
    dead = sum(process.dead or 0 for process in found.processes)
    if dead:
        print(f"Messages that could not be handled: {dead}; `joint held list` shows them. 有消息挂起，需人工处理。")
    _show_addresses(home)
    return 0


def down() -> None:
    """End the system of this folder: the services finish what they do, then the servers.

    停止本目录的系统：先停服务，再停服务器。
    """
    from deploy.embedded.supervisor import stop_detached

    _, settings = _home()
    with _failures_shown():
        print("The system has ended." if stop_detached(settings) else "The system is not running.")


def reset(*, yes: bool = False) -> int:
    """Delete all data of the system: database, topics, passwords, logs.

    删除系统的全部数据（不可恢复）。

    Parameters
    ----------
    yes
        Do not ask.
    """
    from deploy.embedded.postgres import remove_outside_folder
    from deploy.embedded.supervisor import stop_detached

    home, settings = _home()
    if not home.root.exists():
        print(f"There is no data in {home.root}.")
        return 0
    if not home.may_be_deleted:
        print(f"{home.root} is not a folder of Joint's data alone; nothing was deleted.", file=sys.stderr)
        return _FAILED
    if not yes and input(f"Delete everything in {home.root}? Type yes: ").strip() != "yes":
        print("Nothing was deleted.")
        return _FAILED
    with _failures_shown():
        stop_detached(settings)
    remove_outside_folder(home)
    shutil.rmtree(home.root)
    print(f"Deleted {home.root}.")
    return 0


def token(*, client: str, unit: str, post: str, person: str | None = None, hours: float = 8.0) -> None:
    """Print a token for the HTTP API, signed by this system's own issuer.

    签发调用 HTTP 接口的令牌。

    Parameters
    ----------
    client
        The program or console that calls.
    unit
        The unit it calls for.
    post
        The post within the unit.
    person
        The person at that post, if one is signed in.
    hours
        How long the token is valid.
    """
    from deploy.embedded.credentials import load_credentials
    from deploy.embedded.identity import TokenIssuer

    home, settings = _home()
    home.prepare()
    issuer = TokenIssuer(load_credentials(home), settings.token_issuer)
    print(issuer.issue(client, unit, post, person, timedelta(hours=hours)))


def party(
    *,
    source: Annotated[tuple[str, ...], Parameter(negative=())] = (),
    department: Annotated[tuple[str, ...], Parameter(negative=())] = (),
) -> None:
    """Add outside parties: topics, users and rights; show how each reaches the broker.

    登记外部单位：主题、用户与权限。

    Parameters
    ----------
    source
        A system that reports problems (may be given several times).
    department
        A department that acts over topics (may be given several times).
    """
    from deploy.embedded.access import register_parties

    home, settings = _home()
    home.prepare()
    with _failures_shown():
        for access in register_parties(home, settings, sources=source, departments=department):
            print(f"{access.username or 'anybody'} at {access.bootstrap}, password {access.password or '(none)'}")


def _home() -> tuple[Home, SystemSettings]:
    from deploy.embedded.home import Home
    from deploy.embedded.settings import SystemSettings

    settings = SystemSettings()
    return Home(root=settings.home.absolute()), settings


@contextmanager
def _failures_shown() -> Iterator[None]:
    """Show a failure as what, where and what to do, without a trace; end with an exit code."""
    from deploy.embedded.errors import SystemFailure
    from shared.kernel.errors import Unavailable

    try:
        yield
    except (SystemFailure, Unavailable) as failure:
        print(failure, file=sys.stderr)
        sys.exit(_FAILED)


def _show_addresses(home: Home) -> None:
    from deploy.embedded.services import api_addresses

    for service, address in api_addresses(home).items():
        print(f"{service:<10} {address}")


def _line(process: ProcessStatus) -> str:
    pid = "ended" if process.pid is None else str(process.pid)
    memory = "?" if process.memory is None else _mebibytes(process.memory)
    lag = "" if process.lag is None else f"{process.lag:.0f}"
    rate = "" if process.rate is None else f"{process.rate:.1f}/s"
    numbers = (process.dead, process.waiting, process.due)
    dead, waiting, due = (str(number) if number else "" for number in numbers)
    return f"{process.name:<18}{pid:>8}{memory:>12}{lag:>10}{rate:>12}{dead:>7}{waiting:>9}{due:>7}".rstrip()


def _mebibytes(size: int) -> str:
    return f"{size / 1024 / 1024:.0f} MiB"
