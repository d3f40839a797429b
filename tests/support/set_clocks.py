"""Cases whose handling clock a test sets: as if their deadline had come out so, without an event."""

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import msgspec
import sqlalchemy as sa

from services.dispatch.app import Dispatch
from services.dispatch.domain.case import CaseState
from services.dispatch.domain.columns import columns
from services.dispatch.queries import find_case
from services.dispatch.tables import cases


async def database_now(dispatch: Dispatch) -> datetime:
    """The database's clock, by which colours are told."""
    async with dispatch.engine.connect() as connection:
        now: datetime = (await connection.execute(sa.select(sa.func.now()))).scalar_one()
        return now


async def set_deadline(
    dispatch: Dispatch, case_id: UUID, due_at: datetime, yellow_from: datetime | None = None
) -> None:
    """Let all legs of the case be due at this instant; it is yellow for two hours before unless the test says so."""

    def changed(case: CaseState) -> CaseState:
        assert case.handle_clock is not None
        yellow = yellow_from or due_at - timedelta(hours=2)
        clock = msgspec.structs.replace(case.handle_clock, due_at=due_at, warn_at=(yellow, yellow))
        return msgspec.structs.replace(case, handle_clock=clock)

    await _change(dispatch, case_id, changed)


async def set_leg_deadline(dispatch: Dispatch, case_id: UUID, leg: int, due_at: datetime) -> None:
    """Let one leg have a deadline of its own."""

    def changed(case: CaseState) -> CaseState:
        assert case.handle_clock is not None
        yellow = due_at - timedelta(hours=2)
        own = msgspec.structs.replace(case.handle_clock, due_at=due_at, warn_at=(yellow, yellow))
        legs = (msgspec.structs.replace(one, handle_clock=own) if one.leg == leg else one for one in case.legs)
        return msgspec.structs.replace(case, legs=tuple(legs))

    await _change(dispatch, case_id, changed)


async def _change(dispatch: Dispatch, case_id: UUID, change: Callable[[CaseState], CaseState]) -> None:
    async with dispatch.engine.begin() as connection:
        known = await find_case(connection, case_id)
        assert known is not None
        case = change(known.case)
        values = {**columns(case), "state": msgspec.json.encode(case)}
        values = {name: _plain(value) for name, value in values.items()}
        await connection.execute(sa.update(cases).where(cases.c.stream == case_id).values(values))


def _plain(value: object) -> object:
    """JSON columns are written by SQLAlchemy, which knows no instants in them."""
    return msgspec.to_builtins(value) if isinstance(value, list) else value
