"""The parties' programs of one campaign: started as processes of their own, listened to, and ended."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from deploy.campaign.assignment import Assignment, Said
from deploy.embedded.errors import SystemFailure
from deploy.embedded.home import Home, write_private
from deploy.embedded.processes import Child, Program, describe_exit, log_tail
from deploy.embedded.servers import stop_all
from deploy.embedded.settings import PROJECT_ROOT

_STOP_SECONDS: Final = 5.0


class Company:
    """The running programs. What they say is kept: counts by party, and every trouble once."""

    def __init__(self, home: Home, folder: Path, assignments: Sequence[Assignment], python: str) -> None:
        self._home = home
        self._children: list[Child] = []
        self._heard: dict[str, int] = {}
        self._finite: set[str] = set()
        self.counts: dict[str, dict[str, int]] = {}
        self.troubles: list[str] = []
        for assignment in assignments:
            self._start(folder, assignment, python)

    def _start(self, folder: Path, assignment: Assignment, python: str) -> None:
        name = f"campaign-{assignment.role}-{assignment.party}"
        file = folder / f"{assignment.role}-{assignment.party}.json"
        write_private(file, msgspec.json.encode(assignment).decode())
        log = self._home.log(name)
        self._heard[name] = log.stat().st_size if log.exists() else 0
        if assignment.role == "source":
            self._finite.add(name)
        command = (python, "-m", "deploy.campaign", str(file))
        program = Program(name=name, command=command, folder=PROJECT_ROOT, stop_seconds=_STOP_SECONDS)
        self._children.append(Child(self._home, program))

    @property
    def sources_done(self) -> bool:
        """Whether every source has a receipt for everything it reported."""
        return all(child.exit_code == 0 for child in self._children if child.program.name in self._finite)

    def listen(self) -> None:
        """Take what was said since the last time.

        Raises:
            SystemFailure: when a program ended that should not have, with the end of its log.
        """
        for child in self._children:
            self._read(child.program.name)
            code = child.exit_code
            if code is not None and not (code == 0 and child.program.name in self._finite):
                raise SystemFailure(
                    f"{child.program.name} ended ({describe_exit(code)}). Its last lines:\n"
                    f"{log_tail(self._home.log(child.program.name))}",
                    remedy=f"The whole log: {self._home.log(child.program.name)}",
                )

    def end(self) -> None:
        """End every program that still runs."""
        stop_all(self._children)

    def _read(self, name: str) -> None:
        with self._home.log(name).open("rb") as log:
            log.seek(self._heard[name])
            said = log.read()
        whole = said[: said.rfind(b"\n") + 1]
        self._heard[name] += len(whole)
        for line in whole.splitlines():
            try:
                words = msgspec.json.decode(line, type=Said)
            except msgspec.DecodeError:
                continue  # a library's warning, which stays in the log
            self.counts[words.party] = words.counts
            if words.trouble is not None:
                self.troubles.append(f"{words.party}: {words.trouble}")
