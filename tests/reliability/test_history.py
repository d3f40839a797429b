"""The history checker finds nothing in a clean history, and each planted violation under its invariant.

One small run on the real servers is read once; most violations are planted in copies of what was read.
"""

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest

from shared.contracts.dispatch import SignLeg
from shared.kernel.identifiers import new_id
from tests.reliability.city import City
from tests.reliability.history.check import check, judge, read
from tests.reliability.history.city import CheckedCity
from tests.reliability.history.facts import Asked, Facts, Finding
from tests.reliability.history.planting import (
    MISSING,
    Plant,
    accepted,
    act_after,
    case_never_opened,
    copy_with_other_bytes,
    drop_position,
    drop_published,
    drop_request,
    drop_stored,
    edit_stored,
    figure,
    first,
    hold,
    leave_a_wake,
    lose,
    lose_a_wake,
    lose_row_behind,
    move_position,
    number_of_another,
    number_of_another_day,
    open_twice,
    other_partition,
    refuse_what_had_an_effect,
    reworded,
    second_effect,
    state_behind,
    swap,
    tell_a_breach,
    told_by_another_number,
    two_requests_one_effect,
    with_other,
    without,
    wrong_beside,
)
from tests.reliability.history.planting_merges import OF_MERGES
from tests.reliability.history.read_history import read_history
from tests.reliability.history.rewording import (
    by,
    by_another,
    chosen,
    done_by,
    failed_check,
    half_used,
    no_pause,
    two_leads,
)
from tests.reliability.lives import live
from tests.reliability.load import TRUSTED, UNTRUSTED, Load, a_load
from tests.support.parties import eventually, report_body

pytestmark = pytest.mark.timeout(300)

NOON: Final = "2026-11-24T04:00:00Z"


# ------------------------------------------------------------------------------------------- one clean history


async def every_kind_of_request(load: Load) -> None:
    """Send what is accepted, refused, repeated, reused, unreadable, and in another's name."""
    source, department, leader = load.parties[TRUSTED], load.parties["sanitation"], load.doors["duty_leader"]
    id_ = str(new_id())
    for body in (report_body(), report_body(description="另一件事")):
        await source.send(body, id_=id_)
        await source.send(body, id_=id_)
    wrong = [await source.send(report_body(), source="/joint/sources/another"), await source.send(b"no JSON")]
    wrong.append(await department.send(SignLeg(case_id=new_id(), leg=1), type_=SignLeg.type))
    await source.send_raw([], b"\xff")
    waiting = (await load.parties[UNTRUSTED].answer(await load.parties[UNTRUSTED].send(report_body()))).subject
    await load.parties[UNTRUSTED].answer(await load.parties[UNTRUSTED].send(report_body(description="无人受理")))
    rejection = {"reason_code": "not_ours", "reason": "不归本市管。"}
    for key in ("reject", "reject", "reject again"):
        await load.doors["acceptor"].post("intake", f"/v1/reports/{waiting}/reject", rejection, key=f"{waiting}:{key}")
    await leader.post("dispatch", f"/v1/cases/{load.closed[0]}/close", {}, key=f"{waiting}:close again")
    await eventually(lambda: len(source.answers(id_)) >= 4 and bool(source.answers(None)), "every answer")
    for number in wrong:
        await eventually(lambda number=number: source.answers(number) or department.answers(number), "each refusal")  # type: ignore[misc]


async def played(city: City) -> Facts:
    async with a_load(city.stage, city.history) as load:
        await load.play(3)
        await live(load)
        await load.publish_reference()
        await every_kind_of_request(load)
    await city.wait_until_quiet()
    return await read(city.history.path, CheckedCity(stage=city.stage))


@pytest.fixture(scope="module")
def facts(one_city: City) -> Facts:
    """Return what was read of the city: nothing in it is wrong."""
    return asyncio.run(played(one_city))


def test_a_clean_history_has_no_findings(facts: Facts) -> None:
    assert judge(facts) == []


# -------------------------------------------------------------------------------------------- planted in copies


def nothing_sent(facts: Facts) -> Facts:
    return replace(facts, asked={**facts.asked, ("citizen", "lost"): Asked(door="http", attempts=1)})


