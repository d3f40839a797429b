"""The one folder that holds everything an embedded system writes, and how its files are written.

A file is replaced whole, never half written; what is secret is readable by its owner alone.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Home:
    """Names of the files below the folder `root`; `prepare` makes the folders."""

    root: Path

    @property
    def credentials(self) -> Path:
        return self.root / "credentials.json"

    @property
    def public_keys(self) -> Path:
        return self.root / "jwks.json"

    @property
    def ports(self) -> Path:
        return self.root / "ports.json"

    @property
    def parties(self) -> Path:
        return self.root / "parties.json"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def run(self) -> Path:
        return self.root / "run"

    @property
    def kafka(self) -> Path:
        return self.root / "kafka"

    @property
    def postgres(self) -> Path:
        return self.root / "postgres"

    def log(self, process: str) -> Path:
        """Return the file that takes what the process prints."""
        return self.logs / f"{process}.log"

    @property
    def may_be_deleted(self) -> bool:
        """Tell whether the folder is a home, and not one that holds the project or a person's own files too."""
        precious = (Path(__file__), Path.home() / "any")
        return self.credentials.exists() and self.root.resolve() not in {
            folder for path in precious for folder in path.resolve().parents
        }

    def pid_file(self, process: str) -> Path:
        """Return the file that names the process while it runs."""
        return self.run / f"{process}.pid"

    @property
    def state(self) -> Path:
        """What is known of the running system; there only while it is up."""
        return self.run / "system.json"

    def prepare(self) -> None:
        """Make the folders.

        Others may pass through the root but not list it: PostgreSQL refuses to run as the
        superuser and then runs as another user, whose data lies below.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        self.root.chmod(0o711)
        for folder in (self.logs, self.run, self.kafka):
            folder.mkdir(exist_ok=True)
            folder.chmod(0o700)

    def rotate_logs(self) -> None:
        """Begin every log anew; the one of the last start is kept beside it as `.1`."""
        for log in self.logs.glob("*.log"):
            log.replace(log.with_name(f"{log.name}.1"))


def write_private(path: Path, text: str) -> None:
    """Replace the file in one step; only its owner can read it (mode 0600)."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    Path(name).replace(path)


def write_public(path: Path, text: str) -> None:
    """Replace the file in one step; everybody can read it."""
    write_private(path, text)
    path.chmod(0o644)
