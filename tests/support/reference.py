"""Small reference documents, and what it takes to publish one."""

from datetime import UTC, datetime
from typing import Final

import msgspec

from services.dispatch.domain.reference import PublishReference, ReferenceState, decide
from shared.contracts.common import Actor, Post
from shared.contracts.decisions import Context
from shared.contracts.library import ReferenceLibrary
from shared.contracts.reference import (
    Area,
    Catalogue,
    Category,
    Document,
    FilingCondition,
    Kind,
    Limit,
    Places,
    PowerRule,
    ReferencePublished,
    Source,
    Unit,
    Units,
    reference_stream,
)
from shared.kernel.errors import FieldError, Refusal

CITY: Final = "springfield"
NOON: Final = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

A_CONDITION: Final = FilingCondition(
    code="01",
    name_zh="堵塞",
    name_en="blocked",
    limit=Limit(amount=2, unit="urgent_hour"),
    statutory=True,
    closing_condition_zh="畅通",
    closing_condition_en="clear",
)
A_CATEGORY: Final = Category(
    code="E1",
    name_zh="通道堵塞",
    name_en="blocked lane",
    component=False,
    local=False,
    safety=True,
    conditions=(A_CONDITION,),
    legal_basis="",
    source="invented",
)
A_RULE: Final = PowerRule(rule="R1", category="E1", lead="fire", support=("@street",), legal_basis="")
A_CATALOGUE: Final = Catalogue(
    system="springfield", title_zh="目录", title_en="catalogue", categories=(A_CATEGORY,), power_list=(A_RULE,)
)
SOME_UNITS: Final = Units(
    units=(
        Unit(code="fire", name_zh="消防", name_en="fire", kind="department", posts=("department",)),
        Unit(code="police", name_zh="公安", name_en="police", kind="department", posts=("department",)),
        Unit(code="centre", name_zh="中心", name_en="centre", kind="command_centre", posts=("dispatcher",)),
        Unit(
            code="street-100000001",
            name_zh="街道",
            name_en="street",
            kind="street",
            posts=("department", "street"),
            street="100000001",
        ),
    ),
    sources=(Source(code="fire", name_zh="消防", name_en="fire", trusted=True),),
)
SOME_PLACES: Final = Places(
    city=CITY,
    name="春田",
    outline=((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0), (0.0, 0.0)),
    areas=(
        Area(code="100000001", name="一街道", kind="street"),
        Area(code="100000001001", name="一社区", kind="community", parent="100000001"),
    ),
)
A_LIBRARY: Final = (
    ReferenceLibrary().with_document("units", CITY, 1, SOME_UNITS).with_document("places", CITY, 1, SOME_PLACES)
)


def publish(
    document: Document | bytes,
    *,
    kind: Kind = "catalogue",
    state: ReferenceState | None = None,
    expected_version: int | None = None,
    post: Post = "administrator",
) -> list[ReferencePublished] | Refusal:
    """Decide on the publication of a document under the city's name."""
    raw = document if isinstance(document, bytes) else msgspec.json.encode(document)
    command = PublishReference(kind=kind, name=CITY, document=raw, expected_version=expected_version)
    context = Context(
        stream=reference_stream(kind, CITY),
        now=NOON,
        at=NOON,
        actor=Actor(client="console", unit="joint-administration", post=post),
        library=A_LIBRARY,
    )
    return decide(CITY, state, command, context)


def errors_of(document: Document, kind: Kind = "catalogue") -> list[tuple[str, str]]:
    """Return field and code of everything that is wrong with the document; it must be refused as invalid."""
    outcome = publish(document, kind=kind)
    assert isinstance(outcome, Refusal)
    assert outcome.code == "invalid"
    return [_named(error) for error in outcome.errors]


def _named(error: FieldError) -> tuple[str, str]:
    return error.field, error.code
