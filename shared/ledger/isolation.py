"""The one place where whatever a decider, policy or translator raises is caught: it concerns its command alone."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import structlog

R = TypeVar("R")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Crashed:
    """What was raised; the text is for the held message and the operator."""

    detail: str


def isolated(call: Callable[[], R], **place: object) -> R | Crashed:
    """Return what `call` returns, or how it crashed; the crash is logged with its trace and `place`."""
    try:
        return call()
    except Exception as error:
        log.exception("ledger.crashed", **place)
        return Crashed(detail=f"{type(error).__name__}: {error}"[:1000])