def lost_record(facts: Facts) -> Facts:
    record = first(facts.incoming, lambda record: record.request is not None)
    return replace(facts, incoming=without(facts.incoming, record))


def lost_receipts(facts: Facts) -> Facts:
    gone = first(facts.receipts, lambda receipt: receipt.answer.outcome == "accepted").request
    return replace(facts, receipts=[receipt for receipt in facts.receipts if receipt.request != gone])


def other_receipt(facts: Facts) -> Facts:
    receipt = first(facts.receipts, lambda receipt: receipt.answer.outcome == "accepted")
    return replace(facts, receipts=[*facts.receipts, replace(receipt, content=b"{}")])


def wrongly_reused(facts: Facts) -> Facts:
    row = accepted(facts, "/joint/sources/")
    known = facts.asked[row.party, row.key]
    answer = replace(known.answers[0], outcome="refused", code="key_reused", position=None)
    asked = replace(known, digests={"one"}, answers=[*known.answers, answer])
    return replace(facts, asked={**facts.asked, (row.party, row.key): asked})


def other_cause(facts: Facts) -> Facts:
    row = accepted(facts, "/joint/departments/")
    event = first(facts.published, lambda event: event.causation == row.key)
    return replace(facts, published=with_other(facts.published, event, replace(event, causation="another")))


def nobody_sent(facts: Facts) -> Facts:
    row = accepted(facts, "/joint/departments/")
    return replace(facts, requests=[*facts.requests, replace(row, key="made up")])


def task_untold(facts: Facts) -> Facts:
    return replace(facts, tasks=facts.tasks[1:])


def task_told_twice(facts: Facts) -> Facts:
    return replace(facts, tasks=[*facts.tasks, replace(facts.tasks[0], id="another")])


def document_missing(facts: Facts) -> Facts:
    copies = facts.documents["analytics"]
    return replace(facts, documents={**facts.documents, "analytics": copies - {first(copies)}})


def content_behind(facts: Facts) -> Facts:
    stream = first(facts.copied)
    return replace(facts, copied={**facts.copied, stream: (0, None)})


def outbox_left(facts: Facts) -> Facts:
    return replace(facts, outbox={**facts.outbox, "dispatch": 1})


def state_of_nothing(facts: Facts) -> Facts:
    return replace(facts, states=[*facts.states, replace(facts.states[0], stream=MISSING)])


def hash_of_another(facts: Facts) -> Facts:
    row = first(facts.stored, lambda row: row.sequence == 2)
    return replace(facts, stored=with_other(facts.stored, row, replace(row, hash=bytes(32))))


