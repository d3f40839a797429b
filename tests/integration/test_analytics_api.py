"""The API of analytics on real PostgreSQL: every figure with its parts, and as many rows behind it as it counts."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, get_args
from urllib.parse import quote

import httpx
import pytest
from msgspec import Raw, json
from sqlalchemy.ext.asyncio import AsyncEngine

from services.analytics import queries
from services.analytics.api.application import build
from services.analytics.app import compose_on
from services.analytics.consumers.subscriptions import copying
from shared.contracts.reference import Area, Kind, Places, ReferencePublished, Source, Unit, Units, reference_stream
from shared.contracts.registry import DISPATCH_REFERENCE
from shared.kernel.clock import ManualClock
from shared.observability.health import Health
from shared.web.authentication import TokenVerifier
from tests.integration.test_analytics import VAULT, city, database, disorder, engine, feed
from tests.support.stories import START, SYSTEM, Story, offset_all, stream_records
from tests.support.web import ISSUER, NOON, Keys

__all__ = ["database", "engine"]

UNITS = Units(
    units=tuple(
        Unit(code=code, name_zh=zh, name_en=en, kind="department", posts=("department",))
        for code, zh, en in (("ecology", "生态环境", "Ecology"), ("housing", "住建", "Housing"))
    ),
    sources=(Source(code="urban-management", name_zh="城管", name_en="Urban management", trusted=True),),
)
PLACES = Places(
    city="jiaohe",
    name="蛟河市",
    outline=((127.0, 43.0), (128.0, 43.0), (128.0, 44.0)),
    areas=(Area(code="220281001", name="民主街道", kind="street"),),
)


class Reader:
    """Somebody with a token who reads the API."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def closure(self, **parameters: str) -> dict[str, Any]:
        return await self.read("/v1/indicators/closure", **parameters)

    async def read(self, path: str, **parameters: str) -> dict[str, Any]:
        response = await self.client.get(path, params=httpx.URL(path).params.merge(parameters))
        assert response.status_code == 200, response.text
        document: dict[str, Any] = response.json()
        return document

    async def rows(self, address: str, **parameters: str) -> list[dict[str, Any]]:
        """Read every page, two rows at a time."""
        found: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            page = await self.read(address, limit="2", **parameters, **cursor)
            found += page["items"]
            if page["next"] is None:
                return found
            cursor = {"cursor": page["next"]}


@pytest.fixture
async def reader(engine: AsyncEngine, tmp_path: Path) -> AsyncIterator[Reader]:
    analytics = compose_on(engine, VAULT, "jiaohe")
    documents = copying(engine, VAULT)
    named: tuple[tuple[Kind, Units | Places], ...] = (("units", UNITS), ("places", PLACES))
    for kind, document in named:
        published = ReferencePublished(
            at=START, by=SYSTEM, kind=kind, name="jiaohe", version=1, document=Raw(json.encode(document))
        )
        await documents.consume(stream_records(DISPATCH_REFERENCE, reference_stream(kind, "jiaohe"), [published]))
    keys = Keys(tmp_path)
    app = build(
        analytics.read_model,
        analytics.references,
        city=analytics.city,
        verifier=TokenVerifier(jwks_file=keys.file, issuer=ISSUER, clock=ManualClock(NOON)),
        health=Health(),
    )
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app),  # type: ignore[arg-type]  # Litestar types scopes more exactly
        base_url="http://test",
        headers={"Authorization": f"Bearer {keys.token()}"},
    ) as client:
        yield Reader(client)


async def test_a_figure_says_its_parts_its_rule_its_cut_off_and_what_it_counts(
    engine: AsyncEngine, reader: Reader
) -> None:
    stories = city()
    records = disorder(stories, 4)
    await feed(engine, records)
    answer = await reader.closure()
    total = answer["total"]
    assert (total["numerator"], total["denominator"], total["percentage"]) == (6, 10, "60.00")
    assert (total["open"], total["rejected"]) == (3, 1)
    assert (answer["rule"]["title_zh"], answer["rule"]["version"]) == ("累计办结率", 2)
    events = {record.headers[1][1] for record in records}
    assert sum(topic["events"] for topic in answer["counted"]["topics"]) == len(events)
    assert answer["counted"]["held_streams"] == 0
    latest = max(event.at for story in stories for event in story.reports + story.cases)
    assert answer["cut_off"] == answer["counted"]["latest_event_at"] == latest.isoformat().replace("+00:00", "Z")


async def test_nothing_reported_is_no_hundred_percent(reader: Reader) -> None:
    answer = await reader.closure()
    assert answer["total"]["percentage"] == "—"
    assert answer["cut_off"] is None
    assert await reader.rows(answer["total"]["cases"]) == []


