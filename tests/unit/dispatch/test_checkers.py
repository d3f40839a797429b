"""Who checks is chosen by a rule: the nearest unit with collectors, else one in turn, never one that handles."""

from uuid import UUID

from services.dispatch.domain.checkers import candidates, choose
from shared.contracts.reference import Units
from tests.support.cases import OTHER_STREET, STREET, unit

CENTRE = unit("centre", "supervision_centre", ("collector", "duty_leader"))
NEAR = unit("near", "street", ("department", "street", "collector"), STREET)
FAR = unit("far", "street", ("department", "street", "collector"), OTHER_STREET)
CITY = Units(units=(NEAR, CENTRE, unit("fire"), FAR), sources=())


def chosen(number: int, street: str | None = STREET, *handling: str) -> tuple[str, str]:
    found = choose(CITY, frozenset(handling), UUID(int=number), street)
    assert found is not None
    return found.unit, found.rule


def test_the_unit_of_the_street_checks_whatever_the_case() -> None:
    assert {chosen(number) for number in range(5)} == {("near", "nearest")}


def test_where_no_unit_is_near_all_others_take_turns_by_the_case() -> None:
    assert [chosen(number, None) for number in range(4)] == [
        ("centre", "rotating"),
        ("far", "rotating"),
        ("near", "rotating"),
        ("centre", "rotating"),
    ]


def test_a_unit_that_handles_the_case_never_checks_it() -> None:
    assert [chosen(number, STREET, "near") for number in range(2)] == [("centre", "rotating"), ("far", "rotating")]
    assert candidates(CITY, frozenset({"near", "far"})) == ("centre",)


def test_the_order_of_the_units_in_the_document_changes_nothing() -> None:
    turned = Units(units=tuple(reversed(CITY.units)), sources=())
    assert choose(turned, frozenset(), UUID(int=1), None) == choose(CITY, frozenset(), UUID(int=1), None)


def test_nobody_is_chosen_where_everybody_with_collectors_handles() -> None:
    assert choose(CITY, frozenset({"near", "far", "centre"}), UUID(int=0), STREET) is None
