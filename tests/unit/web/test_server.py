"""Serving beside other work, and draining on a signal: a real socket on the loopback."""

import asyncio
import os
import signal
import socket
import sys
from contextlib import suppress

import httpx
import pytest

from shared.observability.health import Health
from shared.web.health import serve_health

PROGRAM = """
import asyncio, sys
from litestar import Litestar, get
from shared.web.server import serve

@get("/slow")
async def slow() -> str:
    print("asked", flush=True)
    await asyncio.sleep(0.5)
    return "done"

serve(Litestar([slow], openapi_config=None, logging_config=None), host="127.0.0.1", port=int(sys.argv[1]))
print("drained", flush=True)
"""


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


async def answer_of(url: str) -> httpx.Response:
    """Return the answer as soon as somebody listens."""
    async with httpx.AsyncClient(trust_env=False) as client, asyncio.timeout(20):
        while True:
            with suppress(httpx.ConnectError):
                return await client.get(url)
            await asyncio.sleep(0.02)


async def test_a_worker_serves_its_health_until_it_is_cancelled() -> None:
    port = free_port()
    serving = asyncio.create_task(serve_health(Health(), "127.0.0.1", port))
    assert (await answer_of(f"http://127.0.0.1:{port}/healthz")).json() == {"alive": True}
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    with pytest.raises(httpx.ConnectError):
        async with httpx.AsyncClient(trust_env=False) as client:
            await client.get(f"http://127.0.0.1:{port}/healthz")


async def test_a_signal_lets_the_running_request_end_and_the_process_leave_with_0() -> None:
    port = free_port()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, str(port), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    asking = asyncio.create_task(answer_of(f"http://127.0.0.1:{port}/slow"))
    assert await process.stdout.readline() == b"asked\n"
    os.kill(process.pid, signal.SIGTERM)
    assert (await asking).text == "done"
    assert await process.stdout.read() == b"drained\n"
    assert await process.wait() == 0
