"""The published documents are the agreed ones; a change of an interface shows as a diff of its snapshot."""

import json
from typing import Any

import pytest

from shared.contracts.registry import SERVICES
from tests.contract.snapshots import SNAPSHOTS, documents


@pytest.fixture(scope="module")
def today() -> dict[str, str]:
    return documents()


def test_every_document_is_the_agreed_one(today: dict[str, str]) -> None:
    agreed = {path.name: path.read_text("utf-8") for path in SNAPSHOTS.glob("*.json")}
    assert today.keys() == agreed.keys()
    for name, document in today.items():
        assert document == agreed[name], f"{name} differs: python -m tests.contract.snapshots, then read the diff"


def operations(service: str) -> list[tuple[str, str, dict[str, Any]]]:
    document = json.loads((SNAPSHOTS / f"openapi-{service}.json").read_text("utf-8"))
    return [
        (path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method in {"get", "post", "put", "delete", "patch"}
    ]


QUESTIONS = {"/v1/routing/explanations"}
"""What is posted because a question has many parts, and changes nothing."""


@pytest.mark.parametrize("service", SERVICES)
def test_every_write_asks_for_an_idempotency_key_and_every_operation_is_described(service: str) -> None:
    for path, method, operation in operations(service):
        headers = {one["name"].lower() for one in operation.get("parameters", []) if one["in"] == "header"}
        writes = method == "post" and path not in QUESTIONS
        assert writes == ("idempotency-key" in headers), (path, method)
        assert operation.get("summary"), (path, method)
        assert operation.get("responses"), (path, method)
