"""Routing over HTTP on real PostgreSQL: why, what if, how the rules fare, and that a new rule changes no old case."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from httpx import Response
from sqlalchemy.ext.asyncio import AsyncEngine

from services.dispatch.app import Dispatch, compose_on, migrate_and_seed
from services.dispatch.consumers import reaction
from shared.contracts.registry import DISPATCH_REFERENCE
from shared.kernel.identifiers import new_id
from shared.ledger.engine import create_ledger_engine
from shared.ledger.vault import Vault
from tests.support.dispatch_client import COMMAND, SUPERVISION, DispatchClient, dispatch_client, problem
from tests.support.dispatching import FIRE_LANE, FIRE_LANE_UNITS, filed_report, relayed
from tests.support.servers import Postgres
from tests.support.web import Keys

CITY = "jiaohe"
FIRE, POLICE = "fire-rescue", "public-security"
OWN_RULE: dict[str, Any] = {
    "rule": "own-lanes",
    "system": "jiaohe",
    "category": FIRE_LANE,
    "lead": "urban-management",
    "support": [FIRE],
    "legal_basis": "消防法 28",
    "reason": "城管先清障",
    "streets": ["220281001"],
    "level": "street",
}
QUESTION: dict[str, Any] = {
    "category": {"system": "jiaohe", "code": FIRE_LANE, "condition": "01"},
    "place": {"street": "220281001", "community": "220281001001"},
    "target_type": "public_space",
    "at": "2026-11-24T10:00:00+08:00",
}


class City(DispatchClient):
    """Dispatch over HTTP, and its consumers fed by hand."""

    dispatch: Dispatch

    async def filed(self) -> UUID:
        """File a report about a blocked fire lane; return its case."""
        case_id = new_id()
        events = self.dispatch.ledger.policy("dispatch.events", reaction(CITY))
        await events.consume(filed_report(case_id))
        return case_id

    async def publish(self, *overrides: dict[str, Any]) -> Response:
        """Publish the city's own rules, and let every consumer hear of it."""
        body = {"city": CITY, "overrides": list(overrides)}
        path = f"/v1/reference/routing/{CITY}"
        answer = await self.post(path, body, "joint-administration", "administrator")
        await self.relay()
        return answer

    async def relay(self) -> None:
        """Let the documents that were published arrive."""
        sent = await relayed(self.dispatch.engine)
        copies = self.dispatch.ledger.reference_copy("dispatch.reference")
        await copies.consume([one for one in sent if one.topic == DISPATCH_REFERENCE])

    async def ask(self, unit: str = COMMAND, post: str = "dispatcher", **changes: object) -> Response:
        """Ask what would happen."""
        return await self.post("/v1/routing/explanations", {**QUESTION, **changes}, unit, post)

    async def redispatch(self, case_id: UUID, lead: str) -> None:
        """Send a case elsewhere than its rule did."""
        body = {"lead": lead, "support": [], "reason": "nearest"}
        answer = await self.post(f"/v1/cases/{case_id}/dispatch", body, COMMAND, "dispatcher")
        assert answer.status_code == 200, answer.text

    async def give_back(self, case_id: UUID, leg: int, to_unit: str) -> None:
        """Let the leg's unit say that it is not its duty, rightly."""
        path = f"/v1/cases/{case_id}/legs/{leg}"
        asked = {"reason": "not_our_duty", "ground": "power list"}
        answer = await self.post(f"{path}/return-requests", asked, FIRE_LANE_UNITS[leg - 1], "department")
        assert answer.status_code == 200, answer.text
        decided = {"upheld": True, "reason": "wrong dispatch", "to_unit": to_unit}
        answer = await self.post(f"{path}/return-decision", decided, SUPERVISION, "duty_leader")
        assert answer.status_code == 200, answer.text

    async def rules(self, query: str = "") -> dict[str, dict[str, Any]]:
        """Return the rules in force by their name."""
        answer = await self.get(f"/v1/routing/rules?system=jiaohe{query}")
        assert answer.status_code == 200, answer.text
        return {rule["rule"]: rule for rule in answer.json()["items"]}


@pytest.fixture
async def city(postgres: Postgres, tmp_path: Path) -> AsyncIterator[City]:
    engine = create_ledger_engine(postgres.fresh_database("dispatch"), application="test")
    dispatch = compose_on(engine, Vault(bytes(32)), CITY)
    await migrate_and_seed(dispatch)
    keys = Keys(tmp_path)
    async with dispatch_client(dispatch, keys) as client:
        city = City(client.plain, keys)
        city.dispatch = dispatch
        await city.relay()
        yield city
    await engine.dispose()