async def test_every_figure_of_every_group_opens_to_its_cases(engine: AsyncEngine, reader: Reader) -> None:
    await feed(engine, disorder(city(), 5))
    for group in get_args(queries.Group):
        answer = await reader.closure(group=group)
        assert sum(figure["denominator"] for figure in answer["groups"]) == answer["total"]["denominator"]
        for figure in answer["groups"]:
            counts = {
                counted: len(await reader.rows(figure["cases"], counted=counted))
                for counted in ("reported", "closed", "open", "rejected")
            }
            assert counts == {
                "reported": figure["denominator"],
                "closed": figure["numerator"],
                "open": figure["open"],
                "rejected": figure["rejected"],
            }, (group, figure["key"])


async def test_departments_are_leads_and_legs_are_counted_apart(engine: AsyncEngine, reader: Reader) -> None:
    await feed(engine, disorder(city(), 6))
    answer = await reader.closure(group="department")
    leads = {figure["key"]: figure["denominator"] for figure in answer["groups"]}
    assert leads == {"": 3, "ecology": 2, "fire-rescue": 1, "urban-management": 4}
    legs = {figure["unit"]: figure for figure in answer["legs"]}
    assert (legs["housing"]["assigned"], legs["housing"]["fed_back"], legs["housing"]["open"]) == (2, 1, 1)
    assert legs["housing"]["name_zh"] == "住建"
    rows = await reader.rows(legs["fire-rescue"]["legs"])
    assert len(rows) == legs["fire-rescue"]["assigned"] == 5


async def test_each_open_case_says_why_with_the_names_of_the_documents(engine: AsyncEngine, reader: Reader) -> None:
    await feed(engine, disorder(city(), 7))
    rows = await reader.rows("/v1/cases", counted="open")
    reasons = {tuple((reason["code"], reason["zh"]) for reason in row["reasons"]) for row in rows}
    assert reasons == {
        (("incomplete", "已上报，尚缺：街道。"),),
        (
            ("waiting_for_support", "生态环境（主办）处置中，等待住建反馈。"),
            ("not_signed", "住建（协办）尚未签收。"),
        ),
        (("unroutable", "已立案，无法自动派遣（权责清单无对应条目），等待派遣员人工派遣。"),),
    }
    assert {row["street_name"] for row in rows} == {"民主街道", None}


async def test_a_figure_of_an_earlier_cut_off_stays_what_it_was(engine: AsyncEngine, reader: Reader) -> None:
    story = Story().handled()
    before = story.cases[-1].at
    await feed(engine, offset_all(story.closed().records()))
    answer = await reader.closure(as_of=before.isoformat())
    assert (answer["total"]["numerator"], answer["total"]["denominator"]) == (0, 1)
    (row,) = await reader.rows(answer["total"]["cases"], counted="open")
    assert [reason["code"] for reason in row["reasons"]] == ["after_cut_off"]


async def test_a_read_waits_for_its_position_or_says_that_it_is_not_there(engine: AsyncEngine, reader: Reader) -> None:
    story = Story().filed()
    await feed(engine, offset_all(story.records()))
    assert (await reader.closure(after=f"intake.reports:{story.id}:3"))["total"]["denominator"] == 1
    response = await reader.client.get(f"/v1/cases?after={quote(f'intake.reports:{story.id}:4')}")
    assert (response.status_code, response.json()["state"]) == (202, "behind")
    await feed(engine, stream_records("dispatch.cases", story.id, story.opened().dispatched().cases)[1:])
    response = await reader.client.get(f"/v1/cases?after={quote(f'dispatch.cases:{story.id}:2')}")
    assert (response.status_code, response.json()["state"]) == (202, "waiting")


@pytest.mark.parametrize(
    "address, field",
    [
        ("/v1/indicators/closure?group=moon", "group"),
        ("/v1/indicators/closure?as_of=2026-11-23T09:30:00", "as_of"),
        ("/v1/indicators/closure?day=yesterday", "day"),
        ("/v1/cases?counted=forgotten", "counted"),
        ("/v1/cases?cursor=here", "cursor"),
        ("/v1/legs?unit=ecology&cursor=here", "cursor"),
    ],
)
async def test_a_parameter_that_is_not_valid_is_named(reader: Reader, address: str, field: str) -> None:
    response = await reader.client.get(address)
    assert response.status_code == 400
    assert response.json()["code"] == "invalid_parameter"
    assert [error["field"] for error in response.json()["errors"]] == [field]


async def test_figures_need_a_token(reader: Reader) -> None:
    response = await reader.client.get("/v1/indicators/closure", headers={"Authorization": ""})
    assert response.status_code == 401
