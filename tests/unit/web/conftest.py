"""Fixtures of the tests of shared/web."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from tests.support.web import Keys, client_of


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path)


@pytest.fixture
def client(keys: Keys) -> Iterator[TestClient[Litestar]]:
    with client_of(keys) as found:
        yield found
