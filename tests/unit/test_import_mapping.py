"""A row of a foreign table becomes a report, or a list of everything that cannot be read in it."""

import csv
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
import shapely

from deploy.importer.mapping import MAPPINGS, MappingProblem, load_mapping, missing_columns, submission_of
from shared.contracts.intake import ReportSubmission
from shared.kernel.errors import FieldError

BOSTON = load_mapping(Path("boston311"))
SAMPLE = MAPPINGS.parent / "samples" / "boston311_2015.csv"
ROW = {
    "CASE_ENQUIRY_ID": "101001242404",
    "OPEN_DT": "01/05/2015 12:40:41 PM",
    "TYPE": "Abandoned Bicycle",
    "CASE_TITLE": "Abandoned Bicycle",
    "SUBJECT": "Mayor's 24 Hour Hotline",
    "Location": "29 Hereford St  Boston  MA  02115",
    "SubmittedPhoto": "",
    "neighborhood": "Back Bay",
    "LATITUDE": "42.3504",
    "LONGITUDE": "-71.0867",
}


def report(**changes: str) -> ReportSubmission:
    found = submission_of(ROW | changes, BOSTON)
    assert isinstance(found, ReportSubmission)
    return found


def errors(**changes: str) -> dict[str, str]:
    found = submission_of(ROW | changes, BOSTON)
    assert isinstance(found, list)
    return {error.field: error.code for error in found}


def sample() -> list[dict[str, str]]:
    with SAMPLE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_a_row_becomes_a_report() -> None:
    found = report()
    assert found.category.system == "boston311"
    assert found.category.code == "abandoned-bicycle"
    assert found.description == "Abandoned Bicycle. Mayor's 24 Hour Hotline"
    assert found.place.address == "29 Hereford St  Boston  MA  02115"
    assert (found.place.street, found.place.community) == ("220281001", "220281001002")
    assert found.photos == ()


def test_local_time_is_read_in_the_zone_of_the_table() -> None:
    assert report().observed_at == datetime(2015, 1, 5, 17, 40, 41, tzinfo=UTC)
    assert report(OPEN_DT="07/05/2015 12:40:41 PM").observed_at == datetime(2015, 7, 5, 16, 40, 41, tzinfo=UTC)


def test_an_hour_that_the_clocks_repeat_is_the_first_one() -> None:
    assert report(OPEN_DT="11/01/2015 01:30:00 AM").observed_at == datetime(2015, 11, 1, 5, 30, tzinfo=UTC)


def test_a_position_is_moved_by_metres() -> None:
    moved = report(LONGITUDE="-71.08", LATITUDE="42.33")
    assert moved.place.longitude == pytest.approx(127.344)
    assert moved.place.latitude == pytest.approx(43.734)
    assert report(LONGITUDE="-71.07", LATITUDE="42.32").place.longitude == pytest.approx(127.35423, abs=1e-5)


def test_a_blank_neighbourhood_gives_no_community() -> None:
    found = report(neighborhood="  ")
    assert (found.place.street, found.place.community) == (None, None)


def test_blanks_around_a_cell_do_not_count() -> None:
    assert report(TYPE="Abandoned Bicycle ", OPEN_DT=" 01/05/2015 12:40:41 PM").category.code == "abandoned-bicycle"


def test_every_error_of_a_row_is_named_at_once() -> None:
    assert errors(
        OPEN_DT="2015-01-05", TYPE="Lost Cat", LONGITUDE="", LATITUDE="north", CASE_TITLE="", SUBJECT=" "
    ) == {
        "OPEN_DT": "not_a_time",
        "TYPE": "unmapped_category",
        "LONGITUDE": "not_a_number",
        "LATITUDE": "not_a_number",
        "CASE_TITLE, SUBJECT": "required",
    }


def test_a_missing_time_is_named() -> None:
    assert errors(OPEN_DT="") == {"OPEN_DT": "required"}


def test_a_position_that_means_unknown_is_refused() -> None:
    assert errors(LONGITUDE="-71.0587", LATITUDE="42.3594") == {"LONGITUDE": "position_unknown"}


def test_infinite_degrees_are_no_number() -> None:
    assert errors(LONGITUDE="inf") == {"LONGITUDE": "not_a_number"}


def test_columns_that_the_table_lacks_are_named() -> None:
    assert missing_columns(BOSTON, [name for name in ROW if name not in {"TYPE", "neighborhood"}]) == [
        "TYPE",
        "neighborhood",
    ]


def test_the_whole_sample_is_read_but_for_unknown_positions() -> None:
    found = [submission_of(row, BOSTON) for row in sample()]
    refused = [error for outcome in found if isinstance(outcome, list) for error in outcome]
    assert Counter(error.code for error in refused) == {"position_unknown": 63}
    assert len(found) == 519
    assert not any(isinstance(error, str) for error in refused)
    assert all(isinstance(error, FieldError) for error in refused)


def test_the_moved_sample_stays_near_its_target() -> None:
    circle = shapely.Point(BOSTON.place.target).buffer(0.2)
    reports = [found for row in sample() if isinstance(found := submission_of(row, BOSTON), ReportSubmission)]
    assert all(circle.contains(shapely.Point(found.place.longitude, found.place.latitude)) for found in reports)


@pytest.mark.parametrize(
    "old, new, said",
    [
        ('zone = "America/New_York"', 'zone = "Boston"', "no zone Boston"),
        ('id = "CASE_ENQUIRY_ID"', 'key = "CASE_ENQUIRY_ID"', "key"),
        ("[time]", "[time", "TOML|Expected|expected|Invalid|after"),
    ],
)
def test_a_mapping_that_cannot_be_used_is_refused_by_name(tmp_path: Path, old: str, new: str, said: str) -> None:
    file = tmp_path / "mapping.toml"
    file.write_text((MAPPINGS / "boston311.toml").read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(MappingProblem, match=said):
        load_mapping(file)


def test_a_missing_mapping_names_those_that_exist() -> None:
    with pytest.raises(MappingProblem, match="boston311"):
        load_mapping(Path("nowhere"))
