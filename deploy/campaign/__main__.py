"""One party's program: `python -m deploy.campaign ASSIGNMENT_FILE`. Ends with 0 on SIGTERM or when its part is done."""

import asyncio
import signal
import sys
from pathlib import Path

import msgspec

from deploy.campaign import centres, collectors, departments, sources
from deploy.campaign.assignment import Assignment, Voice
from deploy.campaign.door import Unreachable

_PARTS = {
    "source": sources.run,
    "department": departments.run_department,
    "counter": departments.run_counter,
    "centre": centres.run,
    "collectors": collectors.run,
}


async def _play(assignment: Assignment) -> int:
    part = asyncio.ensure_future(_PARTS[assignment.role](assignment))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, part.cancel)
    try:
        await part
    except asyncio.CancelledError:
        return 0
    except Unreachable as error:
        Voice(assignment.party).trouble(str(error))
        return 1
    return 0


def main() -> int:
    """Play the part that the file names; return the exit code."""
    assignment = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Assignment)
    return asyncio.run(_play(assignment))


if __name__ == "__main__":
    sys.exit(main())
