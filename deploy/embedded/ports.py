"""Free loopback ports, found once and remembered, so that addresses stay the same."""

from __future__ import annotations

import json
import random
import socket
from typing import TYPE_CHECKING, Final

from deploy.embedded.errors import SystemFailure
from deploy.embedded.home import Home, write_private

if TYPE_CHECKING:
    from collections.abc import Sequence

LOOPBACK: Final = "127.0.0.1"
# Below the range from which systems take the ports of outgoing connections (32768 on Linux):
# a remembered port in that range could be taken by any program's connection meanwhile.
_LOWEST: Final = 20_000
_HIGHEST: Final = 32_000
_ATTEMPTS: Final = 200


def is_free(port: int) -> bool:
    """Tell whether a server could listen on the port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def remembered_ports(home: Home, names: Sequence[str]) -> dict[str, int]:
    """Return a port for each name: the remembered one, or a free one that is remembered now.

    Does not look whether a remembered port is still free; `require_free` does.
    """
    known: dict[str, int] = json.loads(home.ports.read_text()) if home.ports.exists() else {}
    missing = [name for name in names if name not in known]
    for name in missing:
        known[name] = _unused(set(known.values()))
    if missing:
        write_private(home.ports, json.dumps(known, indent=2) + "\n")
    return {name: known[name] for name in names}


def require_free(home: Home, ports: dict[str, int]) -> None:
    """Raise SystemFailure if another program listens on one of the ports."""
    for name, port in ports.items():
        if not is_free(port):
            raise SystemFailure(
                f"Port {port} of {name} is in use by another program.",
                remedy=f"End that program, or delete {home.ports} to have new ports chosen.",
            )


def _unused(taken: set[int]) -> int:
    generator = random.SystemRandom()
    for _ in range(_ATTEMPTS):
        port = generator.randrange(_LOWEST, _HIGHEST)
        if port not in taken and is_free(port):
            return port
    raise SystemFailure(
        f"No free port found between {_LOWEST} and {_HIGHEST} on {LOOPBACK}.",
        remedy="End programs that listen there.",
    )
