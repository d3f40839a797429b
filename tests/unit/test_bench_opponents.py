"""The opponents of the bench are what they were when the bars were set: nobody makes them slower."""

from hashlib import sha256
from pathlib import Path

import pytest

NAIVE = Path(__file__).resolve().parents[1] / "bench" / "naive"


@pytest.mark.parametrize(
    "name, digest",
    [
        ("naive_stage.py", "3ccf1ab23d28ea744e52bc290c9573ec2971b69c6d6d0a9c829c7e31c143240c"),
        ("naive_http.py", "63555b862dcecd6f612103a8d4fff7125dc0d492795867caaa91b15f7f1c9f9a"),
    ],
)
def test_an_opponent_is_unchanged(name: str, digest: str) -> None:
    assert sha256((NAIVE / name).read_bytes()).hexdigest() == digest
