"""How a failure reaches a person: what, where, what to do, without a trace; and the exit codes of `joint`."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

FAILED: Final = 1
"""Something of the system failed, or what was compared is not equal."""
MISUSED: Final = 2
"""A file or an argument cannot be used."""
INTERRUPTED: Final = 130
"""Ended by Ctrl-C."""
DIFFERS: Final = 3
"""The campaign ran, and a figure is not what its plan expects."""


@contextmanager
def failures_shown() -> Iterator[None]:
    """Show a failure on standard error and end with its exit code."""
    from deploy.campaign.door import Unreachable
    from deploy.campaign.plan import PlanProblem
    from deploy.embedded.errors import SystemFailure
    from deploy.importer.mapping import MappingProblem
    from shared.kernel.errors import Unavailable
    from shared.ledger.held import HeldMessageError

    try:
        yield
    except (PlanProblem, MappingProblem, HeldMessageError) as problem:
        print(problem, file=sys.stderr)
        sys.exit(MISUSED)
    except (SystemFailure, Unavailable, Unreachable) as failure:
        print(failure, file=sys.stderr)
        sys.exit(FAILED)
    except KeyboardInterrupt:
        print("Ended by hand.", file=sys.stderr)
        sys.exit(INTERRUPTED)
