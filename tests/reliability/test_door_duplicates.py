"""What comes to the doors again, shuffled, with other keys or with another body, has one effect and one answer (I-2).

Two processes of each kind stand side by side, as in a city that is large enough to need them.
"""

import asyncio
import hashlib
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import msgspec
import pytest

from deploy.campaign.door import Door, Reply
from shared.contracts.common import Answer
from shared.contracts.dispatch import LegSigned, SignLeg
from shared.contracts.envelope import CloudEvent, binary_headers
from shared.contracts.intake import ReportSubmission
from shared.contracts.registry import (
    INTAKE_RECEIPTS_PREFIX,
    SUBMISSIONS_PREFIX,
    party_uri,
    source_principal,
)
from shared.kernel.identifiers import new_id
from shared.messaging.client import PartyClient
from tests.reliability.city import City
from tests.reliability.recording import RecordedClient, RecordedTransport, a_department, a_source
from tests.support.parties import Party, eventually, reaches, report_body
from tests.support.servers import unique_name

pytestmark = pytest.mark.timeout(300)

SOURCE: Final = "grid-platform"
ANOTHER: Final = "hotline-12345"
URI: Final = party_uri("sources", SOURCE)
WORKERS: Final = ("intake-worker", "intake-worker-2")
APIS: Final = ("intake-api", "intake-api-2")
FILED: Final = [
    "jointenforcement.report.reported.v1",
    "jointenforcement.report.accepted.v1",
    "jointenforcement.report.filed.v1",
]
_AT_ONCE: Final = 40
_SECONDS: Final = 120.0


@pytest.fixture(scope="module")
def doubled(one_city: City) -> Iterator[City]:
    """Return the running city with two processes of each kind of intake."""
    copies = [one_city.start(process, copy=2) for process in ("intake-api", "intake-worker")]
    try:
        yield one_city
    finally:
        for name in copies:
            one_city.children.pop(name).stop()


@asynccontextmanager
async def connections(city: City, number: int) -> AsyncIterator[list[PartyClient]]:
    """Give several connections of the source to its own topic."""
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(
                RecordedClient(
                    city.history,
                    URI,
                    connection=city.stage.broker(source_principal(SOURCE)).connection(f"door.{one}"),
                    outgoing=SUBMISSIONS_PREFIX + SOURCE,
                    incoming=INTAKE_RECEIPTS_PREFIX + SOURCE,
                    since=datetime.now(UTC),
                )
            )
            for one in range(number)
        ]


@asynccontextmanager
async def doors(city: City, source: str = SOURCE) -> AsyncIterator[list[Door]]:
    """Give four connections of a source to intake's API, two to each process."""
    token = city.stage.token(source, source, "source")
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(
                Door({"intake": city.address(name)}, token, transport=RecordedTransport(city.history, source))
            )
            for name in (*APIS, *APIS)
        ]


def submitted(campaign: str, *, id_: str | None = None) -> CloudEvent:
    return CloudEvent(
        id=id_ or str(new_id()),
        source=URI,
        type=ReportSubmission.type,
        data=msgspec.json.encode(report_body(campaign=campaign)),
    )


async def send(city: City, client: PartyClient, event: CloudEvent, key: bytes | None = None) -> None:
    """Publish the event with this record key, which means nothing."""
    data = event.data or b""
    city.history.sent(door="topic", party=URI, key=event.id, digest=hashlib.sha256(data).hexdigest())
    await client.send_raw(binary_headers(event), data, key=key)


async def post(doors: Sequence[Door], posts: Sequence[tuple[str, dict[str, Any]]]) -> list[Reply]:
    """Post these bodies under these keys, in turn through every door, many at once; return the replies in order."""
    gate = asyncio.Semaphore(_AT_ONCE)

    async def one(number: int, key: str, body: dict[str, Any]) -> Reply:
        async with gate:
            return await doors[number % len(doors)].post("intake", "/v1/reports", body, key=key)

    return await asyncio.gather(*(one(number, key, body) for number, (key, body) in enumerate(posts)))


