"""The work list and a department's tasks over HTTP: filters, orders, pages while cases change, colours, counts."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from services.dispatch.queries import CaseFilter, find_cases, history
from shared.contracts.registry import INTAKE_REPORTS
from shared.kernel.identifiers import new_id
from tests.support.dispatch_client import COMMAND, SUPERVISION, problem
from tests.support.dispatch_served import Served, done, served
from tests.support.dispatching import FIRE_LANE_UNITS, envelopes, filed_events, record
from tests.support.servers import Postgres
from tests.support.set_clocks import database_now, set_deadline, set_leg_deadline

FIRE, POLICE, STREET, PROPERTY, URBAN = FIRE_LANE_UNITS
DRAIN = "P0104"
"""A storm drain grate: the lead is housing; the street and 城管 support."""
LATER = datetime(2099, 1, 1, tzinfo=UTC)


@pytest.fixture
async def http(postgres: Postgres, tmp_path: Path) -> AsyncIterator[Served]:
    async with served(postgres, tmp_path) as dispatch:
        yield dispatch


async def listed(
    http: Served, query: str, path: str = "/v1/cases", unit: str = COMMAND, post: str = "dispatcher"
) -> dict[str, Any]:
    answer = await http.get(f"{path}?{query}", unit, post)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def ids(page: Mapping[str, Any]) -> list[str]:
    return [case["id"] for case in page["items"]]


async def every(http: Served, query: str) -> list[dict[str, Any]]:
    """All pages, one after the other."""
    found: list[dict[str, Any]] = []
    cursor = ""
    while True:
        page = await listed(http, f"{query}{cursor}")
        found += page["items"]
        if page["next"] is None:
            return found
        cursor = f"&cursor={page['next']}"


async def filed_at(http: Served, due_at: Sequence[datetime]) -> list[str]:
    """File a case for each deadline."""
    cases = []
    for due in due_at:
        case_id = await http.filed()
        await set_deadline(http.feeder.dispatch, case_id, due)
        cases.append(str(case_id))
    return cases


async def drain(http: Served) -> UUID:
    case_id = new_id()
    records = [record(INTAKE_REPORTS, event) for event in envelopes(case_id, filed_events(code=DRAIN))]
    await http.feeder.events.consume(records)
    return case_id


async def test_every_bad_parameter_is_named_at_once(http: Served) -> None:
    query = "state=nonsense&colour=pink&post=king&level=moon&order=best&limit=0&cursor=x&open=maybe&supervised=so"
    found = problem(await http.get(f"/v1/cases?{query}"), 400, "invalid_parameter")
    assert {error["field"] for error in found["errors"]} == {
        *("state", "colour", "post", "level", "order", "limit", "cursor", "open", "supervised")
    }


async def test_parameters_that_nobody_knows_or_that_contradict_are_named_too(http: Served) -> None:
    cursor = str(new_id())
    query = f"open=false&order=deadline&color=red&sort=up&cursor={cursor}"
    found = problem(await http.get(f"/v1/cases?{query}"), 400, "invalid_parameter")
    assert [(error["field"], error["code"]) for error in found["errors"]] == [
        ("color", "unknown_parameter"),
        ("sort", "unknown_parameter"),
        ("open", "open_only"),
        ("cursor", "bad_cursor"),
    ]
    found = problem(await http.get("/v1/cases?counts=true"), 400, "invalid_parameter")
    assert [error["field"] for error in found["errors"]] == ["counts"]


async def test_each_filter_finds_its_cases_and_no_others(http: Served) -> None:
    lane, grate, returned = await http.filed(), await drain(http), await http.filed()
    checking, closed = await http.handled(), await http.closed()
    ground = {"reason": "not_our_duty", "ground": "line 3"}
    done(await http.leg(returned, 2, "return-requests", POLICE, ground))
    await http.act(lane, "supervision", COMMAND, "inspector", reason="important")
    check_unit = (await http.dossier(checking))["case"]["check_unit"]
    number = (await http.dossier(lane))["case"]["number"]
    expected = {
        "open=true": {lane, grate, returned, checking},
        "open=false": {closed},
        "state=checking&state=closed": {checking, closed},
        "post=collector": {checking},
        "post=duty_leader": {returned},
        "post=duty_leader&open=true": {returned},
        "post=department": {lane, grate, returned},
        "post=leader": set(),
        f"check_unit={check_unit}": {checking},
        "unit=housing": {grate},
        "unit=urban-management&open=true": {lane, grate, returned, checking},
        "lead=fire-rescue": {lane, returned, checking},
        "lead=urban-management": set(),
        "category=P0104": {grate},
        "street=220281002": set(),
        "community=220281001001&state=handling": {returned},
        "level=city": {lane, grate, returned, checking},
        "level=street": set(),
        "supervised=true": {lane},
        "campaign=winter&open=false": {closed},
        "text=雨水": {grate},
        "text=storm drain": {grate},
        "text=P0104": {grate},
        "text=民主&open=false": {closed},
        "text=红星&order=deadline": {lane, grate, returned, checking},
        f"text={lane}": {lane},
        f"text={number.lower()}": {lane},
        f"text={number}&order=deadline": {lane},
        f"text={number}&open=true": {lane},
        f"text={number[:-6]}999999": set(),
        "text=nowhere": set(),
    }
    for query, wanted in expected.items():
        found = await every(http, query)
        assert {case["id"] for case in found} == {str(one) for one in wanted}, query
        assert len(found) == len(wanted), query


async def test_pages_by_deadline_neither_repeat_nor_lose_a_case_while_cases_change(http: Served) -> None:
    soon = LATER + timedelta(days=1)
    cases = await filed_at(http, [soon + timedelta(minutes=number // 2) for number in range(9)])
    first = await listed(http, "order=deadline&limit=3")
    # A new case that is more urgent and one that is less; one that was shown is signed, one that was not is done.
    (urgent,) = await filed_at(http, [LATER])
    (patient,) = await filed_at(http, [soon + timedelta(days=9)])
    await http.signed(UUID(first["items"][0]["id"]), 1)
    rest = [case for case in cases if case not in ids(first)]
    for leg in (5, 4, 3, 2, 1):
        await http.fed_back(UUID(rest[2]), leg)
    second = await listed(http, f"order=deadline&limit=3&cursor={first['next']}")
    await http.signed(UUID(rest[5]), 1)
    third = await listed(http, f"order=deadline&limit=50&cursor={second['next']}")
    seen = [*ids(first), *ids(second), *ids(third)]
    by_key = sorted(cases, key=lambda case: (cases.index(case) // 2, case))
    assert third["next"] is None
    # Its check is due before everything that is left to show: it stands there now.
    assert seen == [*(case for case in by_key if case != rest[2]), patient]
    assert ids(await listed(http, "order=deadline&limit=2"))[1] == urgent


async def test_pages_of_the_newest_neither_repeat_nor_lose_a_case_while_cases_change(http: Served) -> None:
    cases = [str(await http.filed()) for _ in range(5)]
    first = await listed(http, "limit=2")
    newer = str(await http.filed())
    for leg in (5, 4, 3, 2, 1):
        await http.fed_back(UUID(cases[1]), leg)
    second = await listed(http, f"limit=2&cursor={first['next']}")
    third = await listed(http, f"limit=2&cursor={second['next']}")
    assert [*ids(first), *ids(second), *ids(third)] == sorted(cases, reverse=True)
    assert ids(await listed(http, "limit=1")) == [newer]


async def test_those_without_a_deadline_come_last_on_pages_of_their_own(http: Served) -> None:
    checked = sorted([str(await http.checked()) for _ in range(3)])
    (due,) = await filed_at(http, [LATER])
    assert [case["id"] for case in await every(http, "order=deadline&limit=1")] == [due, *checked]


async def test_a_case_turns_yellow_and_red_at_its_instants_by_the_databases_clock(http: Served) -> None:
    case_id = await http.filed()
    now = await database_now(http.feeder.dispatch)
    yellow, red = now + timedelta(seconds=0.7), now + timedelta(seconds=1.4)
    await set_deadline(http.feeder.dispatch, case_id, red, yellow)
    seen = []
    async with asyncio.timeout(30):
        while "red" not in seen:
            for colour in ("green", "yellow", "red"):
                page = await listed(http, f"colour={colour}&counts=true")
                as_of = datetime.fromisoformat(page["as_of"])
                is_now = "red" if as_of >= red else "yellow" if as_of >= yellow else "green"
                assert [case["deadline"]["colour"] for case in page["items"]] == ([colour] if colour == is_now else [])
                assert page["counts"]["total"] == (colour == is_now)
                seen.append(is_now)
    assert set(seen) == {"green", "yellow", "red"}


async def test_counts_agree_with_the_list(http: Served) -> None:
    now = await database_now(http.feeder.dispatch)
    await filed_at(http, [now - timedelta(hours=1), now - timedelta(days=9), now + timedelta(hours=1), LATER, LATER])
    await http.handled()
    await http.checked()
    await http.closed()
    signed = await http.filed()
    await http.signed(signed, 1)
    checking = "state=checking&open=true"
    for query in ("open=true", "order=deadline", "colour=red", "post=department&open=true", checking):
        found = await every(http, f"{query}&limit=2")
        counts = (await listed(http, f"{query}&limit=1&counts=true"))["counts"]
        colours = Counter(case["deadline"]["colour"] for case in found if case["deadline"])
        assert counts["total"] == len(found), query
        assert counts["states"] == Counter(case["state"] for case in found), query
        assert counts["colours"] == {colour: colours[colour] for colour in ("green", "yellow", "red")}, query
    assert (await listed(http, f"{checking}&counts=true"))["counts"]["states"] == {"checking": 1}


async def test_a_case_that_changes_is_on_the_list_in_the_same_transaction_as_its_event(http: Served) -> None:
    case_id = await http.filed()

    async def handle() -> None:
        for leg in (5, 4, 3, 2, 1):
            await http.fed_back(case_id, leg)

    handling = asyncio.create_task(handle())
    sequences = set()
    async with asyncio.timeout(60):
        while not handling.done():
            async with http.feeder.dispatch.engine.connect() as plain:
                connection = await plain.execution_options(isolation_level="REPEATABLE READ")
                [known], _ = await find_cases(connection, CaseFilter(open=True), order="deadline", limit=5)
                events = await history(connection, case_id)
            assert (known.id, known.sequence) == (case_id, events[-1].sequence)
            sequences.add(known.sequence)
    await handling
    assert len(sequences) > 1


async def tasks(http: Served, unit: str, query: str = "") -> dict[str, Any]:
    return await listed(http, query, "/v1/tasks", unit, "department")


async def test_a_department_sees_its_open_legs_the_most_urgent_first(http: Served) -> None:
    now = await database_now(http.feeder.dispatch)
    soon, later, overdue = await filed_at(http, [now + timedelta(hours=1), LATER, now - timedelta(days=1)])
    extended, fed_back, grate = await http.filed(), await http.filed(), await drain(http)
    await set_deadline(http.feeder.dispatch, extended, now - timedelta(days=2))
    await set_leg_deadline(http.feeder.dispatch, extended, 2, LATER - timedelta(days=1))
    await http.fed_back(fed_back, 2)
    await http.signed(UUID(soon), 2)
    first = await tasks(http, POLICE, "limit=2&counts=true")
    second = await tasks(http, POLICE, f"limit=2&cursor={first['next']}")
    found = [*first["items"], *second["items"]]
    assert [(task["case_id"], task["leg"]["leg"], task["deadline"]["colour"]) for task in found] == [
        (overdue, 2, "red"),
        (soon, 2, "yellow"),
        (str(extended), 2, "green"),
        (later, 2, "green"),
    ]
    assert [task["expected"][0]["expected"] for task in found] == ["sign", "feed_back", "sign", "sign"]
    assert second["next"] is None
    assert first["counts"] == {
        "total": 4,
        "states": {"assigned": 3, "handling": 1},
        "colours": {"green": 2, "yellow": 1, "red": 1},
    }
    assert [task["case_id"] for task in (await tasks(http, "housing"))["items"]] == [str(grate)]
    problem(await http.get("/v1/tasks", "citizen-portal", "source"), 403, "not_entitled_post")


async def test_a_limit_of_the_law_makes_a_leg_and_its_case_as_urgent_as_it_is(http: Served) -> None:
    now = await database_now(http.feeder.dispatch)
    later, soon, ordered = await filed_at(http, [LATER, now + timedelta(days=2), LATER])
    await http.signed(UUID(ordered), 2)
    before = [(task["case_id"], task["deadline"]["stage"]) for task in (await tasks(http, POLICE))["items"]]
    assert before == [(soon, "handle"), *((case, "handle") for case in sorted((later, ordered)))]
    order = {"legal_basis": "fire law 60", "document_number": "2026-118", "days": 1, "unit": "natural_day"}
    done(await http.leg(UUID(ordered), 2, "rectification-orders", POLICE, order))
    page = await tasks(http, POLICE, "counts=true")
    assert [(task["case_id"], task["deadline"]["stage"], task["deadline"]["colour"]) for task in page["items"]] == [
        (ordered, "rectification", "green"),
        (soon, "handle", "green"),
        (later, "handle", "green"),
    ]
    assert page["counts"]["colours"] == {"green": 3, "yellow": 0, "red": 0}
    # Another unit's leg of the same case is due as late as before.
    assert next(task["case_id"] for task in (await tasks(http, STREET))["items"]) == soon
    listing = await listed(http, "order=deadline")
    assert [(case["id"], case["deadline"]["stage"]) for case in listing["items"]] == [
        (ordered, "rectification"),
        (soon, "handle"),
        (later, "handle"),
    ]


async def test_a_leg_on_the_books_is_the_last_task_and_its_clock_stands_still(http: Served) -> None:
    suspended, other = await http.filed(), await http.filed()
    until = (await database_now(http.feeder.dispatch) + timedelta(days=90)).isoformat()
    body = {"reason": "wrong_season", "plan": "in spring", "until": until}
    await http.signed(suspended, 2)
    done(await http.leg(suspended, 2, "suspension-requests", POLICE, body))
    await http.dispatches(suspended, "legs/2/suspension-endorsement", endorsed=True, reason="seen")
    decision = {"approved": True, "reason": "frozen"}
    await http.act(suspended, "legs/2/suspension-decision", "city-leadership", "leader", **decision)
    page = await tasks(http, POLICE, "counts=true")
    found = [(task["case_id"], task["leg"]["state"], task["deadline"] is None) for task in page["items"]]
    assert found == [(str(other), "assigned", False), (str(suspended), "suspended", True)]
    assert sum(page["counts"]["colours"].values()) == 1
    leg = (await http.dossier(suspended))["legs"][1]
    assert [(clock["stage"], clock["standing"], clock["colour"]) for clock in leg["clocks"]] == [
        ("sign", "stopped", None),
        ("handle", "paused", None),
    ]


async def test_whoever_reviews_appeals_finds_the_closed_cases(http: Served) -> None:
    case_id = await http.filed()
    await http.feeder.time_passes(case_id)
    for leg in (5, 4, 3, 2, 1):
        await http.leg(case_id, leg, "feedback", FIRE_LANE_UNITS[leg - 1], {"closing_condition": "lane clear"})
    done(await http.check(case_id, passed=True))
    done(await http.close(case_id))
    assert ids(await listed(http, "post=evaluator")) == []
    done(await http.leg(case_id, 1, "appeal", FIRE, {"ground": "the road was closed"}))
    [case] = (await listed(http, "post=evaluator"))["items"]
    assert (case["id"], case["open"], "handle" in case["breached"]) == (str(case_id), False, True)
    assert [one["expected"] for one in case["awaits"]] == ["review_appeal", "review_appeal"]
    assert ids(await listed(http, f"post=evaluator&text={SUPERVISION}")) == []
