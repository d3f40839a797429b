"""Stand-ins for the three services, to test the supervisor alone: they listen, answer and end when told.

`write_standins` makes a package `standins` whose modules start like the services do. A process that
finds a file `<service>-<role>.crash` beside the package ends with exit code 7.
"""

import os
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Final

CRASH_CODE: Final = 7
METRICS: Final = b"""\
joint_consumer_lag_records{group="g",topic="t",partition="0"} 3.0
joint_consumer_lag_records{group="g",topic="t",partition="1"} 4.0
"""


def write_standins(folder: Path) -> None:
    """Make the package below `folder`, which must then be on the path of Python."""
    for service in ("intake", "dispatch", "analytics"):
        package = folder / "standins" / service
        package.mkdir(parents=True)
        code = f"from tests.support.standins import main\n\nmain({str(folder)!r}, {service!r})\n"
        (package / "__main__.py").write_text(code)


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(METRICS if self.path == "/metrics" else b"")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        pass


def main(folder: str, service: str) -> None:
    """Behave as one process of a service."""
    role = sys.argv[1]
    _say(f"{service} {role} as {os.environ.get('JOINT_KAFKA_USERNAME')}")
    if (Path(folder) / f"{service}-{role}.crash").exists():
        _say("the reason why it ended")
        sys.exit(CRASH_CODE)
    if role == "migrate":
        return
    port = int(os.environ["JOINT_HTTP_PORT" if role == "api" else "JOINT_HEALTH_PORT"])
    server = HTTPServer(("127.0.0.1", port), _Answers)
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever(poll_interval=0.05)
    _say("drained")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
