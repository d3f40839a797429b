"""The live read model beside a rebuilt one: stream by stream where both stand at the same position (I-9)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, get_args

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from services.analytics import queries, tables

REBUILT: Final = "pg_temp"
"""The schema in which a session finds its temporary tables."""
SHOWN: Final = 20
"""How many differing rows of a table are told one by one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A row that is not the same: its key, and the columns that differ as (live, rebuilt); None is a missing row."""

    table: str
    key: str
    columns: Mapping[str, tuple[object, object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What was compared, and what was found.

    `streams` stand at the same position on both sides, `streams_behind` do not and were left out. `cases` and `legs`
    are rows of those streams; their marks are compared with them. `figures` is how many figures were compared: the
    totals, every group's, every unit's. `differing_rows` counts all, of which `differences` tells some.
    """

    streams: int
    streams_behind: int
    held_live: int
    held_rebuilt: int
    cases: int
    legs: int
    figures: int
    differing_figures: int
    differing_rows: int
    differences: tuple[Difference, ...]
    live: queries.Figures
    rebuilt: queries.Figures

    @property
    def equal(self) -> bool:
        """Whether everything was compared and nothing differs."""
        return not (self.streams_behind or self.differing_figures or self.differing_rows)


async def compare(connection: AsyncConnection, live: str) -> Comparison:
    """Compare the tables of schema `live` with the temporary ones of this connection's session.

    The connection must see one snapshot (`queries.snapshot`).
    """
    streams, behind = await _positions(connection, live)
    cases, differing_cases, case_differences = await _rows(connection, tables.case_facts, live)
    legs, differing_legs, leg_differences = await _rows(connection, tables.leg_facts, live)
    _, differing_marks, mark_differences = await _rows(connection, tables.case_marks, live)
    live_total, found = await _figures(connection, live)
    rebuilt_total, made = await _figures(connection, REBUILT)
    names = found.keys() | made.keys()
    return Comparison(
        streams=streams,
        streams_behind=behind,
        held_live=await _held(connection, live),
        held_rebuilt=await _held(connection, REBUILT),
        cases=cases,
        legs=legs,
        figures=1 + len(names),
        differing_figures=(live_total != rebuilt_total) + sum(found.get(name) != made.get(name) for name in names),
        differing_rows=differing_cases + differing_legs + differing_marks,
        differences=(*case_differences, *leg_differences, *mark_differences),
        live=live_total,
        rebuilt=rebuilt_total,
    )


def _beside(table: sa.Table, live: str) -> tuple[sa.Table, sa.Table]:
    return table.to_metadata(sa.MetaData(), schema=live), table.to_metadata(sa.MetaData(), schema=REBUILT)


def _unequal_positions(live: str) -> sa.Subquery:
    """Select the streams that do not stand at the same position on both sides, with the topic."""
    found, made = _beside(tables.ledger.positions, live)
    found_ours = sa.select(found).where(found.c.consumer == tables.EVENTS).subquery()
    made_ours = sa.select(made).where(made.c.consumer == tables.EVENTS).subquery()
    same_place = (found_ours.c.topic == made_ours.c.topic) & (found_ours.c.stream == made_ours.c.stream)
    return (
        sa.select(
            sa.func.coalesce(found_ours.c.stream, made_ours.c.stream).label("stream"),
            found_ours.c.sequence.is_distinct_from(made_ours.c.sequence).label("unequal"),
        )
        .select_from(found_ours.outerjoin(made_ours, same_place, full=True))
        .subquery()
    )


async def _positions(connection: AsyncConnection, live: str) -> tuple[int, int]:
    places = _unequal_positions(live)
    by_stream = sa.select(sa.func.bool_or(places.c.unequal).label("unequal")).group_by(places.c.stream).subquery()
    row = (
        await connection.execute(
            sa.select(
                sa.func.count().filter(~by_stream.c.unequal).label("equal"),
                sa.func.count().filter(by_stream.c.unequal).label("unequal"),
            ).select_from(by_stream)
        )
    ).one()
    return row.equal, row.unequal


async def _rows(connection: AsyncConnection, table: sa.Table, live: str) -> tuple[int, int, list[Difference]]:
    """Return how many rows of streams at equal positions were compared, how many differ, and the first of these."""
    found, made = _beside(table, live)
    keys = [column.name for column in table.primary_key]
    same_key = sa.and_(*(found.c[key] == made.c[key] for key in keys))
    stream = sa.func.coalesce(found.c.stream, made.c.stream)
    unequal = _unequal_positions(live)
    left_out = sa.exists().where(unequal.c.unequal, unequal.c.stream == stream)
    both = found.outerjoin(made, same_key, full=True)
    differs = sa.or_(*(found.c[column.name].is_distinct_from(made.c[column.name]) for column in table.c))
    counts = await connection.execute(
        sa.select(sa.func.count().label("compared"), sa.func.count().filter(differs).label("differing"))
        .select_from(both)
        .where(~left_out)
    )
    compared, differing = counts.one()
    first = sa.select(*found.c, *made.c).select_from(both).where(~left_out, differs).order_by(stream).limit(SHOWN)
    rows = await connection.execute(first) if differing else ()
    return compared, differing, [_difference(table, keys, tuple(row)) for row in rows]


def _difference(table: sa.Table, keys: Sequence[str], row: Sequence[object]) -> Difference:
    names = [column.name for column in table.c]
    pairs = dict(zip(names, zip(row[: len(names)], row[len(names) :], strict=True), strict=True))
    return Difference(
        table=table.name,
        key=":".join(str(next(value for value in pairs[key] if value is not None)) for key in keys),
        columns={name: pair for name, pair in pairs.items() if pair[0] != pair[1]},
    )


async def _held(connection: AsyncConnection, schema: str) -> int:
    progress = await queries.progress(await _in(connection, schema))
    return progress.held_streams


async def _figures(
    connection: AsyncConnection, schema: str
) -> tuple[queries.Figures, dict[tuple[str, str | None], queries.Figures | queries.LegFigures]]:
    """Return the total, and every other figure that the API can give without filters."""
    await _in(connection, schema)
    everything = queries.Filters()
    found: dict[tuple[str, str | None], queries.Figures | queries.LegFigures] = {}
    for group in get_args(queries.Group):
        for figures in await queries.figures_by(connection, group, everything):
            found[group, figures.key] = figures
    for legs in await queries.leg_figures(connection, everything):
        found["legs", legs.unit] = legs
    return await queries.figures(connection, everything), found


async def _in(connection: AsyncConnection, schema: str) -> AsyncConnection:
    """Let the API's own queries read the tables of this schema."""
    return await connection.execution_options(schema_translate_map={None: schema})
