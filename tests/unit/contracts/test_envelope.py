"""CloudEvents on Kafka: both modes are read, every envelope error is named, what we write we read."""

import contextlib
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.envelope import MAXIMUM_BYTES, CloudEvent, binary_headers, read_event
from shared.kernel.errors import Unreadable

EVENT = CloudEvent(
    id="1",
    source="/joint/sources/fire-rescue",
    type="jointenforcement.report.submitted.v1",
    data=b'{"a": 1}',
    subject="s",
    time=datetime(2026, 11, 24, 1, 2, 3, tzinfo=UTC),
    sequence=12,
    partitionkey="k",
    correlationid="c",
    causationid="d",
    traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    previoushash="ff",
)


def structured(**attributes: object) -> bytes:
    document = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t", **attributes}
    return msgspec.json.encode(document)


def problem(headers: list[tuple[str, bytes | None]], value: bytes | None = b"{}") -> Unreadable:
    with pytest.raises(Unreadable) as caught:
        read_event(headers, value)
    return caught.value


def test_what_is_written_in_binary_mode_is_read_back() -> None:
    assert read_event(binary_headers(EVENT), EVENT.data) == EVENT


def test_a_tombstone_has_no_data_and_no_content_type() -> None:
    tombstone = msgspec.structs.replace(EVENT, data=None)
    headers = binary_headers(tombstone)
    assert "content-type" not in dict(headers)
    assert read_event(headers, None) == tombstone


@pytest.mark.parametrize(
    "content_type", ["application/cloudevents+json; charset=UTF-8", "APPLICATION/CloudEvents+JSON"]
)
def test_structured_mode_is_read(content_type: str) -> None:
    event = read_event([("content-type", content_type.encode())], structured(data={"a": [1]}, subject="s"))
    assert (event.id, event.subject, event.data) == ("1", "s", b'{"a":[1]}')


def test_every_missing_attribute_is_named_at_once() -> None:
    found = problem([("ce_specversion", b"1.0")])
    assert found.code == "bad_envelope"
    assert [error.field for error in found.errors] == ["ce_id", "ce_source", "ce_type"]


@pytest.mark.parametrize(
    "header, code",
    [
        (("ce_time", b"2026-11-24T01:02:03"), "no_zone"),
        (("ce_time", b"yesterday"), "not_a_time"),
        (("ce_sequence", b"-1"), "not_a_number"),
        (("ce_subject", b"a\x00b"), "unstorable"),
        (("ce_subject", b"x" * 513), "unstorable"),
        (("ce_id", b"\xff\xfe"), "not_utf8"),
        (("ce_specversion", b"0.3"), "unsupported"),
        (("content-type", b"text/xml"), "unsupported"),
    ],
)
def test_each_wrong_attribute_is_named(header: tuple[str, bytes], code: str) -> None:
    headers = [one for one in binary_headers(EVENT) if one[0] != header[0]]
    assert code in [error.code for error in problem([*headers, header], EVENT.data).errors]


@pytest.mark.parametrize(
    "value",
    [None, b"", b"[]", b"{", b'"x"', b"\xff", structured(id=7), structured(data_base64="AA=="), b'{"id":"1"}'],
)
def test_a_structured_event_that_is_none_is_refused(value: bytes | None) -> None:
    assert problem([("content-type", b"application/cloudevents+json")], value).code in {"bad_envelope", "not_json"}


def test_the_batch_format_and_other_formats_are_refused() -> None:
    assert problem([("content-type", b"application/cloudevents+avro")]).code == "bad_envelope"


def test_a_value_over_the_limit_is_refused() -> None:
    assert problem(list(binary_headers(EVENT)), b"x" * (MAXIMUM_BYTES + 1)).code == "too_large"


@given(
    st.lists(st.tuples(st.text(max_size=20), st.none() | st.binary(max_size=60)), max_size=8),
    st.none() | st.binary(max_size=200),
)
def test_whatever_a_record_holds_it_is_read_or_refused(
    headers: list[tuple[str, bytes | None]], value: bytes | None
) -> None:
    with contextlib.suppress(Unreadable):
        assert isinstance(read_event(headers, value), CloudEvent)
