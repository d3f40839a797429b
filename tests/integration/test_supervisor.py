"""The supervisor as a process: what `joint up` promises about its end, whoever or whatever causes it."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.embedded.home import Home
from deploy.embedded.processes import remembered_process
from deploy.embedded.services import PROCESSES
from deploy.embedded.settings import PROJECT_ROOT
from tests.support.systems import SECONDS, assert_nothing_runs, wait_for


def test_the_commands_start_show_and_end_a_system_in_the_background(home: Home) -> None:
    assert "intake     http://127.0.0.1:" in _joint("up", "--detach")
    assert _joint("up").startswith("The system is already running; nothing was changed.")
    assert re.search(r"^total +\d+ MiB$", _joint("status"), re.MULTILINE)
    assert _joint("party", "--source", "water").startswith("source.water at 127.0.0.1:")
    assert _joint("down") == "The system has ended.\n"
    assert _joint("down") == "The system is not running.\n"
    assert "is not running" in _joint("status", exit_code=1)


def test_reset_deletes_a_home_and_nothing_else(tmp_path: Path, standins: Path) -> None:
    home = Home(root=tmp_path / "home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JOINT_HOME", str(tmp_path))
        assert "nothing was deleted" in _joint("reset", "--yes", exit_code=1)
        patch.setenv("JOINT_HOME", str(home.root))
        _joint("token", "--client", "console", "--unit", "street", "--post", "clerk")
        assert home.credentials.exists()
        assert _joint("reset", "--yes") == f"Deleted {home.root}.\n"
    assert not home.root.exists()


def test_a_part_that_is_killed_ends_the_system_with_a_reason(home: Home) -> None:
    supervisor = _supervise(home)
    remembered = remembered_process(home.pid_file("analytics-worker"))
    assert remembered is not None
    remembered.kill()
    output, _ = supervisor.communicate(timeout=SECONDS)
    assert supervisor.returncode == 1
    assert "analytics-worker ended by itself (signal SIGKILL). Its last lines:\nanalytics worker as" in output
    assert_nothing_runs(home)


def test_with_restarts_a_killed_service_is_started_again(home: Home) -> None:
    supervisor = _supervise(home, "--restart")
    first = remembered_process(home.pid_file("intake-worker"))
    assert first is not None
    first.kill()
    wait_for(lambda: (now := remembered_process(home.pid_file("intake-worker"))) is not None and now.pid != first.pid)
    _end(supervisor, signal.SIGTERM)


def test_ctrl_c_drains_the_services_and_nothing_stays(home: Home) -> None:
    supervisor = _supervise(home)
    _end(supervisor, signal.SIGINT)
    for name in PROCESSES:
        assert home.log(name).read_text().endswith("drained\n")
    assert_nothing_runs(home)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_nothing_outlives_a_supervisor_that_is_killed(home: Home) -> None:
    supervisor = _supervise(home)
    names = ["kafka", "postgres", *PROCESSES]
    supervisor.kill()
    supervisor.communicate(timeout=SECONDS)
    wait_for(lambda: all(remembered_process(home.pid_file(name)) is None for name in names))


def _joint(*arguments: str, exit_code: int = 0) -> str:
    """Run a command of this package as `joint` would; return what it prints on both outputs."""
    program = "import cyclopts, deploy.cli.system as s; app = cyclopts.App(name='joint'); s.register(app); app()"
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=PROJECT_ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == exit_code, done.stdout
    return done.stdout


def _supervise(home: Home, *arguments: str) -> subprocess.Popen[str]:
    """Start a supervisor as a process of its own and return it when its system is ready."""
    home.state.unlink(missing_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-m", "deploy.embedded.supervisor", *arguments],
        cwd=PROJECT_ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    wait_for(lambda: home.state.exists() or process.poll() is not None)
    assert process.poll() is None, process.communicate()[0]
    return process


def _end(supervisor: subprocess.Popen[str], number: signal.Signals) -> None:
    supervisor.send_signal(number)
    output, _ = supervisor.communicate(timeout=SECONDS)
    assert supervisor.returncode == 0, output