async def reports_of(city: City, campaign: str) -> set[UUID]:
    rows = await city.fetch("SELECT stream FROM intake.reports WHERE campaign = $1", campaign)
    return {row["stream"] for row in rows}


async def events_of(city: City, streams: set[UUID]) -> dict[UUID, list[str]]:
    """Return the types of each report's events."""
    rows = await city.fetch(
        "SELECT stream, array_agg(type ORDER BY sequence) AS types FROM intake.events "
        "WHERE stream = ANY($1::uuid[]) GROUP BY stream",
        list(streams),
    )
    return {row["stream"]: row["types"] for row in rows}


async def opened_once(city: City, streams: set[UUID]) -> None:
    """Wait until dispatch and analytics know every report, and fail if either knows one twice or another one."""

    async def known() -> list[int]:
        statement = "SELECT count(*) AS number FROM {} WHERE stream = ANY($1::uuid[])"
        tables = ("dispatch.cases", "analytics.case_facts")
        return [(await city.fetch(statement.format(table), list(streams)))[0]["number"] for table in tables]

    await reaches(known, [len(streams)] * 2, seconds=_SECONDS)
    opened = await city.fetch(
        "SELECT stream FROM dispatch.events WHERE type = $1 AND stream = ANY($2::uuid[])",
        "jointenforcement.case.opened.v1",
        list(streams),
    )
    assert Counter(row["stream"] for row in opened) == dict.fromkeys(streams, 1)


def accepted(answers: Sequence[Answer]) -> UUID:
    """Return the one report of equal answers."""
    first, *others = answers
    assert all(other == first for other in others)
    assert (first.outcome, first.position is not None) == ("accepted", True)
    assert first.subject is not None
    return first.subject


async def test_what_is_sent_three_times_over_several_connections_has_one_effect_and_one_answer(doubled: City) -> None:
    """Half of the copies have another record key, some another mode; all are shuffled."""
    campaign = unique_name("thrice")
    events = [submitted(campaign) for _ in range(20)]
    copies = [(event, copy) for event in events for copy in range(3)]
    chance = random.Random(3)
    chance.shuffle(copies)
    async with a_source(doubled.stage, doubled.history, SOURCE) as source, connections(doubled, 4) as clients:
        await asyncio.gather(
            *(
                send(doubled, chance.choice(clients), event, None if copy % 2 else chance.randbytes(9))
                for event, copy in copies
            )
        )
        await eventually(lambda: len(source.receipts) == 60, "a receipt for each copy", seconds=_SECONDS)
        assert Counter(receipt.request for receipt in source.receipts) == {event.id: 3 for event in events}
        subjects = {accepted(source.answers(event.id)) for event in events}
    assert len(subjects) == 20
    assert await reports_of(doubled, campaign) == subjects
    assert await events_of(doubled, subjects) == dict.fromkeys(subjects, FILED)
    await opened_once(doubled, subjects)


async def test_a_key_that_several_connections_use_at_once_has_one_effect_and_one_answer(
    doubled: City,
) -> None:
    campaign = unique_name("at-once")
    body = report_body(campaign=campaign)
    keys = [str(new_id()) for _ in range(20)]
    posts = [(key, body) for key in keys for _ in range(3)]
    random.Random(4).shuffle(posts)
    await doubled.ready(*APIS)
    async with doors(doubled) as own, doors(doubled, ANOTHER) as others:
        replies = await post(own, posts)
        other = await post(others, [(keys[0], body)] * 3)
    told: dict[str, set[bytes]] = {key: set() for key in keys}
    for (key, _), reply in zip(posts, replies, strict=True):
        assert reply.status == 201, reply
        told[key].add(msgspec.json.encode(reply.document))
    assert all(len(answers) == 1 for answers in told.values())
    subjects = {UUID(reply.document["subject"]) for reply in replies}
    assert len(subjects) == 20
    # The same key of another source is another request.
    [others_own] = {UUID(reply.document["subject"]) for reply in other}
    assert await reports_of(doubled, campaign) == subjects | {others_own}
    assert len(subjects | {others_own}) == 21
    await opened_once(doubled, subjects)


