"""CloudEvents 1.0 on Kafka: the envelope of everything that Joint publishes or reads.

Source: CloudEvents 1.0 core, Kafka protocol binding. Binary mode is what we publish; both modes are accepted.
"""

import functools
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

import msgspec

from shared.kernel.errors import FieldError, Unreadable

Header = tuple[str, bytes]

JSON: Final = "application/json"
_JSON_HEADER: Final = ("content-type", JSON.encode())
STRUCTURED: Final = "application/cloudevents"
SEQUENCE_DIGITS: Final = 20
MAXIMUM_BYTES: Final = 1024 * 1024
"""The largest record value that is read, in bytes (issue 3: 1 MiB)."""

_REQUIRED: Final = ("specversion", "id", "source", "type")
_MAXIMUM_ATTRIBUTE: Final = 512
_MAXIMUM_ERRORS: Final = 100
_MAXIMUM_SEQUENCE: Final = 2**63 - 1


class CloudEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One event: its context attributes, and its data as the exact bytes that travel.

    `sequence` is 1, 2, 3 … in the stream `subject`; None on messages of outside parties. `data` is None on a
    tombstone of a compacted topic. `previoushash` is the hash of the stream's event before this one (I-17).
    """

    id: str
    source: str
    type: str
    data: bytes | None
    subject: str | None = None
    time: datetime | None = None
    sequence: int | None = None
    partitionkey: str | None = None
    correlationid: str | None = None
    causationid: str | None = None
    traceparent: str | None = None
    previoushash: str | None = None


def binary_headers(event: CloudEvent) -> list[Header]:
    """Return the Kafka headers of the event in binary mode; its value is `event.data` and its key the subject."""
    headers: list[Header] = [
        ("ce_specversion", b"1.0"),
        ("ce_id", event.id.encode()),
        ("ce_source", event.source.encode()),
        ("ce_type", event.type.encode()),
    ]
    if event.subject is not None:
        headers.append(("ce_subject", event.subject.encode()))
    if event.time is not None:
        headers.append(("ce_time", instant_text(event.time).encode()))
    if event.sequence is not None:
        headers.append(("ce_sequence", b"%0*d" % (SEQUENCE_DIGITS, event.sequence)))
    if event.partitionkey is not None:
        headers.append(("ce_partitionkey", event.partitionkey.encode()))
    if event.correlationid is not None:
        headers.append(("ce_correlationid", event.correlationid.encode()))
    if event.causationid is not None:
        headers.append(("ce_causationid", event.causationid.encode()))
    if event.traceparent is not None:
        headers.append(("ce_traceparent", event.traceparent.encode()))
    if event.previoushash is not None:
        headers.append(("ce_previoushash", event.previoushash.encode()))
    if event.data is not None:
        headers.append(_JSON_HEADER)
    return headers


def instant_text(at: datetime) -> str:
    """Return the instant as it travels (RFC 3339); the many events of one batch share theirs."""
    # Instants are equal whatever their zone, so that only those of one zone may share a cache.
    return _utc_text(at) if at.tzinfo is UTC else at.isoformat()


@functools.lru_cache(maxsize=64)
def _utc_text(at: datetime) -> str:
    return at.isoformat()


def read_event(headers: Sequence[tuple[str, bytes | None]], value: bytes | None) -> CloudEvent:
    """Read a record of either mode.

    Args:
        headers: the record's headers as they came, in any order, of any content.
        value: the record's value; None is a tombstone.

    Returns:
        The event. Its data are bytes of JSON that nobody has looked at yet (binary mode), or re-encoded from the
        structured form.

    Raises:
        Unreadable: with every envelope error found, when the record is not a CloudEvent 1.0 that we can read.
    """
    if value is not None and len(value) > MAXIMUM_BYTES:
        raise Unreadable(
            "too_large",
            f"The record has {len(value)} bytes; at most {MAXIMUM_BYTES} are read. "
            "Send photos as references, not as content.",
        )
    texts = _texts(headers)
    content_type = texts.get("content-type", "")
    if content_type.lower().startswith(STRUCTURED):
        attributes, data = _structured(value, content_type)
    else:
        attributes = {name[3:]: text for name, text in texts.items() if name.startswith("ce_")}
        data = value
        _refuse_other_content(content_type, value)
    return _event(attributes, data)


def _texts(headers: Sequence[tuple[str, bytes | None]]) -> dict[str, str]:
    texts: dict[str, str] = {}
    for name, raw in headers:
        lowered = name.lower()
        if not (lowered.startswith("ce_") or lowered == "content-type"):
            continue
        try:
            texts[lowered] = (raw or b"").decode("utf-8")
        except UnicodeDecodeError as error:
            problem = FieldError(field=lowered, code="not_utf8", message="The header is not UTF-8.")
            raise Unreadable("bad_envelope", f"Header {lowered} is not UTF-8.", (problem,)) from error
    return texts


def _structured(value: bytes | None, content_type: str) -> tuple[dict[str, str], bytes | None]:
    if "json" not in content_type.lower():
        raise Unreadable(
            "bad_envelope", f"The event format {content_type[:100]} is not read; send JSON or binary mode."
        )
    try:
        document = msgspec.json.decode(value or b"", type=dict[str, object])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable("not_json", f"The structured event is not a JSON object: {error}.") from error
    if "data_base64" in document:
        raise Unreadable("bad_envelope", "data_base64 is not read; send the data as JSON.")
    data = msgspec.json.encode(document.pop("data")) if "data" in document else None
    wrong = [name for name, attribute in document.items() if not isinstance(attribute, str)]
    if wrong:
        errors = tuple(
            _attribute_error(name, "not_text", "The attribute must be a string.") for name in wrong[:_MAXIMUM_ERRORS]
        )
        raise Unreadable("bad_envelope", "CloudEvents attributes must be strings.", errors)
    return {name.lower(): str(attribute) for name, attribute in document.items()}, data


def _refuse_other_content(content_type: str, value: bytes | None) -> None:
    if value is None or content_type == "" or content_type.split(";", maxsplit=1)[0].strip().lower().endswith("json"):
        return
    raise Unreadable(
        "bad_envelope",
        f"The content type {content_type[:100]} is not read; send application/json.",
        (_attribute_error("datacontenttype", "unsupported", "The data must be JSON."),),
    )


def _attribute_error(name: str, code: str, message: str) -> FieldError:
    return FieldError(field=f"ce_{name[:100]}", code=code, message=message)


def _event(attributes: Mapping[str, str], data: bytes | None) -> CloudEvent:
    errors = [] if _is_plain(attributes) else _attribute_errors(attributes)
    time = _time(attributes.get("time"), errors)
    sequence = _sequence(attributes.get("sequence"), errors)
    if errors:
        raise Unreadable("bad_envelope", "The CloudEvents envelope is not complete or not valid.", tuple(errors))
    return CloudEvent(
        id=attributes["id"],
        source=attributes["source"],
        type=attributes["type"],
        data=data,
        subject=attributes.get("subject"),
        time=time,
        sequence=sequence,
        partitionkey=attributes.get("partitionkey"),
        correlationid=attributes.get("correlationid"),
        causationid=attributes.get("causationid"),
        traceparent=attributes.get("traceparent"),
        previoushash=attributes.get("previoushash"),
    )


def _is_plain(attributes: Mapping[str, str]) -> bool:
    """Say quickly that there is nothing to say about the attributes, as of almost every event."""
    return (
        all(map(attributes.get, _REQUIRED))
        and attributes["specversion"] == "1.0"
        and max(map(len, attributes.values())) <= _MAXIMUM_ATTRIBUTE
        and "\x00" not in "".join(attributes.values())
    )


def _attribute_errors(attributes: Mapping[str, str]) -> list[FieldError]:
    errors = [
        _attribute_error(name, "required", f"The CloudEvents attribute {name} is missing or empty.")
        for name in _REQUIRED
        if not attributes.get(name)
    ]
    errors += [
        _attribute_error(name, "unstorable", "The attribute holds U+0000 or is longer than 512 characters.")
        for name, text in attributes.items()
        if "\x00" in text or len(text) > _MAXIMUM_ATTRIBUTE
    ][:_MAXIMUM_ERRORS]
    if attributes.get("specversion", "1.0") != "1.0":
        errors.append(_attribute_error("specversion", "unsupported", "Only CloudEvents 1.0 is read."))
    return errors


def _time(text: str | None, errors: list[FieldError]) -> datetime | None:
    if not text:
        return None
    try:
        parsed = msgspec.convert(text, type=datetime)
    except msgspec.ValidationError:
        errors.append(_attribute_error("time", "not_a_time", "The time is not RFC 3339."))
        return None
    if parsed.tzinfo is None:
        errors.append(_attribute_error("time", "no_zone", "The time has no zone; write +08:00 or Z."))
        return None
    return parsed


def _sequence(text: str | None, errors: list[FieldError]) -> int | None:
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > SEQUENCE_DIGITS or int(text) > _MAXIMUM_SEQUENCE:
        errors.append(_attribute_error("sequence", "not_a_number", "The sequence must be at most 20 digits."))
        return None
    return int(text)
