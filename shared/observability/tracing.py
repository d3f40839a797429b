"""Trace context (W3C Trace Context, OpenTelemetry) that follows a matter through commands, outbox and topics.

A process makes trace ids even where nobody collects its spans: logs of all services can then be joined on them.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Final

from opentelemetry import trace
from opentelemetry.context import Context, attach, detach
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON
from opentelemetry.trace import Link, Span, SpanContext, SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

MAXIMUM_LINKS: Final = 128
"""The most links of one span: the SDK drops what goes beyond."""

_HEADER: Final = "traceparent"
_propagator: Final = TraceContextTextMapPropagator()
_tracer: Final = trace.get_tracer("joint")


def configure_tracing(service: str, processors: Sequence[SpanProcessor] = ()) -> None:
    """Make this process give out real trace ids; call once, at start.

    Args:
        service: the name under which its spans are known.
        processors: what receives ended spans (an exporter); none by default.
    """
    # Where nobody collects spans their ids are all that is needed: recording them would be a third of a request's time.
    sampler = ALWAYS_ON if processors else ALWAYS_OFF
    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: service}), sampler=sampler)
    for processor in processors:
        provider.add_span_processor(processor)
    trace.set_tracer_provider(provider)


def current_traceparent() -> str | None:
    """Return the traceparent of the span that is current, for a `Cause`; None outside of every trace."""
    context = trace.get_current_span().get_span_context()
    return _text(context) if context.is_valid else None


def read_traceparent(text: str | None) -> str | None:
    """Return the traceparent that an event came with if it is one, else None: strangers send anything."""
    context = _span_context(text)
    if context is None:
        return None
    return _text(context)


@contextmanager
def span(name: str, *, parent: str | None = None, kind: SpanKind = SpanKind.INTERNAL) -> Iterator[Span]:
    """Run the block inside a new span, which continues the trace `parent` where that is a traceparent."""
    started = _tracer.start_span(name, context=_context(parent), kind=kind)
    if started.is_recording():
        with trace.use_span(started, end_on_exit=True):
            yield started
        return
    token = attach(trace.set_span_in_context(started))
    try:
        yield started
    finally:
        detach(token)


@contextmanager
def batch_span(name: str, traceparents: Iterable[str | None]) -> Iterator[Span]:
    """Run the block inside the span of a batch: it belongs to no one trace and links to those of its messages."""
    contexts = (_span_context(text) for text in islice(dict.fromkeys(traceparents), MAXIMUM_LINKS))
    links = [Link(context) for context in contexts if context is not None]
    with _tracer.start_as_current_span(name, context=Context(), kind=SpanKind.CONSUMER, links=links) as started:
        yield started


def _text(context: SpanContext) -> str:
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def _context(traceparent: str | None) -> Context | None:
    """Return the context of a traceparent; None stands for the current one."""
    return None if traceparent is None else _propagator.extract({_HEADER: traceparent})


def _span_context(traceparent: str | None) -> SpanContext | None:
    if traceparent is None:
        return None
    found = trace.get_current_span(_propagator.extract({_HEADER: traceparent}, context=Context())).get_span_context()
    return found if found.is_valid else None
