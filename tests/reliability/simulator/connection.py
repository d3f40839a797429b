"""What the ledger's own code takes for an engine and its connections; each statement and each end is one act."""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, Self

import asyncpg
from sqlalchemy.exc import DBAPIError

from tests.reliability.simulator.acts import BLOCKED, Act
from tests.reliability.simulator.guarantees import Guarantee
from tests.reliability.simulator.statements import Plan, plan_of
from tests.reliability.simulator.store import Refused, Store, Transaction, Version, Waiting

_GONE: Final = "57P01"
_NEVER_BISECTED: Final = {"22021": "57P03"}

Committed = Callable[[Store, Sequence[Version]], None]


class Record(dict[str, Any]):
    """A row of a result: its columns are attributes."""

    __getattr__ = dict.__getitem__

    def __iter__(self) -> Iterator[Any]:
        return iter(self.values())

    @property
    def _mapping(self) -> dict[str, Any]:
        return dict(self.items())


class Result(list[Any]):
    """The rows of a statement."""

    def all(self) -> list[Any]:
        return self

    def scalar(self) -> object:
        return next(iter(self[0].values())) if self else None

    def scalar_one(self) -> object:
        (row,) = self
        return next(iter(row.values()))

    def one(self) -> object:
        (row,) = self
        return row

    def one_or_none(self) -> object:
        return self[0] if self else None


class Session:
    """The far side of one connection: its transaction, and whether it lives."""

    def __init__(self, database: "Database") -> None:
        self.database = database
        self.transaction = Transaction()
        self.broken = False
        self.dead = False
        self.waiting: Waiting | None = None
        self.later: list[Version] = []

    def run(self, begin: Callable[[], Waiting]) -> object:
        """Go on with a statement until it ends or waits."""
        if self.broken:
            raise _lost()
        work = self.waiting or begin()
        self.waiting = None
        try:
            blocker = next(work)
        except StopIteration as end:
            return end.value
        except Refused as refused:
            self.break_off()
            raise _error(self.database.code_of(refused.code)) from refused
        self.waiting = work
        self.transaction.waits_for = blocker
        if _in_a_circle(self.transaction):
            self.waiting = None
            self.break_off()
            raise _error("40P01")
        return BLOCKED

    def ready(self) -> bool:
        """Say whether a statement that waits can go on."""
        blocker = self.transaction.waits_for
        return self.broken or self.waiting is None or blocker is None or blocker.ended

    def break_off(self) -> None:
        """Roll back; the session may begin anew."""
        self.waiting = None
        self.database.store.roll_back(self.transaction)
        self.transaction = Transaction()

    def end(self) -> None:
        """Close: roll back and give up the leases."""
        self.broken = True
        self.break_off()
        leases = self.database.store.leases
        for name in [name for name, holder in leases.items() if holder is self]:
            del leases[name]
        if self in self.database.sessions:
            self.database.sessions.remove(self)

    def commit(self) -> None:
        """Commit, and tell whoever watches."""
        if self.broken:
            raise _lost()
        self.database.commit(self)

    def commit_later(self) -> None:
        """Commit the outbox where it is written by a transaction of its own."""
        for version in self.later:
            version.owner = self.transaction
            self.transaction.owned[version] = True
        self.later = []
        self.commit()

    def special(self, plan: Plan, params: Sequence[Any]) -> list[dict[str, Any]]:
        """Execute a statement that is no plain one."""
        store = self.database.store
        match plan.special:
            case "now":
                return [{"now": store.clock.database()}]
            case "next":
                return [{"nextval": store.next_serial()}]
            case "one":
                return [{"one": 1}]
            case "age":
                return [{"age": 1.0}] if store.rows("outbox") else []
            case "lock":
                free = store.leases.get(params, self) is self or Guarantee.ONE_ACTIVE_RELAY in store.removed
                if free:
                    store.leases[params] = self
                return [{"taken": free}]
            case "unlock":
                store.leases.pop(params, None)
                return [{"released": True}]
            case _:
                return _ready(store, params[0])


class Database:
    """One service's database server: may be away; every commit is told to a watcher."""

    def __init__(self, store: Store, watch: Committed) -> None:
        self.store = store
        self.sessions: list[Session] = []
        self.away = False
        self._watch = watch

    def commit(self, session: Session, *, half: bool = False) -> None:
        transaction = session.transaction
        session.transaction = Transaction()
        if Guarantee.OUTBOX_AFTER_COMMIT in self.store.removed and not session.later:
            session.later = [v for v in transaction.owned if v.table == "outbox" and v.committed is None]
            for version in session.later:
                del transaction.owned[version]
                version.owner = session.transaction
        end = self.store.commit_half if half else self.store.commit
        changed = end(transaction)
        self._watch(self.store, changed)

    def stop(self, *, finishing: Session | None = None) -> None:
        """Go away; a commit that was under way may still be done."""
        self.away = True
        if finishing is not None:
            self.commit(finishing)
        for session in list(self.sessions):
            session.end()

    def code_of(self, code: str) -> str:
        return _NEVER_BISECTED.get(code, code) if Guarantee.BISECTING in self.store.removed else code