WAIVED: Final = "jointenforcement.case.leg_waived.v1"
ORDERED_BY_LAW: Final = "jointenforcement.case.leg_rectification_ordered.v1"
PLANTS: Final[dict[str, tuple[str, str, Plant]]] = {
    "an answer over HTTP is forgotten": ("I-1", "no answer is kept", drop_request("supervision-centre")),
    "an acknowledged event is lost everywhere": ("I-1", "is not on the topic", lose("closed")),
    "a record that the broker took is gone": ("I-1", "is not on the topic", lost_record),
    "a submission has a second effect": ("I-2", "an effect that no answer tells of", second_effect),
    "a refused request had an effect": ("I-2", "a refused request had an effect", refuse_what_had_an_effect),
    "an effect has another cause": ("I-2", "its effect was caused by", other_cause),
    "two requests share an effect": ("I-2", "two requests tell of one effect", two_requests_one_effect),
    "a receipt differs from the others": ("I-2", "different receipts", other_receipt),
    "a receipt is not what is kept": ("I-2", "another thing than is kept", other_receipt),
    "one body is refused as another": ("I-2", "though one body was sent", wrongly_reused),
    "an answer to nothing is kept": ("I-2", "what nobody sent", nobody_sent),
    "a request has no outcome": ("I-3", "nothing was heard of it", nothing_sent),
    "a submission has no receipt": ("I-3", "no receipt", lost_receipts),
    "an event is lost on its way": ("I-4", "not on the topic", drop_published("closed")),
    "the topic has a gap": ("I-4", "stands where", drop_published("dispatched")),
    "a row is deleted": ("I-4", "stands where", drop_stored("checked")),
    "a repeat has other bytes": ("I-4", "has other bytes than that", copy_with_other_bytes),
    "an event's bytes were edited": ("I-4", "other bytes than the ledger", edit_stored),
    "first copies are out of order": ("I-4", "stands where", swap),
    "an event is on a wrong partition": ("I-4", "as its key says", other_partition),
    "a message was never sent": ("I-5", "never sent", outbox_left),
    "a wake is left over": ("I-5", "the wake overdue", leave_a_wake),
    "the wake of a case is lost": ("I-5", "is there 0 times", lose_a_wake("dispatch")),
    "the wake of a report is lost": ("I-5", "is there 0 times", lose_a_wake("intake")),
    "a limit was told early": ("I-12", "has passed", tell_a_breach("2026-11-24T03:59:59Z", NOON)),
    "a limit was told twice": ("I-12", "twice", tell_a_breach(NOON, NOON, twice=True)),
    "a state is behind its events": ("I-5", "the state stands at", state_behind),
    "a state has no events": ("I-5", "a state without events", state_of_nothing),
    "a unit that handles is to check": ("I-10", "is to check it", reworded("check_assigned", chosen("sanitation"))),
    "another unit checked": ("I-10", "checked by another unit", reworded("checked", done_by("court"))),
    "an act after it was voided": ("I-11", "after the case was voided", act_after("voided")),
    "a department was not told": ("I-5", "told 0 times", task_untold),
    "a department was told twice": ("I-5", "told 2 times", task_told_twice),
    "a position is ahead": ("I-6", "the position is", move_position(1)),
    "a position is behind": ("I-6", "the position is", move_position(-1)),
    "a position is gone": ("I-6", "the position is 0", drop_position),
    "a report opened two cases": ("I-6", "opened 2 cases", open_twice),
    "a filed report opened no case": ("I-6", "opened 0 cases", case_never_opened),
    **OF_MERGES,
    "a document was not copied": ("I-6", "published and copied differ", document_missing),
    "a content was not copied": ("I-6", "not the newest revision", content_behind),
    "something waits for nothing": ("I-7", "without a reason and without a gap", hold(reason=None, ahead=1)),
    "something waits for what came": ("I-7", "on the topic", hold(reason=None, ahead=2)),
    "a dead letter was passed": ("I-7", "held, though the position", hold(reason="crashed", ahead=0)),
    "its document is there": ("I-7", "is there", hold(reason=None, ahead=1, waits_for="units/jiaohe/1")),
    "a handler checked": ("I-10", "which handles the case", reworded("checked", by("sanitation"))),
    "a handler closed": ("I-10", "which handles the case", reworded("closed", by("sanitation", "duty_leader"))),
    "closed without a check": ("I-11", "without a check that passed", reworded("checked", failed_check)),
    "closed with an open leg": ("I-11", "closed while leg", lose("leg_fed_back")),
    "closed before a re-inspection passed": (
        "I-11",
        "before the re-inspection of leg",
        reworded("leg_signed", by("sanitation", "department"), type_=ORDERED_BY_LAW),
    ),
    "closed with two leads": ("I-11", "closed with 3 lead legs", reworded("dispatched", two_leads)),
    "dispatched with two leads": ("I-11", "dispatch 1 of the case", reworded("dispatched", two_leads)),
    "waived by a department": ("I-11", "waived by a", reworded("leg_fed_back", by("x", "department"), type_=WAIVED)),
    "an act after the closure": ("I-11", "after the case was closed", act_after("closed")),
    "another unit verified": ("I-13", "supervision-centre was to look", reworded("verified", done_by("court"))),
    "acceptance used up the time of a verification": ("I-12", "no pause of acceptance", reworded("verified", no_pause)),
    "acceptance told something meanwhile": (
        "I-12",
        "while somebody was to verify",
        reworded("verified", half_used, type_="jointenforcement.report.clock_warned.v1"),
    ),
    "signed for another": ("I-13", "on another's leg", reworded("leg_signed", by("housing", "department"))),
    "an effect is in another's name": ("I-13", "in the name of", reworded("checked", by_another)),
    "a figure counts other events": ("I-15", "events counted; the topic has", drop_published("leg_signed")),
    "a figure hides what is held": ("I-15", "0 streams held", hold(reason="crashed", ahead=1)),
    "a total is wrong": ("I-15", "numerator is 99", figure("", "numerator", 99)),
    "a percentage is wrong": ("I-15", "percentage is 98.26", figure("", "percentage", "98.26")),
    "a group's figure is wrong": ("I-15", "open is 99", figure("street", "open", 99)),
    "a reopening is not taken back": ("I-15", "numerator is 99", figure("level", "numerator", 99)),
    "a voided case is hidden": ("I-15", "voided is 0", figure("", "voided", 0)),
    "a figure beside is wrong": ("I-15", "reworked times is 99", wrong_beside("reworked", "times", 99)),
    "a figure beside hides a case": ("I-16", "opens 0 times", lose_row_behind("&counted=suspended")),
    "a figure hides a case": ("I-16", "opens 0 times", lose_row_behind("&counted=open")),
    "a unit's figure hides a leg": ("I-16", "opens 0 times", lose_row_behind("&counted=fed_back")),
    "an open case says no reason": ("I-16", "does not say why", lose_row_behind("&reasons")),
    "a hash was made up": ("I-17", "does not follow", hash_of_another),
    "history was edited": ("I-17", "does not follow", edit_stored),
    "two cases have one number": ("ADR 0019", "is the number of 2 cases", number_of_another),
    "a number is of another day": ("ADR 0019", "is no number of a case that was opened", number_of_another_day),
    "a department hears another number": ("ADR 0019", "heard of 220281-JE-20261123-9", told_by_another_number),
}


