"""Read what clients did and heard, one entry a (party, key)."""

from pathlib import Path

import msgspec

from tests.reliability.history.facts import Asked, Heard


class _Line(msgspec.Struct, frozen=True, kw_only=True):
    kind: str
    door: str = "topic"
    party: str = ""
    key: str = ""
    digest: str = ""
    place: str | None = None
    outcome: str = ""
    code: str | None = None
    subject: str | None = None
    position: str | None = None
    name: str = ""
    topic: str = ""


def read_history(path: Path) -> dict[tuple[str, str], Asked]:
    """Return the requests that the file tells of."""
    asked: dict[tuple[str, str], Asked] = {}
    for line in _lines(path):
        if line.kind == "fault":
            continue
        one = asked.setdefault((line.party, line.key), Asked(door=line.door))
        match line.kind:
            case "sent":
                one.attempts += 1
                one.digests.add(line.digest)
                one.places += [line.place] if line.place else []
            case "placed":
                one.places.append(str(line.place))
            case "answered":
                said = Heard(outcome=line.outcome, code=line.code, subject=line.subject, position=line.position)
                one.answers.append(said)
            case "unknown":
                one.unknown += 1
    return asked


def read_faults(path: Path) -> list[str]:
    """Return the names of the faults in their order."""
    return [line.name for line in _lines(path) if line.kind == "fault"]


def read_deleted_topics(path: Path) -> frozenset[str]:
    """Return the topics that were deleted: what was on them then is gone."""
    return frozenset(line.topic for line in _lines(path) if line.name == "topic_deleted")


def _lines(path: Path) -> list[_Line]:
    decoder = msgspec.json.Decoder(_Line)
    with path.open("rb") as file:
        return [decoder.decode(line) for line in file]
