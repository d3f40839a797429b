"""Reads the product's SQL into plans that the store executes: the few shapes that the ledger writes, and no others.

A statement of another shape raises `UnknownStatementError`, so that the model never drifts from the product in
silence: teach the model the new shape.
"""

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Final, Literal

import msgspec

Row = dict[str, Any]
Condition = Callable[[Row, Sequence[Any], Row], bool]
"""Does this row match, given the parameters and the row of `unnest` that is looked at?"""
Value = Callable[[Sequence[Any], Row, Any], Any]
"""A value from the parameters, the row of `unnest`, and the database's clock."""


class UnknownStatementError(BaseException):
    """The product has a statement that the model cannot execute; nothing of the product may take it for its own."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a statement does. `special` names one that is executed by hand; `columns` are read or written."""

    verb: Literal["select", "insert", "update", "delete", "lots", "serials", "special"]
    text: str
    table: str = ""
    special: str = ""
    columns: tuple[str, ...] = ()
    values: tuple[Value, ...] = ()
    unnest: tuple[tuple[str, int], ...] = ()
    conditions: tuple[tuple[str, Condition], ...] = ()
    order: tuple[str, ...] = ()
    limit: Callable[[Sequence[Any]], int] | None = None
    for_update: bool = False
    do_nothing: bool = False
    returning: tuple[str, ...] = ()


_SPECIAL: Final = (
    ("now", r"^SELECT clock_timestamp\(\)$"),
    ("one", r"^SELECT 1$"),
    ("next", r"^SELECT nextval\('serials'\)$"),
    ("age", r"^SELECT extract\(epoch FROM clock_timestamp\(\) - written_at\).* FROM outbox ORDER BY id LIMIT 1$"),
    ("lock", r"^SELECT pg_try_advisory_lock\(\$1, hashtext\(\$2\)\)$"),
    ("unlock", r"^SELECT pg_advisory_unlock\(\$1, hashtext\(\$2\)\)$"),
    ("ready", r"^SELECT h\.topic, h\.stream FROM held h LEFT JOIN positions p .* ORDER BY h\.id LIMIT 1000$"),
)
_LOTS: Final = (
    r"^SELECT id, topic, packed FROM outbox WHERE id = ANY\(ARRAY\( SELECT id FROM \( SELECT id, "
    r"sum\(messages\) OVER \(ORDER BY id\) - messages AS before FROM \(SELECT id, messages FROM outbox "
    r"WHERE topic <> ALL\(\$2::text\[\]\) ORDER BY id LIMIT \$3\) AS first \) AS counted WHERE before < \$1 \)\) "
    r"ORDER BY id FOR UPDATE$"
)
_SERIALS: Final = (
    r"^SELECT nextval\('serials'\) - d\.last_before AS number FROM serial_days d "
    r"CROSS JOIN generate_series\(1, \$2::int\) WHERE d\.day = \$1$"
)
_SELECT: Final = re.compile(
    r"^SELECT (?P<columns>[\w, ]+) FROM (?P<table>\w+)(?: WHERE (?P<where>.+?))?(?: ORDER BY (?P<order>[\w, ]+?))?"
    r"(?: LIMIT (?P<limit>\$?\d+))?(?P<lock> FOR UPDATE)?$"
)
_INSERT: Final = re.compile(
    r"^INSERT INTO (?P<table>\w+) \((?P<columns>[\w, ]+)\) "
    r"(?:VALUES \((?P<values>.+)\)|SELECT (?P<list>[^()]+) FROM unnest\((?P<arrays>.+?)\))"
    r"(?P<nothing> ON CONFLICT .*DO NOTHING)?(?: RETURNING (?P<returning>[\w, ]+))?$"
)
_UPDATE: Final = re.compile(
    r"^UPDATE (?P<table>\w+)(?: \w)? SET (?P<sets>.+?)"
    r"(?: FROM unnest\((?P<arrays>.+?)\) AS u\((?P<names>.+?)\))? WHERE (?P<where>.+)$"
)
_DELETE: Final = re.compile(
    r"^DELETE FROM (?P<table>\w+)(?: \w)?(?: USING unnest\((?P<arrays>.+?)\) AS u\((?P<names>.+?)\))?"
    r" WHERE (?P<where>.+)$"
)
_CONDITION: Final = re.compile(
    r"^(?:\w\.)?(?P<column>\w+) (?:"
    r"(?P<compare>=|<) \$(?P<param>\d+)(?:::\w+)?|= ANY\(\$(?P<any>\d+)(?:::[\w\[\]]+)?\)|"
    r"<> ALL\(\$(?P<none>\d+)(?:::[\w\[\]]+)?\)|IS (?P<null>NULL)|IS NOT (?P<filled>NULL)|= u\.(?P<joined>\w+))$"
)


