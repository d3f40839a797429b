"""Crash points: where a process may be killed by a test, and nowhere else."""

import os
import signal
import subprocess
import sys

import pytest

from shared.observability import crash

REACH_THRICE = """
import sys
from shared.observability import crash
crash.configure(sys.argv[1])
for number in (1, 2, 3):
    crash.reach("relay_before_send")
    print(number, flush=True)
"""


def run(spec: str) -> tuple[int, list[str]]:
    done = subprocess.run([sys.executable, "-c", REACH_THRICE, spec], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.split()


def test_a_process_that_was_not_configured_passes_every_point() -> None:
    assert run("") == (0, ["1", "2", "3"])


def test_a_process_is_killed_the_first_time_it_reaches_its_point() -> None:
    assert run("relay_before_send") == (-signal.SIGKILL, [])


def test_a_process_is_killed_the_nth_time_when_so_configured() -> None:
    assert run("relay_before_send:3") == (-signal.SIGKILL, ["1", "2"])


def test_a_process_passes_the_points_it_was_not_configured_for() -> None:
    assert run("consumer_after_ack") == (0, ["1", "2", "3"])


def test_a_process_stands_still_at_its_point_when_so_configured_and_goes_on_when_told() -> None:
    process = subprocess.Popen([sys.executable, "-c", REACH_THRICE, "relay_before_send:2:stop"], stdout=subprocess.PIPE)
    try:
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        process.send_signal(signal.SIGCONT)
        assert process.communicate(timeout=30)[0].split() == [b"1", b"2", b"3"]
    finally:
        process.kill()
    assert process.returncode == 0


@pytest.mark.parametrize(
    "spec",
    [
        "nowhere",
        "relay_before_send:0",
        "relay_before_send:-1",
        "relay_before_send:soon",
        "relay_before_send:1:sleep",
    ],
)
def test_a_point_that_does_not_exist_is_refused(spec: str) -> None:
    with pytest.raises(ValueError, match=r"crash point|invalid literal"):
        crash.configure(spec)
