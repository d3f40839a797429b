"""What a party's program is told when it starts: who it is, how to get in, and its part of the campaign."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from deploy.campaign.problems import Problem
from shared.messaging.connection import KafkaConnection

Role = Literal["source", "department", "counter", "centre", "collectors"]


class Broker(Struct, frozen=True, kw_only=True):
    """How one party reaches the broker."""

    bootstrap: str
    username: str | None
    password: str | None

    def connection(self, party: str) -> KafkaConnection:
        """Return the connection under the party's name."""
        return KafkaConnection(
            bootstrap=tuple(self.bootstrap.split(",")),
            client_id=party,
            username=self.username,
            password=self.password,
        )


class Assignment(Struct, frozen=True, kw_only=True):
    """One program's part. Holds secrets: its file is readable by the owner alone.

    `tokens` are by unit, for the centre by post. `broker` is None for a party that uses HTTP alone. `since` is when
    the campaign began: receipts are read from there on.
    """

    role: Role
    party: str
    problems_file: str
    since: datetime
    api: dict[str, str]
    tokens: dict[str, str]
    broker: Broker | None = None

    def problems(self) -> tuple[Problem, ...]:
        """Read the campaign's problems."""
        return msgspec.json.decode(Path(self.problems_file).read_bytes(), type=tuple[Problem, ...])


class Said(Struct, frozen=True, kw_only=True):
    """One line that a program writes on standard output when its counts change: what it did, how often."""

    party: str
    counts: dict[str, int]
    trouble: str | None = None


class Voice:
    """Counts what a program does and says it, one JSON line a change of at least `every` acts."""

    def __init__(self, party: str) -> None:
        self._party = party
        self._counts: dict[str, int] = {}

    def did(self, what: str) -> None:
        """Count one act and say the counts."""
        self._counts[what] = self._counts.get(what, 0) + 1
        self._say(None)

    def trouble(self, what: str) -> None:
        """Say that something was answered as it should not be; the campaign goes on."""
        self._say(what)

    def _say(self, trouble: str | None) -> None:
        line = msgspec.json.encode(Said(party=self._party, counts=self._counts, trouble=trouble))
        sys.stdout.buffer.write(line + b"\n")
        sys.stdout.buffer.flush()


class Positions:
    """Finds the problem that a task or case is about by the position that everybody can see."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self._problems = {(problem.place.longitude, problem.place.latitude): problem for problem in problems}

    def find(self, longitude: float, latitude: float) -> Problem | None:
        """Return the problem there; None for a case of another campaign."""
        return self._problems.get((longitude, latitude))
