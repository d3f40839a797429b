"""HTTP/1.1 over kept-open connections, as cheap as it can be: bytes out, status and body in, no pipelining.

It reads what the servers of the bench send (a status line, Content-Length, no chunks) and fails on anything else.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Final, cast

Heard = Callable[[int, bytes], None]
"""Takes the status and the body of an answer."""

_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"content-length:"


def request_bytes(path: str, host: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """Return a POST as it travels."""
    lines = [f"POST {path} HTTP/1.1", f"Host: {host}", "Content-Type: application/json"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + _END + body


class Connection(asyncio.Protocol):
    """One connection; `idle` is called whenever it may be given the next request."""

    def __init__(self, idle: Callable[["Connection"], None]) -> None:
        self._idle = idle
        self._heard: Heard | None = None
        self._received = b""
        self._transport: asyncio.Transport | None = None
        self.lost: str | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def ask(self, request: bytes, heard: Heard) -> None:
        """Send the request; `heard` is called with its answer."""
        assert self._transport is not None, "not connected"
        self._heard = heard
        self._transport.write(request)

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()

    def data_received(self, data: bytes) -> None:
        """Read; give the answer when it is whole."""
        self._received += data
        end = self._received.find(_END)
        if end < 0:
            return
        head = self._received[:end].lower()
        at = head.find(_LENGTH)
        assert at >= 0, f"an answer without length: {head!r}"
        length = int(head[at + len(_LENGTH) :].split(b"\r\n", 1)[0])
        whole = end + len(_END) + length
        if len(self._received) < whole:
            return
        body, heard = self._received[whole - length : whole], self._heard
        assert heard is not None, "an answer that nobody asked for"
        self._received, self._heard = self._received[whole:], None
        heard(int(head[9:12]), body)
        self._idle(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Remember why."""
        self.lost = repr(exc)


class Pool:
    """Some connections to one address; what finds none free waits its turn."""

    def __init__(self) -> None:
        self._connections: list[Connection] = []
        self._free: deque[Connection] = deque()
        self._waiting: deque[tuple[bytes, Heard]] = deque()

    async def connect(self, host: str, port: int, count: int) -> None:
        """Open so many connections."""
        for _ in range(count):
            _, connection = await asyncio.get_running_loop().create_connection(
                lambda: Connection(self._become_idle), host, port
            )
            self._connections.append(connection)
            self._free.append(connection)

    def ask(self, request: bytes, heard: Heard) -> None:
        """Send the request as soon as a connection is free."""
        if self._free:
            self._free.popleft().ask(request, heard)
        else:
            self._waiting.append((request, heard))

    @property
    def lost(self) -> Sequence[str]:
        """Why connections were lost, if any were."""
        return [connection.lost for connection in self._connections if connection.lost is not None]

    def close(self) -> None:
        """Hang up all."""
        for connection in self._connections:
            connection.close()

    def _become_idle(self, connection: Connection) -> None:
        if self._waiting:
            connection.ask(*self._waiting.popleft())
        else:
            self._free.append(connection)
