"""Write the golden files and snapshots anew, on purpose: `python -m tests.contract.snapshots`, then read the diff.

A type that was published only grows, by optional fields; then what it looked like goes to `golden/before`, and is read
for ever. Whatever else changes is a new version of the type.
"""

import json
from pathlib import Path
from typing import Any, Final

import msgspec

from shared.contracts.asyncapi import asyncapi_document
from shared.contracts.registry import MESSAGES, SERVICES
from tests.contract.examples import example_of
from tests.contract.interfaces import openapi_document

FOLDER: Final = Path(__file__).parent
GOLDEN: Final = FOLDER / "golden"
SNAPSHOTS: Final = FOLDER / "snapshots"
VERSION: Final = "1"


def golden_path(name: str) -> Path:
    """Return where the golden file of a CloudEvents type is."""
    return GOLDEN / f"{name}.json"


def pretty(document: Any) -> str:  # noqa: ANN401 - any JSON
    """Return a JSON document as it is kept in files."""
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def written(name: str) -> str:
    """Return what today's writer makes of the example of a type."""
    return pretty(json.loads(msgspec.json.encode(example_of(name))))


def documents() -> dict[str, str]:
    """Return every snapshot by its file name."""
    topics = {f"asyncapi-{service}.json": pretty(asyncapi_document(service, VERSION)) for service in SERVICES}
    interfaces = {f"openapi-{service}.json": pretty(openapi_document(service)) for service in SERVICES}
    return topics | interfaces


def main() -> None:
    """Write everything."""
    for folder in (GOLDEN, SNAPSHOTS):
        folder.mkdir(exist_ok=True)
    for name in MESSAGES:
        golden_path(name).write_text(written(name), "utf-8")
    for name, document in documents().items():
        (SNAPSHOTS / name).write_text(document, "utf-8")


if __name__ == "__main__":
    main()
