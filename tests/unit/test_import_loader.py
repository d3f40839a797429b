"""A table is read as it is, and what was refused is written back as it was."""

import asyncio
import csv
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.campaign.door import Door
from deploy.importer.loader import Loaded, RefusedRow, load, open_table, write_refused
from deploy.importer.mapping import MappingProblem, load_mapping

BOSTON = load_mapping(Path("boston311"))
HEADER = "CASE_ENQUIRY_ID,OPEN_DT,TYPE,CASE_TITLE,SUBJECT,Location,SubmittedPhoto,neighborhood,LATITUDE,LONGITUDE"
GOOD = '{id},01/05/2015 12:40:41 PM,Abandoned Bicycle,"A ""red"" bike, broken",Hotline,,,Back Bay,42.35,-71.08'


class Answers(httpx.AsyncBaseTransport):
    """A door that answers by row id: what is in `refused` is 422, the first call of each row is a broken line."""

    def __init__(self, refused: dict[str, Any]) -> None:
        self._refused = refused
        self.calls: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        key = request.headers["Idempotency-Key"]
        self.calls.append(key)
        if self.calls.count(key) == 1:
            raise httpx.ReadError("the line broke")
        if key in self._refused:
            return httpx.Response(422, json={"code": "invalid", "detail": "no", "errors": self._refused[key]})
        return httpx.Response(201, json={"outcome": "accepted"})


def table(tmp_path: Path, *rows: str, bom: str = "") -> Path:
    file = tmp_path / "table.csv"
    file.write_text(bom + "\n".join((HEADER, *rows)) + "\n", encoding="utf-8")
    return file


def loaded(file: Path, answers: Answers) -> Loaded:
    async def run() -> Loaded:
        async with Door({"intake": "http://intake"}, "token", transport=answers) as door:
            return await load(file, BOSTON, door, lambda: None)

    return asyncio.run(run())


def test_rows_are_counted_whatever_is_quoted_in_them(tmp_path: Path) -> None:
    file = table(tmp_path, GOOD.format(id=1), GOOD.format(id=2).replace("broken", "bro\nken"), bom="\ufeff")
    header, count = open_table(file, BOSTON)
    assert header[0] == "CASE_ENQUIRY_ID"
    assert count == 2


def test_a_table_without_the_columns_of_the_mapping_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    file.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(MappingProblem, match="no column CASE_ENQUIRY_ID, OPEN_DT"):
        open_table(file, BOSTON)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    file.write_bytes(b"\xff\xfe\x00a")
    with pytest.raises(MappingProblem, match="UTF-8"):
        open_table(file, BOSTON)


def test_a_row_is_sent_again_under_its_own_id_when_the_line_breaks(tmp_path: Path) -> None:
    answers = Answers({})
    found = loaded(table(tmp_path, GOOD.format(id="a"), GOOD.format(id="b")), answers)
    assert found == Loaded(accepted=2, refused=())
    assert sorted(answers.calls) == ["a", "a", "b", "b"]


def test_refusals_of_the_mapping_and_of_the_door_keep_the_order_of_the_table(tmp_path: Path) -> None:
    door_says = [{"field": "place", "code": "outside_city", "message": "Outside."}]
    rows = (GOOD.format(id="a"), GOOD.format(id="b").replace("42.35", "x"), GOOD.format(id="c"), GOOD.format(id=""))
    found = loaded(table(tmp_path, *rows), Answers({"c": door_says}))
    assert found.accepted == 1
    assert [(row.line, row.reasons) for row in found.refused] == [
        (3, ("LATITUDE: 'x' is not a number of degrees. (not_a_number)",)),
        (4, ("place: Outside. (outside_city)",)),
        (5, ("CASE_ENQUIRY_ID: The row has no id. (required)",)),
    ]


def test_refused_rows_can_be_corrected_and_imported_again(tmp_path: Path) -> None:
    file = table(tmp_path, GOOD.format(id="a"))
    with file.open(encoding="utf-8", newline="") as opened:
        row = next(csv.DictReader(opened))
    again = tmp_path / "again.csv"
    write_refused(again, tuple(row), [RefusedRow(line=2, row=row, reasons=("a: b (c)", "d: e (f)"))])
    header, count = open_table(again, BOSTON)
    assert header == ("line", "reasons", *row)
    assert count == 1
    with again.open(encoding="utf-8", newline="") as opened:
        written = next(csv.DictReader(opened))
    assert written == {"line": "2", "reasons": "a: b (c); d: e (f)"} | row
