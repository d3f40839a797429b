"""Records: whatever bytes a stranger sends, every record of a fetched batch arrives, in order, as it was sent."""

import struct
from datetime import UTC, datetime
from typing import Any

import pytest
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.codec import gzip_encode
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords
from aiokafka.record.util import calc_crc32c
from hypothesis import given
from hypothesis import strategies as st

from shared.messaging.headers import tolerate_header_names
from shared.messaging.records import to_record

GZIP = 1
CRC_AT = 17
ATTRIBUTES_AT = 21
PLACEHOLDER = "placeholder"


def batch(*headers: list[tuple[str, bytes | None]], first: int = 0, compression: int = 0) -> bytes:
    """One fetched batch: a record for each list of headers, with offsets from `first`."""
    builder = DefaultRecordBatchBuilder(2, compression, False, -1, -1, -1, 1_000_000)
    for offset, listed in enumerate(headers):
        builder.append(offset, 1000 + offset, b"key", f"value {first + offset}".encode(), listed)
    raw = bytearray(builder.build())
    struct.pack_into(">q", raw, 0, first)
    return bytes(raw)


def with_bad_name(raw: bytes) -> bytes:
    """The same batch; the header called placeholder has a name that is not UTF-8."""
    changed = bytearray(raw.replace(PLACEHOLDER.encode(), b"\xff\xfe" + b"x" * (len(PLACEHOLDER) - 2)))
    struct.pack_into(">I", changed, CRC_AT, calc_crc32c(changed[ATTRIBUTES_AT:]))
    return bytes(changed)


def unpacked(fetched: bytes, offset: int = 0) -> list[Any]:
    """What aiokafka's fetcher makes of a fetched partition."""
    tolerate_header_names()
    records = fetcher.MemoryRecords(fetched)
    return list(
        fetcher.PartitionRecords(
            TopicPartition("t", 0), records, [], offset, None, None, True, fetcher.READ_UNCOMMITTED
        )
    )


def raw_record(**changes: object) -> "ConsumerRecord[Any, Any]":
    fields: dict[str, Any] = {
        "topic": "t",
        "partition": 3,
        "offset": 7,
        "timestamp": 1_000,
        "timestamp_type": 0,
        "key": None,
        "value": None,
        "checksum": None,
        "serialized_key_size": -1,
        "serialized_value_size": -1,
        "headers": (),
    }
    return ConsumerRecord(**(fields | changes))


def test_aiokafka_itself_fails_on_a_header_name_that_is_not_utf8() -> None:
    """When this fails, aiokafka has learned it: delete shared/messaging/headers.py."""
    records = MemoryRecords(with_bad_name(batch([(PLACEHOLDER, b"1")])))
    with pytest.raises(UnicodeDecodeError):
        list(records.next_batch())


def test_a_header_name_that_is_not_utf8_loses_no_record() -> None:
    fetched = (
        batch([("good", b"0")])
        + with_bad_name(batch([("good", b"1")], [(PLACEHOLDER, b"2"), ("null", None)], [], first=1))
        + batch([], first=4)
    )
    records = unpacked(fetched)
    assert [(record.offset, record.key, record.value) for record in records] == [
        (offset, b"key", f"value {offset}".encode()) for offset in range(5)
    ]
    assert records[2].headers == (("\\xff\\xfexxxxxxxxx", b"2"), ("null", None))
    assert records[1].headers == (("good", b"1"),)


def test_a_compressed_batch_with_a_bad_name_is_read_too() -> None:
    tolerate_header_names()
    plain = with_bad_name(batch([(PLACEHOLDER, b"1")], [("good", b"2")]))
    header, body = plain[:61], plain[61:]
    packed = gzip_encode(body)
    raw = bytearray(header + packed)
    struct.pack_into(">i", raw, 8, len(raw) - 12)
    struct.pack_into(">h", raw, ATTRIBUTES_AT, GZIP)
    struct.pack_into(">I", raw, CRC_AT, calc_crc32c(raw[ATTRIBUTES_AT:]))
    assert [record.value for record in unpacked(bytes(raw))] == [b"value 0", b"value 1"]


def test_reading_from_the_middle_of_a_batch_skips_what_was_read() -> None:
    assert [record.offset for record in unpacked(batch([], [], []), offset=1)] == [1, 2]


def test_a_batch_cut_off_by_the_size_of_the_fetch_is_left_for_the_next() -> None:
    fetched = batch([], []) + batch([], first=2)[:-5]
    assert [record.offset for record in unpacked(fetched)] == [0, 1]


def test_nulls_stay_null() -> None:
    record = to_record(raw_record(headers=(("null", None),)))
    assert (record.key, record.value, record.headers) == (None, None, (("null", None),))


def test_a_value_is_kept_as_it_came() -> None:
    record = to_record(raw_record(key=b"\xff", value=b"\x00\xff", headers=(("name", b"\xfe"),)))
    assert (record.key, record.value, record.headers) == (b"\xff", b"\x00\xff", (("name", b"\xfe"),))
    assert record.timestamp == datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
    assert record.place == "t:3:7"


@given(
    timestamp=st.integers(min_value=-(2**63), max_value=2**63 - 1),
    key=st.none() | st.binary(),
    value=st.none() | st.binary(),
    headers=st.none() | st.lists(st.tuples(st.text(), st.none() | st.binary())),
)
def test_no_record_makes_the_parser_fail(
    timestamp: int, key: bytes | None, value: bytes | None, headers: list[tuple[str, bytes | None]] | None
) -> None:
    record = to_record(raw_record(timestamp=timestamp, key=key, value=value, headers=headers))
    assert record.timestamp.tzinfo is UTC
    assert (record.key, record.value) == (key, value)
