"""Whatever a source's record holds, it becomes one command with a receipt, or one refusal that names every error."""

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.intake.consumers import translate
from services.intake.domain.admission import missing_documents
from services.intake.domain.commands import Submit
from shared.contracts.common import Answer, FieldProblem
from shared.contracts.envelope import CloudEvent, Header, binary_headers
from shared.contracts.intake import ReportSubmission
from shared.contracts.library import ReferenceLibrary
from shared.contracts.records import Record
from shared.ledger.commands import Command
from tests.support import reports
from tests.support.reports import CITY, LIBRARY, NOW, TRUSTED

TOPIC = f"intake.submissions.{TRUSTED}"
SOURCE = f"/joint/sources/{TRUSTED}"
BODY = msgspec.json.encode(reports.submission())
TYPE = ReportSubmission.type


def record(headers: Sequence[tuple[str, bytes | None]], value: bytes | None, offset: int = 7) -> Record:
    return Record(topic=TOPIC, partition=0, offset=offset, timestamp=NOW, key=None, headers=tuple(headers), value=value)


def headers(id_: str = "s-1", source: str = SOURCE, type_: str = TYPE, correlation: str | None = None) -> list[Header]:
    return binary_headers(CloudEvent(id=id_, source=source, type=type_, data=BODY, correlationid=correlation))


def translated(headers: Sequence[tuple[str, bytes | None]], value: bytes | None, offset: int = 7) -> Command:
    return translate(record(headers, value, offset), LIBRARY)


def refusal(command: Command) -> tuple[str, list[tuple[str, str]]]:
    assert command.refusal is not None
    assert command.body is None
    return command.refusal.code, [(error.field, error.code) for error in command.refusal.errors]


def key(command: Command) -> tuple[str, str]:
    assert command.request is not None
    return command.request.party, command.request.key


def receipt(command: Command) -> tuple[str, str | None, str]:
    assert command.receipt is not None
    return command.receipt.topic, command.receipt.request, command.receipt.record


def test_a_submission_becomes_a_command_of_the_source_whose_topic_it_came_on() -> None:
    command = translated(headers(correlation="campaign-1"), BODY)
    assert isinstance(command.body, Submit)
    assert (command.body.submission, command.body.channel) == (reports.submission(), "topic")
    assert (command.aggregate, command.stream) == ("report", command.body.report_id)
    assert command.actor == reports.source(TRUSTED)
    assert key(command) == (SOURCE, "s-1")
    assert receipt(command) == (f"intake.receipts.{TRUSTED}", "s-1", f"{TOPIC}:0:7")
    assert (command.cause.correlation, command.cause.causation) == ("campaign-1", "s-1")
    assert (command.counts_as_of, command.refusal) == (NOW, None)


def test_a_structured_event_says_the_same_as_a_binary_one() -> None:
    document = {"specversion": "1.0", "id": "s-1", "source": SOURCE, "type": TYPE, "data": reports.submission()}
    command = translated([("content-type", b"application/cloudevents+json")], msgspec.json.encode(document))
    assert command.request == translated(headers(), BODY).request
    assert isinstance(command.body, Submit)


def test_every_command_has_an_id_and_a_salt_of_its_own() -> None:
    bodies = [translated(headers(), BODY).body for _ in range(20)]
    assert len({body.report_id for body in bodies if isinstance(body, Submit)}) == 20
    assert len({body.salt for body in bodies if isinstance(body, Submit)}) == 20


def test_field_order_and_white_space_do_not_make_another_submission() -> None:
    reordered = dict(reversed(msgspec.json.decode(BODY, type=dict[str, object]).items()))
    spaced = msgspec.json.format(msgspec.json.encode(reordered), indent=4)
    assert spaced != BODY
    assert translated(headers(), spaced).request == translated(headers(), BODY).request


def test_another_body_or_type_under_the_same_id_has_another_digest() -> None:
    first = translated(headers(), BODY).request
    changed = translated(headers(), msgspec.json.encode(reports.submission(description="other"))).request
    retyped = translated(headers(type_="jointenforcement.other.v1"), BODY).request
    assert first is not None
    assert changed is not None
    assert retyped is not None
    assert first.key == changed.key == retyped.key
    assert len({first.digest, changed.digest, retyped.digest}) == 3


def test_a_type_that_is_not_read_here_is_refused() -> None:
    command = translated(headers(type_="jointenforcement.leg.signed.v1"), BODY)
    assert refusal(command) == ("unknown_type", [("ce_type", "unknown_type")])
    assert key(command) == (SOURCE, "s-1")


def test_an_event_of_another_source_is_refused_and_takes_no_id_of_anybody() -> None:
    command = translated(headers(source="/joint/sources/citizen-portal"), BODY)
    assert refusal(command) == ("wrong_source", [("ce_source", "wrong_source")])
    assert key(command) == (TOPIC, f"record:{TOPIC}:0:7")
    assert receipt(command) == (f"intake.receipts.{TRUSTED}", "s-1", f"{TOPIC}:0:7")


