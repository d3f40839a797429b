"""Every event version that was ever published is read by today's code, and today's code still writes it so."""

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from shared.contracts.registry import MESSAGES
from tests.contract.snapshots import GOLDEN, golden_path, written


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_todays_writer_makes_the_golden_file(name: str) -> None:
    assert written(name) == golden_path(name).read_text("utf-8")


@pytest.mark.parametrize("path", sorted(GOLDEN.glob("*.json")), ids=lambda path: str(path.stem))
def test_todays_reader_reads_every_golden_file(path: Path) -> None:
    name = path.name.removesuffix(".json")
    read = msgspec.json.decode(path.read_bytes(), type=MESSAGES[name])
    assert json.loads(msgspec.json.encode(read)) == json.loads(path.read_bytes())


@pytest.mark.parametrize("path", sorted((GOLDEN / "before").glob("*.json")), ids=lambda path: str(path.stem))
def test_what_was_written_before_its_type_grew_is_still_read(path: Path) -> None:
    written_then = json.loads(path.read_bytes())
    read = msgspec.json.decode(path.read_bytes(), type=MESSAGES[path.name.removesuffix(".json")])
    assert kept(written_then, json.loads(msgspec.json.encode(read))) == written_then


def kept(then: Any, now: Any) -> Any:  # noqa: ANN401 - any JSON
    """What of a document has the fields of one that was written earlier."""
    if isinstance(then, dict) and isinstance(now, dict):
        return {name: kept(then[name], value) for name, value in now.items() if name in then}
    if isinstance(then, list) and isinstance(now, list):
        return [kept(*both) for both in zip(then, now, strict=True)]
    return now


def test_type_names_are_of_the_registrys_form() -> None:
    assert [name for name in MESSAGES if not re.fullmatch(r"jointenforcement\.[a-z]+\.[a-z_]+\.v[1-9]\d*", name)] == []


def test_a_reader_of_ours_ignores_fields_of_a_later_version() -> None:
    for name, message in MESSAGES.items():
        if not message.__struct_config__.forbid_unknown_fields:
            document = json.loads(golden_path(name).read_bytes())
            grown = msgspec.json.encode({**document, "added_later": {"anything": [1]}})
            assert json.loads(msgspec.json.encode(msgspec.json.decode(grown, type=message))) == document
