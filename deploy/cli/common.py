"""What the operator's commands share: parameters, and the way into the running system's services."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from shared.contracts.registry import Service

if TYPE_CHECKING:
    from deploy.cli.inside import Inside

OfService = Annotated[Service, Parameter(help="intake, dispatch or analytics.")]
Reason = Annotated[str, Parameter(help="Why; recorded with your name.")]


@contextmanager
def unlogged() -> Iterator[None]:
    """Log nothing while the block runs: what a command finds, it prints."""
    import structlog

    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        structlog.configure(**before)


def inside_of(service: Service) -> "Inside":
    """Return the way into a service of the running system.

    Raises:
        SystemFailure: when it does not run.
    """
    from deploy.cli.inside import Inside
    from deploy.cli.running import require_running, this_stage

    stage = this_stage()
    require_running(stage)
    return Inside(stage=stage, service=service)
