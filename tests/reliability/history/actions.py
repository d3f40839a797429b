"""What clients did and heard, one JSON line an action; safe for threads and for several processes."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec

Door = Literal["topic", "http"]


class History:
    """Appends to the file at `path`; every line has `at` (UTC) and `kind`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def sent(
        self, *, door: Door, party: str, key: str, digest: str, body: str | None = None, place: str | None = None
    ) -> None:
        """Note, before it is sent, that a party sends a request; once for each attempt."""
        self._append("sent", door=door, party=party, key=key, digest=digest, body=body, place=place)

    def placed(self, *, party: str, key: str, place: str) -> None:
        """Note that the broker acknowledged the record."""
        self._append("placed", party=party, key=key, place=place)

    def answered(
        self,
        *,
        door: Door,
        party: str,
        key: str,
        outcome: str,
        code: str | None,
        subject: str | None,
        position: str | None,
        status: int | None = None,
    ) -> None:
        """Note what the client heard: a receipt or an HTTP answer."""
        said = {"outcome": outcome, "code": code, "subject": subject, "position": position, "status": status}
        self._append("answered", door=door, party=party, key=key, **said)

    def unknown(self, *, door: Door, party: str, key: str, reason: str) -> None:
        """Note that nobody knows whether a request had its effect."""
        self._append("unknown", door=door, party=party, key=key, reason=reason)

    def fault(self, name: str, **details: object) -> None:
        """Note what was killed or stopped."""
        self._append("fault", name=name, **details)

    def _append(self, kind: str, **values: object) -> None:
        line = msgspec.json.encode({"at": datetime.now(UTC), "kind": kind, **values}) + b"\n"
        file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(file, line)  # one write, so that lines of others never come into it
        finally:
            os.close(file)
