"""The shipped services with a bug that can be planted into a release of dispatch, and mended by the next one.

`write_release` makes a package `planted` that starts like the services do. While a file `bug` is beside the package,
a dispatch that starts crashes on every filed report of the campaign `CAMPAIGN`; everything else is as shipped.
"""

import sys
from pathlib import Path
from typing import Final

from services.dispatch import policies
from services.dispatch.domain.commands import OpenCase
from shared.contracts.decisions import Delivery, WaitForReference
from shared.contracts.library import ReferenceLibrary
from shared.contracts.registry import SERVICES
from shared.runtime.start import start

CAMPAIGN: Final = "planted"
PACKAGE: Final = "planted"


def write_release(folder: Path) -> None:
    """Make the package below `folder`, which must then be on the path of Python."""
    for service in SERVICES:
        package = folder / PACKAGE / service
        package.mkdir(parents=True)
        code = f"from tests.support.planted import main\n\nmain({str(folder)!r}, {service!r})\n"
        (package / "__main__.py").write_text(code)


def bug_of(folder: Path) -> Path:
    """Return the file that says that the next start has the bug."""
    return folder / "bug"


def main(folder: str, service: str) -> None:
    """Be one process of a service."""
    if bug_of(Path(folder)).exists():
        _plant()
    raise SystemExit(start(f"services.{service}.roles", sys.argv[1:]))


def _plant() -> None:
    shipped = policies.open_case

    def open_case(city: str, delivery: Delivery, library: ReferenceLibrary) -> OpenCase | WaitForReference | None:
        opening = shipped(city, delivery, library)
        if isinstance(opening, OpenCase) and opening.campaign == CAMPAIGN:
            raise ZeroDivisionError("division by zero")
        return opening

    policies.open_case = open_case
