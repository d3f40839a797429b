"""Tracing: a matter keeps its trace through commands, outbox and topics; a stranger's garbage starts none."""

from collections.abc import Iterator

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared.observability import tracing
from shared.observability.tracing import batch_span, current_traceparent, read_traceparent, span

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing, "_tracer", provider.get_tracer("test"))
    yield exporter
    provider.shutdown()


def test_a_process_whose_spans_nobody_collects_has_trace_ids_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[TracerProvider] = []
    monkeypatch.setattr(trace, "set_tracer_provider", made.append)
    tracing.configure_tracing("intake")
    monkeypatch.setattr(tracing, "_tracer", made[0].get_tracer("test"))
    with span("act", parent=PARENT) as continued:
        inside = current_traceparent()
    assert not continued.is_recording()
    assert inside is not None
    assert inside.split("-")[1] == TRACE
    with span("act"):
        begun = current_traceparent()
    assert read_traceparent(begun) == begun


def test_outside_of_every_span_there_is_no_traceparent() -> None:
    assert current_traceparent() is None


def test_a_span_continues_the_trace_of_the_event(spans: InMemorySpanExporter) -> None:
    with span("act", parent=PARENT):
        inside = current_traceparent()
    assert inside is not None
    assert inside.split("-")[1] == TRACE
    assert inside != PARENT
    (ended,) = spans.get_finished_spans()
    assert ended.parent is not None
    assert f"{ended.parent.span_id:016x}" == "b7ad6b7169203331"


def test_a_span_without_parent_continues_the_current_one(spans: InMemorySpanExporter) -> None:
    with span("outer"):
        outer = current_traceparent()
        with span("inner"):
            inner = current_traceparent()
    assert outer is not None
    assert inner is not None
    assert outer.split("-")[1] == inner.split("-")[1]


def test_the_span_of_a_batch_links_to_each_trace_once(spans: InMemorySpanExporter) -> None:
    with span("outer"), batch_span("batch", [PARENT, None, "garbage", PARENT]):
        pass
    batch = next(ended for ended in spans.get_finished_spans() if ended.name == "batch")
    assert [f"{link.context.trace_id:032x}" for link in batch.links] == [TRACE]
    assert batch.parent is None


@pytest.mark.parametrize(
    "text",
    [None, "", "garbage", f"00-{'0' * 32}-b7ad6b7169203331-01", f"ff-{TRACE}-b7ad6b7169203331-01", "00-\x00-x-01"],
)
def test_what_is_no_traceparent_is_read_as_none(text: str | None) -> None:
    assert read_traceparent(text) is None


def test_a_traceparent_is_read_as_it_came() -> None:
    assert read_traceparent(PARENT) == PARENT
