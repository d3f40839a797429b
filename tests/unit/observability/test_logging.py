"""Logs: one JSON object a line, with the ids of the context, whoever wrote the line."""

import io
import json
import logging
import re
from collections.abc import Iterator
from uuid import UUID

import pytest
import structlog

from shared.observability.logging import bind, configure_logging
from shared.observability.tracing import configure_tracing, span

CASE = UUID("01890000-0000-7000-8000-000000000001")


@pytest.fixture
def output() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    stream = io.StringIO()
    configure_logging("json", service="intake", stream=stream)
    yield stream
    root.handlers[:], root.level = before
    structlog.reset_defaults()


def lines(output: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in output.getvalue().splitlines()]


def test_a_line_carries_event_level_service_time_and_fields(output: io.StringIO) -> None:
    structlog.get_logger("relay").warning("relay.lease_lost", rows=3)
    (line,) = lines(output)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT.*Z", str(line.pop("timestamp")))
    assert line == {
        "event": "relay.lease_lost",
        "level": "warning",
        "logger": "relay",
        "rows": 3,
        "service": "intake",
    }


def test_ids_of_the_context_stand_on_every_line_inside_and_on_none_after(output: io.StringIO) -> None:
    with bind(case=CASE, report=None):
        structlog.get_logger().info("case.filed")
    structlog.get_logger().info("batch.done")
    inside, after = lines(output)
    assert inside["case"] == str(CASE)
    assert "report" not in inside
    assert "case" not in after


def test_lines_of_the_standard_library_are_structured_too(output: io.StringIO) -> None:
    with bind(group="dispatch.events"):
        logging.getLogger("aiokafka.consumer").error("Failed fetch from %s", "node 1")
    (line,) = lines(output)
    assert (line["event"], line["logger"], line["group"], line["service"]) == (
        "Failed fetch from node 1",
        "aiokafka.consumer",
        "dispatch.events",
        "intake",
    )


def test_what_libraries_say_at_every_poll_is_left_out(output: io.StringIO) -> None:
    logging.getLogger("aiokafka.consumer").info("Updating assignment")
    assert lines(output) == []


def test_an_exception_is_one_line_with_its_traceback(output: io.StringIO) -> None:
    try:
        raise RuntimeError("no lease")
    except RuntimeError:
        structlog.get_logger().exception("relay.failed")
    (line,) = lines(output)
    assert "RuntimeError: no lease" in str(line["exception"])


def test_a_line_inside_a_span_names_its_trace(output: io.StringIO) -> None:
    configure_tracing("intake")
    with span("receive", parent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"):
        structlog.get_logger().info("report.filed")
    (line,) = lines(output)
    assert line["trace"] == "0af7651916cd43dd8448eb211c80319c"
