"""What an event says otherwise, to plant: each changes its document."""

from typing import Any


def failed_check(body: dict[str, Any]) -> None:
    """The check did not pass."""
    body["passed"] = False


def by(unit: str, post: str = "collector") -> Any:  # noqa: ANN401 - a change of a document
    """Somebody of another unit and post did it."""

    def change(body: dict[str, Any]) -> None:
        body["by"] |= {"unit": unit, "post": post}

    return change


def by_another(body: dict[str, Any]) -> None:
    """Another client of another unit did it."""
    body["by"] |= {"client": "another", "unit": "another"}


def chosen(unit: str) -> Any:  # noqa: ANN401 - a change of a document
    """Another unit was chosen."""

    def change(body: dict[str, Any]) -> None:
        body["unit"] = unit

    return change


def done_by(unit: str) -> Any:  # noqa: ANN401 - a change of a document
    """Another unit did it."""

    def change(body: dict[str, Any]) -> None:
        body["by"]["unit"] = unit

    return change


def no_pause(body: dict[str, Any]) -> None:
    """No time was taken out of the clock of acceptance."""
    body["accept_clock"]["pauses"] = []


def half_used(body: dict[str, Any]) -> None:
    """A clock of acceptance tells that half of it is used."""
    body |= {"stage": "accept", "percent": 50, "due_at": body["at"]}


def two_leads(body: dict[str, Any]) -> None:
    """Every leg is a lead."""
    for leg in body["legs"]:
        leg["role"] = "lead"
