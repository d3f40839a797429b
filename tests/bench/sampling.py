"""Stacks of a running Python process (py-spy), and which component each of them belongs to.

A stack belongs to the innermost function that a rule knows: the time of asyncpg or msgspec is that of the part of ours
which called it. What no rule knows belongs to the event loop, which also runs the protocols of the connections.
"""

import asyncio
import re
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

RATE: Final = 250
"""Samples a second."""
LOOP: Final = "loop"

_RULES: Final[tuple[tuple[str, str], ...]] = (
    ("publish", r"^(unpack|_decode)\S* \(shared/ledger/lots\.py"),
    ("encode", r"^binary_headers |^canonical_digest |shared/ledger/(hashchain|vault|lots)\.py"),
    ("encode", r"^Decider\._(event_row|effect|receipt) |^(envelope_of|_outbox|_beside) "),
    (
        "decode",
        r"shared/messaging/records|shared/contracts/(envelope|validation)|services/\w+/consumers|shared/web/body",
    ),
    ("decide", r"services/\w+/(domain|policies)|shared/ledger/(decide|policies)\.py|shared/kernel/"),
    ("load", r"shared/ledger/(load|positions|requests|references|take|isolation|reading|arrivals)\.py"),
    ("publish", r"shared/messaging/(relay|partitions)\.py|shared/ledger/relaying|aiokafka/producer"),
    ("write", r"shared/ledger/(write|rows|outbox|held|transaction)\.py"),
    ("kafka client", r"aiokafka/(consumer|client|conn|record|protocol|cluster|helpers)"),
    ("authenticate", r"shared/web/authentication|joserfc"),
    ("framework", r"faststream/|shared/(observability|messaging)/|litestar/|uvicorn/|shared/web/|opentelemetry/"),
    ("ledger frame", r"shared/ledger/|services/"),
)
_COMPILED: Final = tuple((component, re.compile(rule)) for component, rule in _RULES)
_IDLE: Final = ("", "_worker (concurrent/futures/thread.py)")
"""Innermost frames of a thread that waits, or whose stack could not be read: not time of anybody."""
_LOOP_FRAME: Final = "Runner.run (asyncio/runners.py"
"""What is outside of it started the process and says nothing about the work."""
_LINE: Final = re.compile(r":\d+\)$")


@dataclass(kw_only=True)
class Sampled:
    """What was seen of a process: samples by component, and by function as self time."""

    components: Counter[str] = field(default_factory=Counter)
    functions: Counter[str] = field(default_factory=Counter)

    @property
    def samples(self) -> int:
        """How often the process was seen working."""
        return self.components.total()

    def shares(self) -> Mapping[str, float]:
        """Return the share of each component, the largest first."""
        return {name: count / self.samples for name, count in self.components.most_common()}


def component_of(frames: list[str]) -> str:
    """Return the component of a stack, which is given from its outermost to its innermost frame."""
    for frame in reversed(frames):
        if frame.startswith(_LOOP_FRAME):
            break
        for component, rule in _COMPILED:
            if rule.search(frame):
                return component
    return LOOP


def read_samples(text: str) -> Sampled:
    """Read py-spy's raw format: `frame;frame;… count` a line."""
    sampled = Sampled()
    for line in text.splitlines():
        stack, _, count = line.rpartition(" ")
        frames = [_LINE.sub(")", frame) for frame in stack.split(";")]
        if frames[-1] in _IDLE:
            continue
        sampled.components[component_of(frames)] += int(count)
        sampled.functions[frames[-1]] += int(count)
    return sampled


@asynccontextmanager
async def sampling(pid: int, file: Path) -> AsyncIterator[Path]:
    """Sample the process while the block runs; then the file holds what was seen.

    The process is not stopped for it: that would fight with whoever stops it on purpose.
    """
    file.unlink(missing_ok=True)
    spy = await asyncio.create_subprocess_exec(
        str(Path(sys.executable).with_name("py-spy")),
        *("record", "--nonblocking", "--format", "raw", "--rate", str(RATE)),
        *("--output", str(file), "--pid", str(pid)),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield file
    finally:
        if spy.returncode is None:
            spy.send_signal(signal.SIGINT)
        await spy.wait()
    assert file.exists(), "py-spy wrote nothing: it needs the right to look into processes"