async def test_a_thousand_duplicates_over_http_to_two_processes_have_one_effect(doubled: City) -> None:
    campaign = unique_name("thousand-http")
    await doubled.ready(*APIS)
    async with doors(doubled) as own:
        replies = await post(
            own, [(campaign, report_body(campaign=campaign, observed_at="2026-11-01T00:00:00Z"))] * 1000
        )
    assert Counter(reply.status for reply in replies) == {201: 1000}
    assert len({msgspec.json.encode(reply.document) for reply in replies}) == 1
    subject = UUID(replies[0].document["subject"])
    assert await reports_of(doubled, campaign) == {subject}
    assert await events_of(doubled, {subject}) == {subject: FILED}
    for name in APIS:
        assert await doubled.metric(name, "joint_ledger_commands_total", outcome="repeated") > 0


async def test_a_thousand_duplicates_over_a_topic_have_one_effect_though_another_process_takes_over(
    doubled: City,
) -> None:
    campaign = unique_name("thousand")
    event = submitted(campaign)
    await doubled.ready(*WORKERS)
    before = {name: await repeated(doubled, name) for name in WORKERS}
    async with a_source(doubled.stage, doubled.history, SOURCE) as source, connections(doubled, 2) as clients:
        await half(doubled, clients, event, source, 500)
        grown = {name: await repeated(doubled, name) - before[name] for name in WORKERS}
        first = max(grown, key=lambda name: grown[name])
        second = next(name for name in WORKERS if name != first)
        assert grown[first] == 499
        await doubled.stop(first)
        try:
            await half(doubled, clients, event, source, 1000)
        finally:
            doubled.start("intake-worker", copy=1 if first == WORKERS[0] else 2)
        assert await repeated(doubled, second) - before[second] == 500
        subject = accepted(source.answers(event.id))
    assert await reports_of(doubled, campaign) == {subject}
    assert await events_of(doubled, {subject}) == {subject: FILED}
    await doubled.ready(first)


async def half(city: City, clients: Sequence[PartyClient], event: CloudEvent, source: Party, wanted: int) -> None:
    """Send five hundred copies over these connections, half of them with another key; wait for all receipts."""
    sending = [send(city, clients[n % len(clients)], event, b"%d" % n if n % 2 else None) for n in range(500)]
    await asyncio.gather(*sending)
    await eventually(lambda: len(source.answers(event.id)) == wanted, f"{wanted} receipts", seconds=_SECONDS)


async def repeated(city: City, name: str) -> float:
    return await city.metric(name, "joint_ledger_commands_total", aggregate="report", outcome="repeated")


async def test_of_two_bodies_under_one_id_the_first_wins_and_the_other_changes_nothing(doubled: City) -> None:
    """Side by side in the topic, thus in one batch as a rule."""
    campaign = unique_name("two-bodies")
    async with a_source(doubled.stage, doubled.history, SOURCE) as source, connections(doubled, 1) as [client]:
        firsts = [submitted(f"{campaign}-first") for _ in range(10)]
        for event in firsts:
            await send(doubled, client, event)
            await send(doubled, client, submitted(f"{campaign}-second", id_=event.id))
            await send(doubled, client, event)
        await eventually(lambda: len(source.receipts) == 30, "a receipt for each", seconds=_SECONDS)
        subjects = set()
        for event in firsts:
            first, second, third = source.answers(event.id)
            subjects.add(accepted([first, third]))
            assert (second.outcome, second.code, second.position) == ("refused", "key_reused", None)
    assert await reports_of(doubled, f"{campaign}-first") == subjects
    assert await reports_of(doubled, f"{campaign}-second") == set()
    assert await events_of(doubled, subjects) == dict.fromkeys(subjects, FILED)