def named(findings: list[Finding], invariant: str, what: str) -> bool:
    return any(finding.invariant == invariant and what in finding.what for finding in findings)


@pytest.mark.parametrize("name", PLANTS)
def test_a_planted_violation_is_found_under_its_invariant(facts: Facts, name: str) -> None:
    invariant, what, plant = PLANTS[name]
    findings = judge(plant(facts))
    assert named(findings, invariant, what), "\n".join(map(str, findings)) or "nothing was found"


# ------------------------------------------------------------------------------- planted in the file and the city


def test_an_answer_that_was_edited_in_the_history_is_found(facts: Facts, one_city: City, tmp_path: Path) -> None:
    lines = [json.loads(line) for line in one_city.history.path.read_text(encoding="utf-8").splitlines()]
    edited = first(lines, lambda line: line["kind"] == "answered" and line["outcome"] == "accepted")
    edited["subject"] = MISSING
    file = tmp_path / "edited.jsonl"
    file.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    findings = judge(replace(facts, asked=read_history(file)))
    assert named(findings, "I-2", f"heard Heard(outcome='accepted', code=None, subject='{MISSING}'")


async def test_rows_that_were_edited_in_the_databases_are_found(facts: Facts, one_city: City) -> None:
    (case,) = await one_city.fetch("SELECT stream, closed_at FROM analytics.case_facts WHERE closed_at NOTNULL LIMIT 1")
    connection = await one_city.database()
    edit_fact, edit_case = (
        "UPDATE analytics.case_facts SET closed_at = $2 WHERE stream = $1",
        "UPDATE dispatch.cases SET campaign = $2 WHERE stream = $1",
    )
    try:
        await connection.execute(edit_fact, case["stream"], None)
        await connection.execute(edit_case, case["stream"], "another")
        findings = await check(one_city.history.path, CheckedCity(stage=one_city.stage))
    finally:
        await connection.execute(edit_fact, case["stream"], case["closed_at"])
        await connection.execute(edit_case, case["stream"], None)
        await connection.close()
    assert named(findings, "I-15", "numerator is")
    assert named(findings, "I-16", "opens 0 times")
    told = {finding.where for finding in findings if finding.invariant == "I-9"}
    assert told == {"joint verify dispatch", "joint rebuild"}
