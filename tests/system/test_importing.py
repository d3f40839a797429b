"""Real complaint data go in by the public door: taken, refused with every reason, and never twice."""

import csv
import io
from pathlib import Path

import pytest

from deploy.campaign.stage import Stage
from deploy.importer.mapping import MAPPINGS
from tests.support.command import Done, joint_aside
from tests.support.parties import reaches

SAMPLE = MAPPINGS.parent / "samples" / "boston311_2015.csv"
UNKNOWN_POSITIONS = 63

pytestmark = pytest.mark.timeout(180)


async def import_(file: Path, source: str = "boston311", mapping: str = "boston311") -> Done:
    return await joint_aside("import", str(file), "--source", source, "--mapping", mapping)


def summary(done: Done) -> str:
    return next(line for line in done.out.splitlines() if " rows: " in line)


async def imported(stage: Stage) -> int:
    async with stage.reader() as door:
        reply = await door.get("analytics", "/v1/indicators/closure", source="boston311")
    return int(reply.document["total"]["denominator"])


async def test_the_sample_is_loaded_once_however_often_it_is_imported(stage: Stage, tmp_path: Path) -> None:
    file = tmp_path / "sample.csv"
    file.write_bytes(SAMPLE.read_bytes())
    with file.open(encoding="utf-8", newline="") as table:
        rows = len(list(csv.DictReader(table)))
    first = await import_(file)
    assert first.code == 0, first.err
    accepted = rows - UNKNOWN_POSITIONS
    assert f"{rows} rows: {accepted} accepted, {UNKNOWN_POSITIONS} refused" in first.out
    assert summary(await import_(file)) == summary(first)
    await reaches(lambda: imported(stage), accepted)


async def test_refused_rows_are_written_as_they_were_with_every_reason(stage: Stage, tmp_path: Path) -> None:
    with SAMPLE.open(encoding="utf-8", newline="") as table:
        reader = csv.DictReader(table)
        header, row = list(reader.fieldnames or ()), next(reader)
    broken = row | {"CASE_ENQUIRY_ID": "broken-1", "OPEN_DT": "yesterday", "TYPE": 'Lost "cat", grey'}
    outside = row | {"CASE_ENQUIRY_ID": "broken-2", "LATITUDE": "12.5"}
    nameless = row | {"CASE_ENQUIRY_ID": " "}
    file = tmp_path / "broken.csv"
    written = io.StringIO()
    writer = csv.DictWriter(written, header)
    writer.writeheader()
    writer.writerows([broken, outside, nameless])
    file.write_text(written.getvalue(), encoding="utf-8")
    done = await import_(file)
    assert done.code == 0, done.err
    with (tmp_path / "broken.csv.refused.csv").open(encoding="utf-8", newline="") as table:
        refused = list(csv.DictReader(table))
    assert [{name: found[name] for name in header} for found in refused] == [broken, outside, nameless]
    assert "not_a_time" in refused[0]["reasons"]
    assert "unmapped_category" in refused[0]["reasons"]
    assert "outside_city" in refused[1]["reasons"]
    assert "has no id" in refused[2]["reasons"]


async def test_a_source_that_does_not_exist_is_refused_row_by_row(stage: Stage, tmp_path: Path) -> None:
    file = tmp_path / "sample.csv"
    file.write_text("".join(SAMPLE.read_text(encoding="utf-8").splitlines(keepends=True)[:2]), encoding="utf-8")
    done = await import_(file, source="nobody")
    assert "1 rows: 0 accepted, 1 refused" in done.out


@pytest.mark.parametrize(
    "file, mapping, said", [("none.csv", "boston311", "cannot be read"), ("none.csv", "nowhere", "no such mapping")]
)
async def test_files_that_cannot_be_used_are_refused_by_name(
    stage: Stage, tmp_path: Path, file: str, mapping: str, said: str
) -> None:
    done = await import_(tmp_path / file, mapping=mapping)
    assert done.code == 2
    assert said in done.err