async def stored(engine: AsyncEngine) -> list[tuple[str, int]]:
    """Return how many rows are in every table."""
    async with engine.connect() as connection:
        names = await connection.scalars(sa.text("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"))
        tables = sorted(names)
        return [(one, await connection.scalar(sa.text(f'SELECT count(*) FROM "{one}"')) or 0) for one in tables]


async def state_of(engine: AsyncEngine, case_id: UUID) -> bytes:
    async with engine.connect() as connection:
        found = await connection.scalar(sa.text("SELECT state FROM cases WHERE stream = :id"), {"id": case_id})
    assert isinstance(found, bytes)
    return found


async def test_a_case_says_why_it_went_where_it_went(city: City) -> None:
    case_id = await city.filed()
    found = (await city.get(f"/v1/cases/{case_id}/routing")).json()
    assert (found["rule"], found["overridden"], found["misdirected"]) == ("E0496", False, False)
    assert found["precedence"] == ["local_override", "community", "street", "target_type", "time"]
    (decision,) = found["decisions"]
    assert (decision["sequence"], decision["type"]) == (2, "jointenforcement.case.dispatched.v1")
    assert decision["units"][0] == {"leg": 1, "unit": FIRE, "role": "lead"}
    assert decision["explanation"]["considered"] == [{"rule": "E0496", "verdict": "won"}]
    versions = ("catalogue_version", "units_version", "routing_version", "calendar_version")
    assert [decision["explanation"][name] for name in versions] == [1, 1, 1, None]
    assert decision["in_words"]["zh"][0].startswith("按权责清单的规则 E0496 派遣。主办：消防救援机构。协办：公安机关，")
    assert decision["in_words"]["en"][2] == "No. 1, rule E0496: fits, and is followed."


async def test_what_people_decided_later_is_told_with_the_rule_that_was_not_followed(city: City) -> None:
    case_id = await city.filed()
    await city.redispatch(case_id, POLICE)
    returned = await city.filed()
    await city.give_back(returned, 2, "traffic-police")
    first = (await city.get(f"/v1/cases/{case_id}/routing")).json()
    assert (first["rule"], first["overridden"]) == ("E0496", True)
    assert [one["type"].split(".")[2] for one in first["decisions"]] == ["dispatched", "redispatched"]
    assert first["decisions"][1]["explanation"]["overrides"] == "E0496"
    assert first["decisions"][1]["by"]["post"] == "dispatcher"
    assert first["decisions"][1]["in_words"]["en"][:3] == [
        "Named by a dispatcher. Lead: Public security.",
        "Rule E0496 was not followed.",
        "Note: nearest.",
    ]
    second = (await city.get(f"/v1/cases/{returned}/routing")).json()
    assert (second["overridden"], second["misdirected"]) == (False, True)
    assert second["decisions"][1]["units"] == [{"leg": 2, "unit": "traffic-police", "role": "support"}]


async def test_who_may_read_the_case_may_read_why(city: City) -> None:
    case_id = await city.filed()
    path = f"/v1/cases/{case_id}/routing"
    assert (await city.get(path, "health", "department")).status_code == 200
    # The source of the report is the client of the fire brigade; nobody else's client.
    problem(await city.get(path, "citizen-portal", "source"), 404, "unknown_case")
    problem(await city.get(f"/v1/cases/{new_id()}/routing"), 404, "unknown_case")


async def test_a_new_rule_decides_about_later_cases_and_changes_none_that_is_dispatched(city: City) -> None:
    before = await city.filed()
    state = await state_of(city.dispatch.engine, before)
    assert (await city.publish(OWN_RULE)).status_code == 201
    after = await city.filed()
    assert await state_of(city.dispatch.engine, before) == state
    old = (await city.get(f"/v1/cases/{before}/routing")).json()
    new = (await city.get(f"/v1/cases/{after}/routing")).json()
    assert (old["rule"], old["decisions"][0]["explanation"]["routing_version"]) == ("E0496", 1)
    explanation = new["decisions"][0]["explanation"]
    assert (new["rule"], explanation["routing_version"], explanation["decided_by"]) == (
        "own-lanes",
        2,
        "local_override",
    )
    assert explanation["considered"] == [
        {"rule": "own-lanes", "verdict": "won", "origin": "local_override", "reason": "城管先清障"},
        {"rule": "E0496", "verdict": "overridden", "outdone_in": "local_override"},
    ]
    dossier = (await city.get(f"/v1/cases/{after}")).json()
    assert dossier["case"]["lead_unit"] == "urban-management"
    assert dossier["case"]["level"] == "street"


