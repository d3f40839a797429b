"""The case number: what it is made of, on which event it is, and what somebody may type to find it."""

from datetime import date

import pytest

from services.dispatch.domain.decide import decide
from services.dispatch.domain.numbering import case_number
from services.dispatch.domain.searching import Meaning, meaning_of
from shared.contracts.decisions import Context, Serial
from shared.contracts.dispatch import CaseOpened
from shared.contracts.library import ReferenceLibrary
from shared.contracts.reference import Area, Places
from tests.support.cases import CASE_ID, CITY, NOON, STREET, SYSTEM, library, open_case

SERIAL = Serial(day=date(2026, 11, 23), number=123)


def places(*codes: str) -> Places:
    areas = tuple(Area(code=code, name=code, kind="street") for code in codes)
    return Places(city=CITY, name="蛟河市", outline=(), areas=areas)


def context(known: ReferenceLibrary, serial: Serial | None = SERIAL) -> Context:
    return Context(stream=CASE_ID, now=NOON, at=NOON, actor=SYSTEM, library=known, serial=serial)


def test_the_number_is_division_day_and_serial() -> None:
    known = library().with_document("places", CITY, 1, places(STREET, "220281002", "220281001001"))
    assert case_number(CITY, context(known)) == "220281-JE-20261123-000123"


@pytest.mark.parametrize("codes", [(), ("220281001", "220282001"), ("22028",), ("Allston",)])
def test_a_city_without_a_code_has_its_name_before_the_number(codes: tuple[str, ...]) -> None:
    known = library().with_document("places", CITY, 1, places(*codes))
    assert case_number(CITY, context(known)) == "JIAOHE-JE-20261123-000123"
    assert case_number(CITY, context(library())) == "JIAOHE-JE-20261123-000123"


def test_a_serial_of_more_than_six_digits_is_written_whole() -> None:
    serial = Serial(day=date(2026, 11, 23), number=1_234_567)
    assert case_number(CITY, context(library(), serial)) == "JIAOHE-JE-20261123-1234567"


def test_the_event_that_opens_a_case_has_its_number() -> None:
    opened, *_ = decide(CITY, None, open_case(), context(library()))  # type: ignore[misc]
    assert isinstance(opened, CaseOpened)
    assert opened.number == "JIAOHE-JE-20261123-000123"


def test_without_a_serial_a_case_has_no_number() -> None:
    assert case_number(CITY, context(library(), serial=None)) is None


@pytest.mark.parametrize("typed", ["220281-JE-20261123-000123", " 220281-je-20261123-000123 "])
def test_a_number_that_somebody_types_means_its_case(typed: str) -> None:
    assert meaning_of(typed, library(), CITY) == Meaning(number="220281-JE-20261123-000123")


@pytest.mark.parametrize("typed", ["20261123-000123", "220281-JE-2026-000123", "220281-JE-20261123-000123 x"])
def test_what_is_no_whole_number_means_no_case_by_its_number(typed: str) -> None:
    assert meaning_of(typed, library(), CITY).number is None