UNREADABLE: list[tuple[list[tuple[str, bytes | None]], bytes | None, str]] = [
    ([], b"not a cloud event", "bad_envelope"),
    ([], None, "bad_envelope"),
    ([("ce_specversion", b"1.0"), ("ce_id", b""), ("ce_source", SOURCE.encode())], BODY, "bad_envelope"),
    ([*headers(), ("ce_time", b"2026-11-23T09:30:00")], BODY, "bad_envelope"),
    ([*headers(), ("ce_sequence", b"9" * 5_000)], BODY, "bad_envelope"),
    ([("ce_id", b"\xff\xfe")], BODY, "bad_envelope"),
    ([*headers()[:-1], ("content-type", b"text/plain")], BODY, "bad_envelope"),
    ([("content-type", b"application/cloudevents+json")], b"[" * 100_000, "not_json"),
    (list(headers()), b"x" * (1024 * 1024 + 1), "too_large"),
]


@pytest.mark.parametrize("sent, value, code", UNREADABLE)
def test_a_record_that_cannot_be_read_is_refused_by_its_place(
    sent: list[tuple[str, bytes | None]], value: bytes | None, code: str
) -> None:
    command = translated(sent, value)
    assert refusal(command)[0] == code
    assert key(command) == (TOPIC, f"record:{TOPIC}:0:7")
    assert receipt(command) == (f"intake.receipts.{TRUSTED}", None, f"{TOPIC}:0:7")
    assert command.request == translated(sent, value).request


@pytest.mark.parametrize(
    "value, code, errors",
    [
        (None, "not_json", [("", "not_json")]),
        (b"{", "not_json", [("", "not_json")]),
        (b"[" * 50_000, "invalid", [("", "too_deep")]),
        (BODY.replace(b"127.3", b"1e400"), "invalid", [("place.longitude", "maximum")]),
        (BODY.replace(b'T01:00:00Z"', b'T01:00:00"'), "invalid", [("observed_at", "format")]),
        (BODY[:-1] + b',"colour":1}', "invalid", [("colour", "additionalProperties")]),
        (BODY.replace(reports.DESCRIPTION.encode(), b"\\ud83d"), "invalid", [("description", "lone_surrogate")]),
        (BODY.replace(reports.DESCRIPTION.encode(), b"a\\u0000"), "invalid", [("description", "nul_character")]),
    ],
)
def test_data_that_are_no_submission_are_refused_under_their_id(
    value: bytes | None, code: str, errors: list[tuple[str, str]]
) -> None:
    command = translated(headers(), value)
    assert refusal(command) == (code, errors)
    assert key(command) == (SOURCE, "s-1")


ANY = st.characters(exclude_categories=())
NAMES = st.sampled_from(["ce_id", "ce_source", "ce_type", "ce_specversion", "ce_time", "CE_ID", "content-type", "x"])
VALUES = st.one_of(
    st.none(), st.binary(max_size=40), st.sampled_from([SOURCE.encode(), TYPE.encode(), b"1.0", b"\x00"])
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(ANY, max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(ANY, max_size=8), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.dictionaries(
    st.sampled_from([*ReportSubmission.__struct_fields__, "more"]),
    JSON,
    max_size=len(ReportSubmission.__struct_fields__),
)


def as_json(document: object) -> bytes:
    """JSON as a careless client writes it: half characters, NaN and all."""
    import json  # noqa: PLC0415 - msgspec refuses to write what is to be sent here

    return json.dumps(document).encode()


def assert_answered(command: Command) -> None:
    """One command, with a request and a receipt that the ledger can write."""
    assert command.request is not None
    assert command.receipt is not None
    assert (command.refusal is None) == isinstance(command.body, Submit)
    for text in (command.request.party, command.request.key, command.cause.correlation):
        assert "\x00" not in text.encode("utf-8").decode()
    if command.refusal is not None:
        errors = tuple(FieldProblem(field=e.field, code=e.code, message=e.message) for e in command.refusal.errors)
        answer = Answer(outcome="refused", code=command.refusal.code, detail=command.refusal.detail, errors=errors)
        assert len(msgspec.json.encode(answer)) < 100_000


@settings(max_examples=60, deadline=None)
@given(sent=st.lists(st.tuples(NAMES, VALUES), max_size=8), value=st.none() | st.binary(max_size=200))
def test_no_record_is_left_without_an_answer(sent: list[tuple[str, bytes | None]], value: bytes | None) -> None:
    assert_answered(translated(sent, value))


@settings(max_examples=60, deadline=None)
@given(document=FIELDS)
def test_no_data_are_left_without_an_answer(document: dict[str, object]) -> None:
    assert_answered(translated(headers(), as_json(msgspec.json.decode(BODY, type=dict[str, object]) | document)))


@settings(max_examples=60, deadline=None)
@given(
    attributes=st.dictionaries(
        st.sampled_from(["specversion", "id", "source", "type", "time", "sequence", "data", "data_base64"])
        | st.text(ANY, max_size=6),
        JSON | st.sampled_from([SOURCE, TYPE, "1.0"]),
    )
)
def test_no_structured_event_is_left_without_an_answer(attributes: dict[str, object]) -> None:
    assert_answered(translated([("content-type", b"application/cloudevents+json")], as_json(attributes)))


@pytest.mark.parametrize("kind", ["units", "places", "catalogue", "calendar", "limit_policy"])
def test_what_has_not_arrived_yet_is_named(kind: str) -> None:
    without = ReferenceLibrary({name: known for name, known in LIBRARY.documents.items() if name[0] != kind})
    assert kind in (missing_documents(without, CITY) or "")
    assert missing_documents(LIBRARY, CITY) is None
