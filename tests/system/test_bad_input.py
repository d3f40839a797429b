"""Bad input gets one clear outcome each, changes nothing, and delays nobody else (invariants I-2, I-3, I-7)."""

import json
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deploy.campaign.door import Door
from deploy.campaign.stage import Stage
from shared.contracts.dispatch import SignLeg
from shared.contracts.envelope import MAXIMUM_BYTES, Header
from shared.contracts.intake import ReportSubmission
from shared.kernel.identifiers import new_id
from tests.support.parties import a_source, eventually, found, reaches, refused, report_body

pytestmark = pytest.mark.timeout(180)

SOURCE = "grid-platform"
FUTURE = (datetime.now(UTC) + timedelta(days=2)).isoformat()
PLACE = report_body()["place"]

BAD_BODIES: dict[str, tuple[dict[str, Any], str, str]] = {
    "unknown category": (
        report_body(category={"system": "jiaohe", "code": "E9999"}),
        "category.code",
        "unknown_category",
    ),
    "unknown code system": (
        report_body(category={"system": "nowhere", "code": "E0110"}),
        "category.system",
        "unknown_code_system",
    ),
    "catalogue version not published": (
        report_body(category={"system": "jiaohe", "code": "E0110", "version": 99}),
        "category.version",
        "catalogue_version_not_published",
    ),
    "outside the city": (report_body(place=PLACE | {"longitude": 116.4, "latitude": 39.9}), "place", "outside_city"),
    "time in the future": (report_body(observed_at=FUTURE), "observed_at", "in_the_future"),
    "time without zone": (report_body(observed_at="2026-11-23T09:30:00"), "observed_at", "format"),
    "missing description": (report_body(description=None), "description", "required"),
    "unknown field": (report_body(colour="red"), "colour", "additionalProperties"),
    "U+0000 in text": (report_body(description="a\x00b"), "description", "nul_character"),
    "lone surrogate": (report_body(description="a\ud800b"), "description", "lone_surrogate"),
}


def encoded(body: dict[str, Any]) -> bytes:
    """Write JSON with escapes, so that U+0000 and lone surrogates can travel at all."""
    return json.dumps(body).encode()


def headers(source: str, **changes: str | None) -> list[Header]:
    attributes = {
        "ce_specversion": "1.0",
        "ce_id": str(new_id()),
        "ce_source": source,
        "ce_type": ReportSubmission.type,
        "content-type": "application/json",
    } | changes
    return [(name, value.encode()) for name, value in attributes.items() if value is not None]


def source_door(stage: Stage, source: str = SOURCE) -> Door:
    return Door(stage.api, stage.token(source, source, "source"))


@pytest.mark.parametrize("name", BAD_BODIES)
async def test_a_bad_report_over_a_topic_is_refused_with_its_field(stage: Stage, name: str) -> None:
    body, field, code = BAD_BODIES[name]
    async with a_source(stage, SOURCE) as source:
        answer = await refused(source, encoded(body))
        assert found(answer.errors, field, code), answer


@pytest.mark.parametrize("name", BAD_BODIES)
async def test_a_bad_report_over_http_is_refused_with_its_field(stage: Stage, name: str) -> None:
    body, field, code = BAD_BODIES[name]
    async with source_door(stage) as door:
        reply = await door.post_raw("intake", "/v1/reports", encoded(body), key=str(new_id()))
        assert reply.status == 422
        assert found(reply.document["errors"], field, code), reply.document


async def test_every_error_of_a_report_is_named_at_once(stage: Stage) -> None:
    body = report_body(
        category={"system": "jiaohe", "code": "E9999"},
        place=PLACE | {"longitude": 116.4, "street": "999999999"},
        observed_at=FUTURE,
    )
    async with a_source(stage, SOURCE) as source:
        answer = await refused(source, body)
        assert {error.code for error in answer.errors} >= {"unknown_category", "outside_city", "in_the_future"}
        assert len(answer.errors) >= 4


async def test_records_that_are_no_cloudevents_get_one_receipt_each(stage: Stage) -> None:
    async with a_source(stage, SOURCE) as source:
        good = json.dumps(report_body()).encode()
        await source.send_raw([], b"\xff\xfenot json")
        await source.send_raw([], None, key=b"any")
        await source.send_raw([("ce_id", b"\xff\xfe"), *headers(source.uri, ce_id=None)], good)
        await source.send_raw(headers(source.uri, ce_specversion=None), good)
        await source.send_raw(headers(source.uri, ce_type=None, ce_id=None), good)
        await source.send_raw(headers(source.uri, ce_specversion="0.3"), good)
        await source.send_raw([("content-type", b"application/cloudevents+json")], b"[1, 2]")
        await eventually(lambda: len(source.receipts) == 7, "seven receipts")
        assert all(receipt.answer.outcome == "refused" for receipt in source.receipts)
        assert all(receipt.answer.code in {"bad_envelope", "not_json"} for receipt in source.receipts)
        assert len({receipt.record for receipt in source.receipts}) == 7


async def test_data_that_are_no_json_are_refused(stage: Stage) -> None:
    async with a_source(stage, SOURCE) as source:
        assert (await refused(source, b"{broken")).code == "not_json"


