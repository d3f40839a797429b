"""What an installation must fetch and make once, so that later starts are quick and need no network.

Run as `python -m deploy.embedded.install`; a second run finds everything there and does nothing.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from pathlib import Path

from deploy.embedded.credentials import load_credentials
from deploy.embedded.errors import SystemFailure
from deploy.embedded.home import Home
from deploy.embedded.java import class_archive, class_path
from deploy.embedded.kafka import CLIENT_PORT, CONTROLLER_PORT, KafkaServer
from deploy.embedded.ports import remembered_ports
from deploy.embedded.processes import Child

_TRAINING_START_SECONDS = 60.0


def install() -> None:
    """Fetch the Java libraries and make the archive of loaded classes."""
    print(f"Java libraries of Apache Kafka: {class_path().count(os.pathsep) + 1} jars")
    if class_archive().exists():
        return
    try:
        class_archive().parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:  # a read-only installation works too, with a slower broker start
        print(f"No class archive: {error}")
        return
    with tempfile.TemporaryDirectory(prefix="joint-install-") as folder:
        _make_class_archive(Home(root=Path(folder)))


def _make_class_archive(home: Home) -> None:
    home.prepare()
    ports = remembered_ports(home, [CLIENT_PORT, CONTROLLER_PORT])
    credentials = load_credentials(home)
    server = KafkaServer(home=home, credentials=credentials, ports=ports, heap="320m")
    server.prepare()
    unfinished = home.root / "classes.aot"
    # The broker writes the archive when it ends.
    broker = Child(home, server.program(f"-XX:AOTCacheOutput={unfinished}"))
    try:
        server.wait_until_ready(broker.require_running, _TRAINING_START_SECONDS)
    finally:
        broker.stop()
    if not unfinished.exists():
        print("No class archive was written; the broker starts without it, about 2 s slower.")
        return
    _move(unfinished, class_archive())
    print(f"Class archive of the broker: {class_archive().stat().st_size >> 20} MiB")


def _move(source: Path, target: Path) -> None:
    """Copy beside the target first: two installations at once never leave half a file."""
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    with contextlib.closing(source.open("rb")) as data:
        partial.write_bytes(data.read())
    partial.replace(target)


def main() -> int:
    """Install, or say what failed; return the exit code."""
    try:
        install()
    except SystemFailure as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
