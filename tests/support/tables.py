"""Tables that tests write by hand: the first line names the columns, the first word of each other line its row."""


def cells(table: str) -> list[tuple[str, str, str]]:
    """Return (row, column, cell) of every cell."""
    heads, *rows = [line.split() for line in table.strip().splitlines()]
    return [(row[0], head, cell) for row in rows for head, cell in zip(heads, row[1:], strict=True)]