async def test_a_record_over_the_limit_is_refused_with_a_receipt_and_delays_nothing(stage: Stage) -> None:
    async with a_source(stage, SOURCE) as source:
        await source.send_raw(headers(source.uri), b"x" * (MAXIMUM_BYTES + 1))
        assert (await source.answer(await source.send(report_body()))).outcome == "accepted"
        [receipt] = [one for one in source.receipts if one.record is not None]
        assert (receipt.request, receipt.answer.code) == (None, "too_large")


async def test_a_source_cannot_speak_for_another(stage: Stage) -> None:
    async with a_source(stage, SOURCE) as source:
        answer = await refused(source, report_body(), source="/joint/sources/hotline-12345")
        assert answer.code == "wrong_source"


async def test_a_type_that_does_not_belong_on_the_topic_is_refused(stage: Stage) -> None:
    async with a_source(stage, SOURCE) as source:
        assert (await refused(source, report_body(), type_=SignLeg.type)).code == "unknown_type"


async def test_the_same_event_again_gets_the_same_answer(stage: Stage) -> None:
    async with a_source(stage, SOURCE) as source:
        body = report_body()
        id_ = await source.send(body)
        first = await source.answer(id_)
        await source.send(body, id_=id_)
        await source.send(body, id_=id_, mode="structured")
        await eventually(lambda: len(source.answers(id_)) == 3, "three receipts")
        assert source.answers(id_) == [first] * 3


async def test_the_same_id_with_another_body_changes_nothing(stage: Stage) -> None:
    async with a_source(stage, SOURCE) as source, source_door(stage) as door:
        id_ = await source.send(report_body(campaign="reused"))
        first = await source.answer(id_)
        await source.send(report_body(campaign="reused", description="something else"), id_=id_)
        await eventually(lambda: len(source.answers(id_)) == 2, "two receipts")
        second = source.answers(id_)[1]
        assert (second.outcome, second.code) == ("refused", "key_reused")
        listed = [item async for item in door.items("intake", "/v1/reports", campaign="reused")]
        assert [item["report_id"] for item in listed] == [str(first.subject)]


async def test_the_same_key_with_another_body_over_http_changes_nothing(stage: Stage) -> None:
    async with source_door(stage) as door:
        key, body = str(new_id()), report_body(campaign="reused-http")
        first = await door.post("intake", "/v1/reports", body, key=key)
        again = await door.post("intake", "/v1/reports", body, key=key)
        other = await door.post("intake", "/v1/reports", body | {"description": "something else"}, key=key)
        assert first.document == again.document
        assert (other.status, other.code) == (422, "key_reused")
        listed = [item async for item in door.items("intake", "/v1/reports", campaign="reused-http")]
        assert len(listed) == 1


async def test_a_thousand_shuffled_duplicates_have_one_effect_each(stage: Stage) -> None:
    bodies = {f"{new_id()}": report_body(campaign="duplicates", description=f"第 {n} 件") for n in range(20)}
    order = [id_ for id_ in bodies for _ in range(50)]
    random.Random(7).shuffle(order)
    async with a_source(stage, SOURCE) as source, source_door(stage) as door:
        for id_ in order:
            await source.send(bodies[id_], id_=id_)
        await eventually(lambda: len(source.receipts) == 1000, "a thousand receipts")
        assert Counter(receipt.request for receipt in source.receipts) == dict.fromkeys(bodies, 50)
        assert all(len({answer.subject for answer in source.answers(id_)}) == 1 for id_ in bodies)
        listed = [item async for item in door.items("intake", "/v1/reports", campaign="duplicates")]
        assert len(listed) == 20
    async with stage.reader() as reader:

        async def counted() -> int:
            reply = await reader.get("analytics", "/v1/indicators/closure", campaign="duplicates")
            return int(reply.document["total"]["denominator"])

        await reaches(counted, 20)


async def test_bad_input_of_one_source_does_not_delay_another(stage: Stage) -> None:
    async with a_source(stage, SOURCE) as bad, a_source(stage, "ecology") as good:
        for _ in range(200):
            await bad.send_raw([], b"\x00\x01")
        assert (await good.answer(await good.send(report_body()))).outcome == "accepted"
        assert (await bad.answer(await bad.send(report_body()))).outcome == "accepted"


async def test_a_body_over_the_limit_is_refused_before_it_is_read(stage: Stage) -> None:
    async with source_door(stage) as door:
        large = json.dumps(report_body(description="x" * MAXIMUM_BYTES)).encode()
        reply = await door.post_raw("intake", "/v1/reports", large, key=str(new_id()))
        assert (reply.status, reply.code) == (413, "too_large")


async def test_a_write_without_a_key_or_a_token_is_refused(stage: Stage) -> None:
    async with source_door(stage) as door, Door(stage.api, "no token") as stranger:
        keyless = await door.post_raw("intake", "/v1/reports", json.dumps(report_body()).encode(), key=None)
        assert keyless.status == 400
        assert (await stranger.post("intake", "/v1/reports", report_body(), key=str(new_id()))).status == 401
