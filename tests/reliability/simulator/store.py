"""A transactional store in memory, READ COMMITTED: row locks, waits, unique keys, identities, advisory locks.

A statement sees what was committed when it began, and its transaction's own rows. One that meets a row locked by
another transaction waits, then sees the newest version of it. A crash rolls back, a commit shows all rows at once.
"""

from collections import Counter
from collections.abc import Collection, Generator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from tests.reliability.simulator.guarantees import Guarantee
from tests.reliability.simulator.statements import Condition, Plan, Row

KEYS: Final[dict[str, tuple[str, ...]]] = {
    "events": ("stream", "sequence"),
    "requests": ("party", "key"),
    "positions": ("consumer", "topic", "stream"),
    "held": ("consumer", "topic", "stream", "sequence"),
    "wakes": ("stream", "kind"),
    "reference_documents": ("kind", "name", "version"),
    "outbox": ("id",),
    "interventions": ("id",),
    "serial_days": ("day",),
}
_IDENTITIES: Final = ("outbox", "held", "interventions")
_DEFAULTS: Final[Row] = {"reason": None, "detail": None, "waits_for": None}
_BY_TOPIC: Final = ("positions", "held")


class Refused(Exception):
    """The store refuses a statement, with a SQLSTATE."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Version:
    """One row: what is committed, what its owner has written, and who owns (has locked) it."""

    __slots__ = ("committed", "number", "owner", "pending", "table")

    def __init__(self, table: str, number: int) -> None:
        self.table = table
        self.number = number
        self.committed: Row | None = None
        self.pending: Row | None = None
        self.owner: Transaction | None = None


class Transaction:
    """What one session has locked and written since it began."""

    __slots__ = ("ended", "owned", "waits_for")

    def __init__(self) -> None:
        self.owned: dict[Version, bool] = {}
        self.ended = False
        self.waits_for: Transaction | None = None


Waiting = Generator[Transaction, None, Any]


class Store:
    """One service's database."""

    def __init__(self, removed: Collection[Guarantee], clock: "Clock") -> None:
        self.removed = removed
        self.clock = clock
        self.version = 0
        self.sizes: Counter[str] = Counter()
        self.tables: dict[str, dict[Any, Version]] = {}
        self.leases: dict[Any, object] = {}
        self._numbers = 0
        self._serials = 0

    def next_serial(self) -> int:
        """Return the next number of the sequence: no transaction takes it back, and none waits for another."""
        self._serials += 1
        return self._serials

    def rows(self, table: str) -> list[Row]:
        """Return what is committed, in the order in which it was written."""
        return [row.committed for row in self.tables.get(table, {}).values() if row.committed is not None]

    def execute(self, plan: Plan, params: Sequence[Any], transaction: Transaction) -> Waiting:
        """Run a statement; yields the transaction that it waits for."""
        match plan.verb:
            case "select":
                return (yield from self._select(plan, params, transaction))
            case "lots":
                return (yield from self._lots(plan, params, transaction))
            case "serials":
                days = self._matching(plan, params, {}, transaction)
                return [
                    {"number": self.next_serial() - row["last_before"]} for _, row in days for _ in range(params[1])
                ]
            case "insert":
                joined = _unnested(plan, params)
                now = self.clock.database()
                rows = [
                    {name: value(params, each, now) for name, value in zip(plan.columns, plan.values, strict=True)}
                    for each in joined
                ]
                added = yield from self.insert(plan.table, rows, transaction, do_nothing=plan.do_nothing)
                return [{name: row[name] for name in plan.returning} for row in added] if plan.returning else []
            case "update" | "delete":
                yield from self._change(plan, params, transaction)
        return []

    def insert(self, table: str, rows: Sequence[Row], transaction: Transaction, *, do_nothing: bool = False) -> Waiting:
        """Add rows in this order; a key that another transaction is adding is waited for."""
        if table == "positions" and Guarantee.POSITION_KEPT in self.removed:
            return []
        if table == "requests" and Guarantee.REQUEST_KEPT in self.removed:
            return []
        if table == "wakes" and Guarantee.WAKE_IN_TRANSACTION in self.removed:
            return []
        if table == "held" and Guarantee.GAP_WAITS in self.removed:
            rows = [row for row in rows if row["reason"] is not None]
        added = []
        for row in rows:
            _refuse_unstorable(row)
            added.append((yield from self._insert_one(table, row, transaction, do_nothing=do_nothing)))
        return added

    def commit(self, transaction: Transaction) -> list[Version]:
        """Make everything that the transaction wrote visible at once; return the rows that changed."""
        changed = [version for version, written in transaction.owned.items() if written]
        for version in changed:
            self._publish(version)
        self._end(transaction)
        return changed

    def commit_half(self, transaction: Transaction) -> list[Version]:
        """Leave what an interrupted commit leaves that is not atomic."""
        half = [v for v, written in transaction.owned.items() if written and v.table in ("positions", "requests")]
        for version in half:
            self._publish(version)
        self.roll_back(transaction)
        return half

    def roll_back(self, transaction: Transaction) -> None:
        """Forget what the transaction wrote."""
        for version in transaction.owned:
            if version.owner is transaction:
                version.pending = version.committed
                if version.committed is None:
                    self._forget(version)
        self._end(transaction)

    def _publish(self, version: Version) -> None:
        self.sizes[version.table] += (version.pending is not None) - (version.committed is not None)
        version.committed = version.pending
        version.owner = None
        if version.committed is None:
            self._forget(version)

    def _end(self, transaction: Transaction) -> None:
        for version in transaction.owned:
            if version.owner is transaction:
                version.owner = None
        transaction.owned = {}
        transaction.ended = True
        self.version += 1

    def _forget(self, version: Version) -> None:
        table = self.tables[version.table]
        for key, known in table.items():
            if known is version:
                del table[key]
                return

    def _insert_one(self, table: str, row: Row, transaction: Transaction, *, do_nothing: bool) -> Waiting:
        self._numbers += 1
        if table in _IDENTITIES:
            row = _DEFAULTS | row | {"id": self._numbers} if table == "held" else row | {"id": self._numbers}
        key = self._key(table, row)
        rows = self.tables.setdefault(table, {})
        while (there := rows.get(key)) is not None:
            if there.owner is not None and there.owner is not transaction and there.committed is None:
                yield there.owner
                continue
            if _seen(there, transaction) is None:
                break
            if do_nothing:
                return row
            raise Refused("23505")
        version = there or Version(table, self._numbers)
        rows[key] = version
        version.pending = row
        if table == "outbox" and Guarantee.OUTBOX_IN_TRANSACTION in self.removed:
            version.committed = row
            self.sizes[table] += 1
            return row
        version.owner = transaction
        transaction.owned[version] = True
        return row

    def _key(self, table: str, row: Row) -> object:
        if Guarantee.UNIQUE_KEYS in self.removed:
            return self._numbers
        names = KEYS.get(table, ("stream",))
        if table in _BY_TOPIC and Guarantee.TOPIC_IN_POSITION in self.removed:
            names = tuple(name for name in names if name != "topic")
        return tuple(row[name] for name in names)

    def _matching(
        self, plan: Plan, params: Sequence[Any], joined: Row, transaction: Transaction
    ) -> list[tuple[Version, Row]]:
        conditions = self._conditions(plan)
        found = []
        for version in self.tables.get(plan.table, {}).values():
            row = _seen(version, transaction)
            if row is not None and _fits(conditions, row, params, joined):
                found.append((version, row))
        return found

    def _conditions(self, plan: Plan) -> list[Condition]:
        blind = plan.table in _BY_TOPIC and Guarantee.TOPIC_IN_POSITION in self.removed
        return [test for column, test in plan.conditions if not (blind and column == "topic")]

    def _select(self, plan: Plan, params: Sequence[Any], transaction: Transaction) -> Waiting:
        found = self._matching(plan, params, {}, transaction)
        if plan.order:
            order = plan.order
            found.sort(key=lambda each: [each[1][name] for name in order])
        limit = plan.limit(params) if plan.limit else None
        answer: list[Row] = []
        for version, old in found:
            if limit is not None and len(answer) == limit:
                break
            row: Row | None = old
            if plan.for_update and not self._lockless(plan.table):
                yield from self._lock(version, transaction)
                row = _seen(version, transaction)
                if row is None or not _fits(self._conditions(plan), row, params, {}):
                    continue
                if Guarantee.STATE_AFTER_LOCK in self.removed:
                    row = old
            answer.append(_columns(row, plan))
        return answer

    def _lots(self, plan: Plan, params: Sequence[Any], transaction: Transaction) -> Waiting:
        """Read the oldest lots, up to the one that reaches so many messages."""
        limit, without, most = params
        found = self._matching(plan, params, {}, transaction)
        found = [each for each in found if each[1]["topic"] not in without]
        found.sort(key=lambda each: each[1]["id"])
        answer: list[Row] = []
        before = 0
        for version, first in found[:most]:
            if before >= limit:
                break
            before += first["messages"]
            row: Row | None = first
            if not self._lockless("outbox"):
                yield from self._lock(version, transaction)
                row = _seen(version, transaction)
            if row is not None:
                answer.append(_columns(row, plan))
        return answer

    def _lockless(self, table: str) -> bool:
        return Guarantee.ROW_LOCK in self.removed or (table == "outbox" and Guarantee.ONE_ACTIVE_RELAY in self.removed)

    def _lock(self, version: Version, transaction: Transaction) -> Waiting:
        while version.owner is not None and version.owner is not transaction:
            yield version.owner
        if version.owner is None:
            version.owner = transaction
            version.pending = version.committed
            transaction.owned[version] = False

    def _change(self, plan: Plan, params: Sequence[Any], transaction: Transaction) -> Waiting:
        if plan.table == "wakes" and Guarantee.WAKE_IN_TRANSACTION in self.removed:
            return None
        now = self.clock.database()
        for joined in _unnested(plan, params) if plan.unnest else [{}]:
            for version, _ in self._matching(plan, params, joined, transaction):
                yield from self._lock(version, transaction)
                row = _seen(version, transaction)
                if row is None or not _fits(self._conditions(plan), row, params, joined):
                    continue
                transaction.owned[version] = True
                if plan.verb == "delete":
                    version.pending = None
                    continue
                new = {name: value(params, joined, now) for name, value in zip(plan.columns, plan.values, strict=True)}
                _refuse_unstorable(new)
                version.pending = row | new
        return None


def _seen(version: Version, transaction: Transaction) -> Row | None:
    return version.pending if version.owner is transaction else version.committed


def _columns(row: Row | None, plan: Plan) -> Row:
    return {} if row is None else {name: row[name] for name in plan.columns}


def _fits(conditions: Sequence[Condition], row: Row, params: Sequence[Any], joined: Row) -> bool:
    return all(test(row, params, joined) for test in conditions)


def _unnested(plan: Plan, params: Sequence[Any]) -> list[Row]:
    if not plan.unnest:
        return [{}]
    names = [name for name, _ in plan.unnest]
    return [dict(zip(names, row, strict=True)) for row in zip(*[params[i] for _, i in plan.unnest], strict=True)]


def _refuse_unstorable(row: Row) -> None:
    for value in row.values():
        if isinstance(value, str) and "\x00" in value:
            raise Refused("22021")


class Clock:
    """Time stands still until the scheduler moves it; the database's clock may differ from the broker's."""

    def __init__(self, start: datetime) -> None:
        self.broker = start
        self.ahead = timedelta()

    def database(self) -> datetime:
        """Return the database's time."""
        return self.broker + self.ahead