async def test_rules_between_which_nobody_could_choose_are_not_published(city: City) -> None:
    refused = problem(await city.publish(OWN_RULE, {**OWN_RULE, "rule": "own-2", "lead": POLICE}), 422, "invalid")
    assert [(error["field"], error["code"]) for error in refused["errors"]] == [("overrides.1", "equal_rules")]
    assert (await city.get(f"/v1/reference/routing/{CITY}")).json()["version"] == 1


async def test_a_question_is_answered_and_changes_nothing(city: City) -> None:
    await city.publish(OWN_RULE)
    before = await stored(city.dispatch.engine)
    now = (await city.ask()).json()
    assert (now["outcome"], now["level"]) == ("routed", "street")
    assert [leg["unit"] for leg in now["legs"]] == ["urban-management", FIRE]
    assert now["in_words"]["zh"][0] == "按本地规则 own-lanes 派遣。主办：城市管理执法部门（城管）。协办：消防救援机构。"
    earlier = (await city.ask(versions={"routing": 1})).json()
    assert (earlier["explanation"]["rule"], earlier["explanation"]["routing_version"]) == ("E0496", 1)
    elsewhere = (await city.ask(place={"street": "220281002"})).json()
    assert [one["verdict"] for one in elsewhere["explanation"]["considered"]] == ["other_place", "won"]
    assert await stored(city.dispatch.engine) == before


async def test_everything_wrong_with_a_question_is_named(city: City) -> None:
    malformed = problem(await city.ask(at="tomorrow", target_type="lake", where="here"), 422, "invalid")
    assert {error["field"] for error in malformed["errors"]} == {"at", "target_type", "where"}
    unknown = problem(
        await city.ask(
            category={"system": "jiaohe", "code": FIRE_LANE, "condition": "99"},
            place={"street": "220281002", "community": "220281001001"},
            versions={"units": 9},
        ),
        422,
        "invalid",
    )
    assert [(error["field"], error["code"]) for error in unknown["errors"]] == [
        ("versions.units", "unknown_version"),
        ("category.condition", "unknown_condition"),
        ("place.community", "other_street"),
    ]


async def test_a_source_asks_nothing_about_rules(city: City) -> None:
    problem(await city.ask("citizen-portal", "source"), 403, "not_entitled_post")
    problem(await city.get("/v1/routing/rules", "citizen-portal", "source"), 403, "not_entitled_post")


async def test_the_rules_in_force_say_how_they_fare(city: City) -> None:
    overridden, returned, fine = await city.filed(), await city.filed(), await city.filed()
    await city.redispatch(overridden, POLICE)
    await city.give_back(returned, 3, "traffic-police")
    await city.publish({**OWN_RULE, "when": {"weekdays": [1, 2, 3, 4, 5, 6, 7]}})
    later = await city.filed()
    assert len({overridden, returned, fine, later}) == 4
    rules = await city.rules(f"&category={FIRE_LANE}")
    assert list(rules) == ["own-lanes", "E0496"]
    counts = {name: (rule["decided"], rule["overridden"], rule["misdirected"]) for name, rule in rules.items()}
    assert counts == {"own-lanes": (1, 0, 0), "E0496": (3, 1, 1)}
    own = rules["own-lanes"]
    assert (own["origin"], own["version"], own["reason"]) == ("local_override", 2, "城管先清障")
    assert own["narrowed_by"] == ["local_override", "street", "time"]
    assert (rules["E0496"]["origin"], rules["E0496"]["narrowed_by"]) == ("power_list", [])


async def test_all_rules_in_force_are_listed_and_counted_from_an_instant_on(city: City) -> None:
    await city.filed()
    rules = await city.rules()
    assert {"E0128", "E0496", "E0196", "E0196-compound"} <= set(rules)
    assert (rules["E0496"]["decided"], rules["E0128"]["decided"]) == (1, 0)
    future = await city.rules("&since=2999-01-01T00:00:00Z")
    assert future["E0496"]["decided"] == 0
    assert (await city.get("/v1/routing/rules?system=boston311")).json()["items"][0]["system"] == "boston311"
    problem(await city.get("/v1/routing/rules?since=yesterday"), 400, "invalid_parameter")
    zoneless = problem(await city.get("/v1/routing/rules?since=2026-11-24T10:00:00"), 400, "invalid_parameter")
    assert zoneless["errors"][0]["field"] == "since"
