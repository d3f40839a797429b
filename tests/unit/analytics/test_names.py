"""Names come from the reference documents in force; what none of them names goes by its code."""

from services.analytics.domain.names import Name, named, names_in
from shared.contracts.library import ReferenceLibrary
from shared.contracts.reference import Area, Catalogue, Category, Places, Source, Unit, Units

UNIT = Unit(code="housing", name_zh="住建", name_en="Housing", kind="department", posts=("department",))
LIBRARY = (
    ReferenceLibrary()
    .with_document("units", "jiaohe", 1, Units(units=(), sources=()))
    .with_document(
        "units",
        "jiaohe",
        2,
        Units(units=(UNIT,), sources=(Source(code="portal", name_zh="门户", name_en="Portal", trusted=False),)),
    )
    .with_document(
        "places",
        "jiaohe",
        1,
        Places(
            city="jiaohe", name="蛟河市", outline=(), areas=(Area(code="220281001", name="民主街道", kind="street"),)
        ),
    )
    .with_document(
        "catalogue",
        "boston311",
        1,
        Catalogue(
            system="boston311",
            title_zh="",
            title_en="",
            categories=(
                Category(
                    code="1",
                    name_zh="坑洼",
                    name_en="Pothole",
                    component=False,
                    local=False,
                    safety=False,
                    conditions=(),
                    legal_basis="",
                    source="",
                ),
            ),
            power_list=(),
        ),
    )
)


def test_names_are_those_of_the_documents_in_force() -> None:
    names = names_in(LIBRARY, "jiaohe")
    assert named(names.units, "housing") == Name(zh="住建", en="Housing")
    assert named(names.sources, "portal") == Name(zh="门户", en="Portal")
    assert named(names.areas, "220281001") == Name(zh="民主街道", en="民主街道")
    assert named(names.categories, "boston311:1") == Name(zh="坑洼", en="Pothole")


def test_a_code_that_nothing_names_is_its_own_name() -> None:
    assert named(names_in(ReferenceLibrary(), "jiaohe").units, "housing") == Name(zh="housing", en="housing")
