"""A plugin of pytest for runs in a copy: proves that the copy is what is tested, and writes down which tests failed."""

import json
import os
from pathlib import Path
from typing import Final

import hypothesis
import pytest

import deploy
import services
import shared

TESTIMONY: Final = "JOINT_MUTATION_TESTIMONY"
"""The variable that names the file to write."""
_UNSHRUNK: Final = "mutations"

failed: list[str] = []
broken: list[str] = []


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to test anything but the copy; find counterexamples whatever time it takes, without making them small."""
    for package in (shared, services, deploy):
        location = Path(package.__file__ or "").resolve()
        if not location.is_relative_to(config.rootpath.resolve()):
            raise pytest.UsageError(f"{package.__name__} was imported from {location}, not from {config.rootpath}.")
    phases = [hypothesis.Phase.explicit, hypothesis.Phase.generate]
    # A slow machine must not look like a test that has noticed something.
    hypothesis.settings.register_profile(
        _UNSHRUNK,
        phases=phases,
        database=None,
        deadline=None,
        suppress_health_check=[hypothesis.HealthCheck.too_slow],
    )
    hypothesis.settings.load_profile(_UNSHRUNK)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Tell a test that failed from one that could not be set up."""
    if report.failed:
        (failed if report.when == "call" else broken).append(report.nodeid)


def pytest_sessionfinish() -> None:
    """Write what was seen."""
    Path(os.environ[TESTIMONY]).write_text(json.dumps({"failed": failed, "broken": broken}), encoding="utf-8")
