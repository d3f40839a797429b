"""What is wrong with a message is said field by field, at once, without repeating what was sent."""

import msgspec
import pytest

from shared.contracts.intake import ReportSubmission
from shared.contracts.validation import MAXIMUM_ERRORS, canonical_digest, decode
from shared.kernel.errors import Unreadable
from tests.support import reports

VALID = msgspec.json.encode(reports.submission())


def problems(raw: bytes | None) -> list[tuple[str, str]]:
    """Field and code of every error."""
    with pytest.raises(Unreadable) as caught:
        decode(ReportSubmission, raw)
    msgspec.json.encode(caught.value.errors)
    return [(error.field, error.code) for error in caught.value.errors]


def test_every_field_error_is_named_at_once() -> None:
    raw = (
        b'{"category":{"system":"jiaohe","code":"E0702","color":1},"description":"a\\u0000b","target_type":"ship",'
        b'"contact":{"phone":"' + b"9" * 41 + b'","age":3},"photos":["x",2],"campaign":7,'
        b'"observed_at":"2026-11-23T09:30:00"}'
    )
    assert problems(raw) == [
        ("campaign", "type"),
        ("category.color", "additionalProperties"),
        ("contact.age", "additionalProperties"),
        ("contact.phone", "maxLength"),
        ("description", "nul_character"),
        ("observed_at", "format"),
        ("photos.1", "type"),
        ("place", "required"),
        ("target_type", "enum"),
    ]


@pytest.mark.parametrize("raw", [None, b"", b"\xff\xfe", b"{", b'"\xc3('])
def test_what_is_no_json_is_called_so(raw: bytes | None) -> None:
    assert problems(raw) == [("", "not_json")]


@pytest.mark.parametrize(
    "raw", [b"[" * 100_000, b"[" * 2_000 + b"]" * 2_000, b'{"description":' + b"[" * 5_000 + b"]" * 5_000 + b"}"]
)
def test_what_is_nested_without_end_is_refused_like_anything_else(raw: bytes) -> None:
    assert problems(raw) == [("", "too_deep")]
    assert canonical_digest(data=raw) == canonical_digest(data=raw)


def test_a_text_that_no_table_can_hold_is_named() -> None:
    assert problems(VALID.replace(reports.DESCRIPTION.encode(), b"\\ud800 half")) == [("description", "lone_surrogate")]
    assert problems(VALID.replace(reports.DESCRIPTION.encode(), b"nul \\u0000")) == [("description", "nul_character")]


@pytest.mark.parametrize(
    "raw",
    [
        b'{"photos":[' + b"1," * 50_000 + b"1]}",
        b"{" + b",".join(b'"%d":1' % number for number in range(50_000)) + b"}",
        b'{"photos":[' + b'"\\u0000",' * 50_000 + b"1]}",
    ],
)
def test_however_much_is_wrong_the_answer_stays_small(raw: bytes) -> None:
    assert len(problems(raw)) == MAXIMUM_ERRORS


@pytest.mark.parametrize("name", ["\\ud800", "\\u0000", "n" * 5_000])
def test_a_strange_field_name_can_be_answered(name: str) -> None:
    ((field, code),) = problems(VALID[:-1] + f',"{name}":1}}'.encode())
    assert code == "additionalProperties"
    assert len(field) <= 200


@pytest.mark.parametrize(
    "raw",
    [
        VALID.replace(b'"phone":"', b'"phone":"' + b"5" * 50),
        VALID.replace(reports.DESCRIPTION.encode(), b"x" * 5_000 + reports.DESCRIPTION.encode()),
        VALID.replace(b'"photos":["', b'"photos":["' + b"p" * 500),
        VALID.replace(b'"target_type":"public_space"', b'"target_type":"' + reports.PHONE.encode() + b'"'),
        VALID.replace(b'"name":', b'"nickname":'),
    ],
)
def test_an_error_never_repeats_what_may_have_to_be_forgotten(raw: bytes) -> None:
    with pytest.raises(Unreadable) as caught:
        decode(ReportSubmission, raw)
    said = f"{caught.value.detail} {caught.value.errors}"
    assert [word for word in reports.PRIVATE_WORDS if word in said] == []
