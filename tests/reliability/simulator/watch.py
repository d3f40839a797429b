"""The invariants that can be looked at after each act: what is appended, what is committed, what is answered."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from shared.contracts.common import Answer
from shared.contracts.records import Record
from tests.reliability.simulator import domain
from tests.reliability.simulator.connection import Database
from tests.reliability.simulator.store import Store, Version

OWNERS: Final = {domain.ASKS: "intake", domain.HUBS: "intake", domain.TASKS: "dispatch"}
_STATES: Final = frozenset({"asks", "hubs", "tasks"})


class Broken(Exception):
    """An invariant does not hold."""

    def __init__(self, invariant: str, text: str) -> None:
        super().__init__(f"{invariant}: {text}")
        self.invariant = invariant


class Watch:
    """What was seen so far."""

    def __init__(self) -> None:
        self._topics: dict[tuple[str, str], int] = {}
        self._heads: dict[tuple[int, Any], int] = {}

    def appended(self, databases: Mapping[str, Database], record: Record) -> None:
        """I-4, I-5: first copies come in order, and only what was committed is published."""
        owner = OWNERS.get(record.topic)
        if owner is None:
            return
        headers = dict(record.headers)
        stream, sequence = (record.key or b"").decode(), int(headers["ce_sequence"] or b"0")
        last = self._topics.get((record.topic, stream), 0)
        if sequence > last + 1:
            raise Broken("I-4", f"{record.topic} gets event {sequence} of {stream} after event {last}")
        event = event_of(databases[owner].store, stream, sequence)
        if event is None or event["data"] != record.value:
            raise Broken("I-5", f"{record.topic} gets event {sequence} of {stream}, which was never committed")
        if sequence == last + 1:
            self._topics[record.topic, stream] = sequence

    def committed(self, store: Store, changed: Sequence[Version]) -> None:
        """I-4, I-5: a commit extends each stream by the next events, and its state with them."""
        events = sorted(
            (row["stream"], row["sequence"]) for v in changed if v.table == "events" and (row := v.committed)
        )
        for stream, sequence in events:
            place = (id(store), stream)
            if sequence != self._heads.get(place, 0) + 1:
                raise Broken("I-4", f"event {sequence} of {stream} follows event {self._heads.get(place, 0)}")
            self._heads[place] = sequence
        states = {v.committed["stream"]: v.committed for v in changed if v.table in _STATES and v.committed}
        for stream in {stream for stream, _ in events}:
            if stream not in states or states[stream]["sequence"] != self._heads[id(store), stream]:
                raise Broken("I-5", f"the state of {stream} was not written with its events")

    def answered(self, databases: Mapping[str, Database], answer: Answer) -> None:
        """I-1: what is acknowledged is committed."""
        at = answer.position
        if at is not None and event_of(databases[OWNERS[at.topic]].store, str(at.stream), at.sequence) is None:
            raise Broken("I-1", f"{at} was acknowledged and is nowhere")


def event_of(store: Store, stream: str, sequence: int) -> dict[str, Any] | None:
    """Return the committed event, or None."""
    for row in store.rows("events"):
        if row["sequence"] == sequence and str(row["stream"]) == stream:
            return row
    return None
