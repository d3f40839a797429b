"""Serving an application: uvicorn with uvloop, which lets running requests end before it stops."""

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import uvicorn
import uvloop
from litestar import Litestar

_GRACE_SECONDS: Final = 10
_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


class _Server(uvicorn.Server):
    """uvicorn that leaves signals to us: its own handling ends the process by the signal, which looks like a crash."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield

    def stop(self) -> None:
        """Take no more connections and end when running requests have ended."""
        self.should_exit = True


def serve(app: Litestar, *, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT, then drain and return; the application's lifespan surrounds it."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve_until_signalled(app, host, port))


async def serve_beside(app: Litestar, *, host: str, port: int) -> None:
    """Serve inside a running process until cancelled, then drain. Signals are the process's own matter."""
    server = _server(app, host, port)
    serving = asyncio.create_task(server.serve(), name="http-server")
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:
        server.stop()
        await serving
        raise


async def _serve_until_signalled(app: Litestar, host: str, port: int) -> None:
    server = _server(app, host, port)
    for number in _SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, server.stop)
    await server.serve()


def _server(app: Litestar, host: str, port: int) -> _Server:
    return _Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            http="httptools",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=_GRACE_SECONDS,
        )
    )