@cache
def plan_of(sql: str) -> Plan:
    """Return the plan of a statement.

    Raises:
        UnknownStatementError: when it has a shape that the model does not know.
    """
    text = " ".join(sql.split())
    for name, pattern in _SPECIAL:
        if re.match(pattern, text):
            return Plan(verb="special", text=text, special=name)
    if re.match(_LOTS, text):
        return Plan(verb="lots", text=text, table="outbox", columns=("id", "topic", "packed"), for_update=True)
    if re.match(_SERIALS, text):
        return Plan(verb="serials", text=text, table="serial_days", conditions=(_condition("day = $1"),))
    for shape, read in ((_SELECT, _select), (_INSERT, _insert), (_UPDATE, _update), (_DELETE, _delete)):
        found = shape.match(text)
        if found:
            return read(text, found.groupdict())
    raise UnknownStatementError(text)


def _select(text: str, parts: dict[str, Any]) -> Plan:
    return Plan(
        verb="select",
        text=text,
        table=parts["table"],
        columns=_names(parts["columns"]),
        conditions=_conditions(parts["where"]),
        order=_names(parts["order"]) if parts["order"] else (),
        limit=_limit(parts["limit"]),
        for_update=parts["lock"] is not None,
    )


def _insert(text: str, parts: dict[str, Any]) -> Plan:
    unnest: tuple[tuple[str, int], ...] = ()
    if parts["values"] is not None:
        values = [_value(item) for item in parts["values"].split(", ")]
    else:
        unnest = tuple((str(index), index) for index in _arrays(parts["arrays"]))
        values = []
        for item in parts["list"].split(", "):
            values += [_joined(name) for name, _ in unnest] if item == "*" else [_value(item)]
    return Plan(
        verb="insert",
        text=text,
        table=parts["table"],
        columns=_names(parts["columns"]),
        values=tuple(values),
        unnest=unnest,
        do_nothing=parts["nothing"] is not None,
        returning=_names(parts["returning"]) if parts["returning"] else (),
    )


def _update(text: str, parts: dict[str, Any]) -> Plan:
    sets = [item.split(" = ") for item in parts["sets"].split(", ")]
    return Plan(
        verb="update",
        text=text,
        table=parts["table"],
        columns=tuple(name for name, _ in sets),
        values=tuple(_value(value) for _, value in sets),
        unnest=_unnest(parts),
        conditions=_conditions(parts["where"]),
    )


def _delete(text: str, parts: dict[str, Any]) -> Plan:
    return Plan(
        verb="delete",
        text=text,
        table=parts["table"],
        unnest=_unnest(parts),
        conditions=_conditions(parts["where"]),
    )


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(","))


def _arrays(text: str) -> list[int]:
    return [int(number) - 1 for number in re.findall(r"\$(\d+)", text)]


def _unnest(parts: dict[str, Any]) -> tuple[tuple[str, int], ...]:
    if parts["arrays"] is None:
        return ()
    return tuple(zip(_names(parts["names"]), _arrays(parts["arrays"]), strict=True))


def _joined(name: str) -> Value:
    return lambda _params, joined, _now: joined[name]


def _value(text: str) -> Value:
    if text == "NULL":
        return lambda _params, _joined, _now: None
    if text == "clock_timestamp()":
        return lambda _params, _joined, now: now
    if text.startswith("u."):
        return _joined(text[2:])
    if re.fullmatch(r"\$\d+", text):
        index = int(text[1:]) - 1
        return lambda params, _joined, _now: params[index]
    raise UnknownStatementError(f"the value {text}")


def _limit(text: str | None) -> Callable[[Sequence[Any]], int] | None:
    if text is None:
        return None
    if text.startswith("$"):
        index = int(text[1:]) - 1
        return lambda params: int(params[index])
    number = int(text)
    return lambda _params: number


def _conditions(text: str | None) -> tuple[tuple[str, Condition], ...]:
    return tuple(_condition(part) for part in text.split(" AND ")) if text else ()


def _condition(text: str) -> tuple[str, Condition]:
    found = _CONDITION.match(text)
    if found is None:
        raise UnknownStatementError(f"the condition {text}")
    parts = found.groupdict()
    column = str(parts["column"])
    if parts["param"]:
        index = int(parts["param"]) - 1
        if parts["compare"] == "=":
            return column, lambda row, params, _joined: bool(row[column] == params[index])
        return column, lambda row, params, _joined: bool(row[column] < params[index])
    if parts["any"]:
        index = int(parts["any"]) - 1
        return column, lambda row, params, _joined: row[column] in params[index]
    if parts["none"]:
        index = int(parts["none"]) - 1
        return column, lambda row, params, _joined: row[column] not in params[index]
    if parts["null"]:
        return column, lambda row, _params, _joined: row[column] is None
    if parts["filled"]:
        return column, lambda row, _params, _joined: row[column] is not None
    name = str(parts["joined"])
    return column, lambda row, _params, joined: bool(row[column] == joined[name])
