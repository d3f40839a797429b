"""Structured logs: one line an event, JSON for machines or columns for people; the standard library's go in too.

Events are constants with fields (`log.info("relay.lease_lost", service=…)`). Trace, case and report ids come from
the context (`bind`) and stand on every line below it. No line holds what may have to be forgotten (I-14).
"""

import logging
import sys
from contextlib import AbstractContextManager
from typing import Final, Literal, TextIO
from uuid import UUID

import structlog
from opentelemetry import trace
from structlog.typing import EventDict, Processor, WrappedLogger

Format = Literal["json", "console"]

_QUIET: Final = ("aiokafka", "asyncio", "httpx", "uvicorn.access")
"""Libraries whose INFO lines are about every poll or request."""


def configure_logging(
    format_: Format, *, service: str, level: int = logging.INFO, stream: TextIO | None = None
) -> None:
    """Send every log line of the process to `stream` (standard error) in one format; call once, at start."""
    structlog.configure(
        processors=[*_shared(service), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=False,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_shared(service),
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_rendering(format_)],
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


def bind(**fields: str | int | UUID | None) -> AbstractContextManager[None]:
    """Put these fields (`case`, `report`, `group` …) on every line logged inside the block; None is left out."""
    return structlog.contextvars.bound_contextvars(
        **{
            name: str(value) if isinstance(value, UUID) else value
            for name, value in fields.items()
            if value is not None
        }
    )


def _shared(service: str) -> list[Processor]:
    def add_service(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event["service"] = service
        return event

    return [
        structlog.contextvars.merge_contextvars,
        add_service,
        _add_trace,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(allow=()),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]


def _rendering(format_: Format) -> list[Processor]:
    if format_ == "json":
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]
    # The default shows local variables: slow, and they may hold what must not be logged.
    return [
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
    ]


def _add_trace(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        event.setdefault("trace", f"{context.trace_id:032x}")
    return event