class Driver(asyncpg.Connection):  # type: ignore[misc]  # asyncpg has no types
    """What COPY is called on."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def __del__(self) -> None:
        """Close nothing: there is nothing behind it."""

    def is_in_transaction(self) -> bool:
        return True

    async def copy_records_to_table(
        self, table: str, *, columns: Sequence[str], records: Iterable[Sequence[object]], **_: object
    ) -> None:
        rows = [dict(zip(columns, record, strict=True)) for record in records]
        session = self._session
        try:
            await Act(
                f"COPY {table} ({len(rows)})",
                lambda: session.run(lambda: session.database.store.insert(table, rows, session.transaction)),
                session.ready,
            )
        except DBAPIError as error:
            raise asyncpg.PostgresError.new({"C": getattr(error.orig, "sqlstate", _GONE), "M": "refused"}) from error


class _Raw:
    def __init__(self, driver: Driver) -> None:
        self.driver_connection = driver


class Connection:
    """What the ledger's code executes its statements on."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.info: dict[str, Any] = {}

    @property
    def closed(self) -> bool:
        return self.session.dead

    @property
    def invalidated(self) -> bool:
        return self.session.broken

    async def invalidate(self) -> None:
        self.session.end()

    async def execution_options(self, **_: object) -> Self:
        return self

    async def get_raw_connection(self) -> _Raw:
        return _Raw(Driver(self.session))

    async def exec_driver_sql(self, sql: str, params: Sequence[Any] = ()) -> Result:
        session, plan = self.session, plan_of(sql)
        if plan.verb == "special":

            def run() -> object:
                if session.broken:
                    raise _lost()
                return session.special(plan, params)

            label = plan.special
        else:

            def run() -> object:
                return session.run(lambda: session.database.store.execute(plan, params, session.transaction))

            label = f"{plan.verb} {plan.table}{' FOR UPDATE' if plan.for_update else ''}"
        rows = await Act(label, run, session.ready)
        return Result(Record(row) for row in rows)


class Engine:
    """A process's pool; `sessions` are those that die with the process."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.sessions: list[Session] = []

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[Connection]:
        session = self._session()
        try:
            yield Connection(session)
        finally:
            self._close(session)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Connection]:
        session = self._session()
        try:
            yield Connection(session)
            await Act("COMMIT", session.commit)
            if session.later:
                await Act("COMMIT of the outbox", session.commit_later)
        finally:
            self._close(session)

    def _session(self) -> Session:
        if self.database.away:
            raise ConnectionRefusedError("the database is away")
        session = Session(self.database)
        self.database.sessions.append(session)
        self.sessions.append(session)
        return session

    def _close(self, session: Session) -> None:
        if not session.dead:
            session.end()
        if session in self.sessions:
            self.sessions.remove(session)


def _ready(store: Store, consumer: str) -> list[dict[str, Any]]:
    """Execute the statement by which a consumer finds held messages that nothing stops any more (consumption)."""
    documents = {f"{r['kind']}/{r['name']}/{r['version']}" for r in store.rows("reference_documents")}
    positions = {(r["consumer"], r["topic"], r["stream"]): r["sequence"] for r in store.rows("positions")}
    return [
        {"topic": row["topic"], "stream": row["stream"]}
        for row in store.rows("held")
        if row["consumer"] == consumer
        and row["reason"] is None
        and row["sequence"] == positions.get((consumer, row["topic"], row["stream"]), 0) + 1
        and (row["waits_for"] is None or row["waits_for"] in documents)
    ]


def _in_a_circle(transaction: Transaction) -> bool:
    seen = transaction.waits_for
    while seen is not None and not seen.ended:
        if seen is transaction:
            return True
        seen = seen.waits_for
    return False


def _lost() -> DBAPIError:
    error = _error(_GONE)
    error.connection_invalidated = True
    return error


def _error(code: str) -> DBAPIError:
    original = Exception(f"said the store: {code}")
    original.sqlstate = code  # type: ignore[attr-defined]
    return DBAPIError("a statement", None, original)
