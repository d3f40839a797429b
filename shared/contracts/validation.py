"""Decode a message with its class; where it does not decode, name every field error at once.

The fast path is msgspec (about 2 µs). Only what it refuses is read again with JSON Schema (draft 2020-12).
"""

import functools
import hashlib
import itertools
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, TypeVar

import jsonschema
import msgspec

from shared.kernel.errors import FieldError, Unreadable

M = TypeVar("M", bound=msgspec.Struct)

MAXIMUM_ERRORS: Final = 100
"""How many field errors are named at most: a receipt stays small, however much is wrong."""

_MAXIMUM_FIELD: Final = 200
_RULES: Final = {
    "pattern": "Does not match",
    "minLength": "The length must be at least",
    "maxLength": "The length must be at most",
    "minItems": "The number of items must be at least",
    "maxItems": "The number of items must be at most",
    "minimum": "The number must be at least",
    "maximum": "The number must be at most",
}
_ESCAPE: Final = b"\\u"
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


@functools.cache
def _decoder(message: type) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(message)


def decode(message: type[M], raw: bytes | None) -> M:
    """Decode `raw` as a `message`.

    Raises:
        Unreadable: code `not_json` when it is no JSON at all, `invalid` with every field error otherwise; U+0000,
            lone surrogates and times without zone are among them.
    """
    try:
        return _decode(message, raw or b"")
    except RecursionError as error:
        raise _invalid([FieldError(field="", code="too_deep", message="The data is nested too deeply.")]) from error


def _decode(message: type[M], raw: bytes) -> M:
    try:
        decoded: M = _decoder(message).decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _explain(message, raw, str(error)) from error
    if _ESCAPE in raw:
        errors = _text_errors(msgspec.json.decode(raw))
        if errors:
            raise _invalid(errors)
    return decoded


def _invalid(errors: Iterable[FieldError]) -> Unreadable:
    named = tuple(dict.fromkeys(errors))[:MAXIMUM_ERRORS]
    return Unreadable("invalid", "The message has fields that are not valid.", named)


def canonical_digest(*parts: str, data: bytes | None) -> bytes:
    """Return the SHA-256 by which two messages are the same: field order and white space do not count.

    `data` that is no JSON is digested as the bytes that it is.
    """
    try:
        canonical = msgspec.json.encode(msgspec.json.decode(data or b"null"), order="deterministic")
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        canonical = data or b""
    digest = hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass"))
    digest.update(b"\x1e")
    digest.update(canonical)
    return digest.digest()


@functools.cache
def schema_of(message: type) -> dict[str, object]:
    """Return the JSON Schema (draft 2020-12) of a message class, self-contained."""
    schema = msgspec.json.schema(message)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


@functools.cache
def _validator(message: type) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(
        schema_of(message), format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER
    )


def _explain(message: type, raw: bytes, first: str) -> Unreadable:
    try:
        document = json.loads(raw)
    except ValueError:
        problem = FieldError(field="", code="not_json", message="The data is not JSON in UTF-8.")
        return Unreadable("not_json", "The data is not JSON in UTF-8.", (problem,))
    broken = itertools.chain.from_iterable(map(_leaves, _validator(message).iter_errors(document)))
    errors = [problem for error in itertools.islice(broken, MAXIMUM_ERRORS) for problem in _problems(error)]
    errors += _text_errors(document)
    if not errors:
        errors = [FieldError(field="", code="invalid", message=first)]
    return _invalid(sorted(errors, key=lambda error: error.field))


def _leaves(error: jsonschema.ValidationError) -> Iterator[jsonschema.ValidationError]:
    """Of a union (an optional field) yield what is wrong in the alternative that was meant, not "none fits"."""
    meant = [child for child in error.context or () if child.validator != "type" or child.path]
    if not meant:
        yield error
    for child in meant:
        yield from _leaves(child)


def _problems(error: jsonschema.ValidationError) -> Iterator[FieldError]:
    path = tuple(str(part) for part in error.absolute_path)
    rule: Any = error.validator_value
    sent: Any = error.instance
    match error.validator:
        case "required":
            missing = [name for name in rule if name not in sent]
            yield from (_problem((*path, name), "required", "The field is missing.") for name in missing)
        case "additionalProperties":
            schema: Any = error.schema
            unknown = [name for name in sent if name not in schema.get("properties", ())]
            for name in unknown[:MAXIMUM_ERRORS]:
                yield _problem((*path, name), "additionalProperties", "There is no such field.")
        case "anyOf":
            expected = [str(child.validator_value) for child in error.context or ()]
            yield _problem(path, "type", f"Expected {' or '.join(expected)}.")
        case validator:
            yield _problem(path, str(validator), _message(str(validator), rule))


def _problem(path: Sequence[str], code: str, message: str) -> FieldError:
    # A stranger's field names are text of any length, half characters included.
    field = ".".join(path)[:_MAXIMUM_FIELD].encode("utf-8", "replace").decode()
    return FieldError(field=field, code=code, message=message)


def _message(rule: str, wanted: object) -> str:
    """Say what the rule asks for, never what was sent: that may be what somebody wants forgotten (I-14)."""
    match rule, wanted:
        case "format", _:
            return f"Not a {wanted} with zone (RFC 3339), such as 2026-11-23T09:30:00+08:00."
        case "enum", list():
            return f"Expected one of: {', '.join(map(str, wanted))}."
        case "type", _:
            return f"Expected {wanted}."
        case _:
            return f"{_RULES.get(rule, rule)} {wanted}."


def _text_errors(document: object) -> list[FieldError]:
    """Name texts that PostgreSQL or UTF-8 cannot hold: U+0000 and lone surrogates."""
    return list(itertools.islice(_unstorable(document, ()), MAXIMUM_ERRORS))


def _unstorable(document: object, path: tuple[str, ...]) -> Iterator[FieldError]:
    match document:
        case str() if "\x00" in document:
            yield _problem(path, "nul_character", "The text holds U+0000.")
        case str() if _SURROGATE.search(document):
            yield _problem(path, "lone_surrogate", "The text holds half a character.")
        case dict():
            for key, value in document.items():
                yield from _unstorable(value, (*path, str(key)))
        case list():
            for index, value in enumerate(document):
                yield from _unstorable(value, (*path, str(index)))