async def test_of_two_bodies_that_race_in_two_processes_one_wins_for_ever(doubled: City) -> None:
    campaign = unique_name("race")
    bodies = [report_body(campaign=f"{campaign}-{one}") for one in (0, 1)]
    keys = [str(new_id()) for _ in range(30)]
    posts = [(key, body) for key in keys for body in bodies]
    await doubled.ready(*APIS)
    async with doors(doubled) as own:
        replies = await post(own, posts)
        again = await post(own, posts)
    winners: dict[str, set[UUID]] = {body["campaign"]: set() for body in bodies}
    for number in range(0, len(posts), 2):
        pair = replies[number : number + 2]
        assert sorted(reply.status for reply in pair) == [201, 422]
        assert [reply.status for reply in again[number : number + 2]] == [reply.status for reply in pair]
        for (_, body), reply, later in zip(posts[number:], pair, again[number:], strict=False):
            if reply.status == 201:
                winners[body["campaign"]].add(UUID(reply.document["subject"]))
                assert later.document == reply.document
            else:
                assert (reply.code, later.code) == ("key_reused", "key_reused")
    assert sum(map(len, winners.values())) == 30
    assert {body["campaign"]: await reports_of(doubled, body["campaign"]) for body in bodies} == winners


async def test_of_two_bodies_that_race_over_two_connections_one_wins_for_ever(doubled: City) -> None:
    campaign = unique_name("connections")
    ids = [str(new_id()) for _ in range(20)]
    pairs = [(submitted(f"{campaign}-0", id_=id_), submitted(f"{campaign}-1", id_=id_)) for id_ in ids]
    async with a_source(doubled.stage, doubled.history, SOURCE) as source, connections(doubled, 2) as clients:
        for copies in (40, 80):
            await asyncio.gather(
                *(send(doubled, client, event) for pair in pairs for client, event in zip(clients, pair, strict=True))
            )
            await eventually(lambda n=copies: len(source.receipts) == n, f"{copies} receipts", seconds=_SECONDS)  # type: ignore[misc]
        told = {id_: Counter((one.outcome, one.code) for one in source.answers(id_)) for id_ in ids}
        taken = {id_: accepted([one for one in source.answers(id_) if one.outcome == "accepted"]) for id_ in ids}
    assert told == {id_: {("accepted", None): 2, ("refused", "key_reused"): 2} for id_ in ids}
    stored = await reports_of(doubled, f"{campaign}-0") | await reports_of(doubled, f"{campaign}-1")
    assert stored == set(taken.values())
    assert len(stored) == 20


async def test_an_act_that_is_sent_three_times_over_two_connections_is_done_once(doubled: City) -> None:
    async with (
        a_source(doubled.stage, doubled.history, SOURCE) as source,
        a_department(doubled.stage, doubled.history, "sanitation") as one,
        a_department(doubled.stage, doubled.history, "sanitation") as other,
    ):
        answer = await source.answer(await source.send(report_body()))
        case_id = answer.subject
        assert case_id is not None
        await one.task(case_id, "assigned")
        id_ = str(new_id())
        sign = {"case_id": str(case_id), "leg": 1}
        await asyncio.gather(*(party.send(sign, type_=SignLeg.type, id_=id_) for party in (one, other, one)))
        await eventually(lambda: len(one.answers(id_)) == 3, "three receipts", seconds=_SECONDS)
        assert accepted(one.answers(id_)) == case_id
        await one.send(sign | {"leg": 2}, type_=SignLeg.type, id_=id_)
        await eventually(lambda: len(one.answers(id_)) == 4, "a receipt for the other body", seconds=_SECONDS)
        assert one.answers(id_)[-1].code == "key_reused"
    rows = await doubled.fetch("SELECT type FROM dispatch.events WHERE stream = $1", case_id)
    assert [row["type"] for row in rows].count(LegSigned.type) == 1
