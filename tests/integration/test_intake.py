"""Intake on real PostgreSQL: submissions become reports and receipts; what must be forgotten is nowhere any more."""

import random
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import msgspec
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from services.intake.app import Intake, reference_watch
from services.intake.consumers import after_references, translate
from services.intake.domain.commands import Accept, Act, File, Forget
from services.intake.domain.contents import digest_of
from services.intake.queries import ReportFilter
from services.intake.tables import metadata
from shared.contracts.common import Actor, Answer
from shared.contracts.envelope import MAXIMUM_BYTES, read_event
from shared.contracts.intake import Content, Reported
from shared.contracts.registry import INTAKE_CONTENTS, INTAKE_REPORTS
from shared.kernel.errors import Unavailable
from shared.kernel.identifiers import new_id
from shared.ledger.commands import Cause, Command
from tests.support import reports
from tests.support.dispatching import relayed
from tests.support.intaking import (
    answers,
    found_in_tables,
    intake_on,
    raw_record,
    receipts,
    received,
    reference_records,
    submitted,
    submitted_at,
    types,
)
from tests.support.reports import PRIVATE_WORDS, TRUSTED, UNTRUSTED, person
from tests.support.servers import Postgres
from tests.support.turning import now

FILED_AT_ONCE = [
    "jointenforcement.report.reported.v1",
    "jointenforcement.report.accepted.v1",
    "jointenforcement.report.filed.v1",
]


@pytest.fixture
async def intake(postgres: Postgres) -> AsyncIterator[Intake]:
    async with intake_on(postgres) as running:
        yield running


async def act(intake: Intake, report_id: UUID, body: Act, actor: Actor) -> Answer:
    command = Command(aggregate="report", stream=report_id, body=body, actor=actor, cause=Cause(correlation="test"))
    (outcome,) = await intake.ledger.execute([command])
    assert isinstance(outcome, Answer)
    return outcome


async def counted(intake: Intake, table: str) -> int:
    async with intake.engine.connect() as connection:
        found = await connection.execute(sa.text(f"SELECT count(*) FROM {table}"))
        return int(found.scalar_one())


async def test_the_migration_makes_the_tables_that_the_queries_know(intake: Intake) -> None:
    def differences(connection: sa.Connection) -> list[Any]:
        found = compare_metadata(MigrationContext.configure(connection), metadata)
        # What a comment says is for readers of the code; the database need not know it.
        return [one for one in found if not (isinstance(one, list) and one[0][0] == "modify_comment")]

    async with intake.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_a_complete_report_of_a_trusted_source_is_filed_at_once(intake: Intake) -> None:
    sent = await received(intake, submitted(id_="s-1"))
    (receipt,) = receipts(sent)
    assert (receipt.request, receipt.answer.outcome) == ("s-1", "accepted")
    assert types(sent, INTAKE_REPORTS) == FILED_AT_ONCE
    assert receipt.answer.subject is not None
    known = await intake.queries.find(receipt.answer.subject)
    assert known is not None
    assert (known.report.status, known.report.source) == ("filed", TRUSTED)


async def test_what_other_services_need_travels_on_contents_and_its_digest_in_the_event(intake: Intake) -> None:
    sent = await received(intake, submitted())
    (content,) = [record for record in sent if record.topic == INTAKE_CONTENTS]
    shared = msgspec.json.decode(content.value or b"", type=Content)
    assert (shared.description, shared.address) == (reports.DESCRIPTION, reports.ADDRESS)
    assert content.key == str(shared.report_id).encode()
    assert reports.PHONE.encode() not in (content.value or b"")
    reported = msgspec.json.decode(
        next(record.value for record in sent if record.topic == INTAKE_REPORTS) or b"", type=Reported
    )
    private = await intake.queries.content(shared.report_id)
    assert private is not None
    assert digest_of(msgspec.json.encode(private, order="deterministic")) == reported.content_digest


async def test_a_thousand_shuffled_repeats_have_one_effect_each_and_the_same_receipt(intake: Intake) -> None:
    bodies = {f"s-{number}": reports.submission(campaign=f"c-{number}") for number in range(20)}
    records = [submitted(body, id_=id_) for id_, body in bodies.items() for _ in range(50)]
    random.Random(7).shuffle(records)
    sent = [record for half in (records[:400], records[400:]) for record in await received(intake, *half)]

    told = receipts(sent)
    assert len(told) == 1000
    for id_ in bodies:
        assert len({msgspec.json.encode(receipt) for receipt in told if receipt.request == id_}) == 1
    assert types(sent, INTAKE_REPORTS) == FILED_AT_ONCE * 20
    assert await counted(intake, "reports") == 20


async def test_the_same_id_with_another_body_is_refused_and_changes_nothing(intake: Intake) -> None:
    (first,) = answers(await received(intake, submitted(id_="s-1")))
    sent = await received(intake, submitted(reports.submission(description="something else"), id_="s-1"))
    assert [(answer.outcome, answer.code) for answer in answers(sent)] == [("refused", "key_reused")]
    assert types(sent, INTAKE_REPORTS) == []
    (again,) = answers(await received(intake, submitted(id_="s-1")))
    assert again == first


async def test_the_same_id_of_two_sources_is_two_reports(intake: Intake) -> None:
    sent = await received(intake, submitted(id_="s-1"), submitted(id_="s-1", source=UNTRUSTED))
    assert [answer.outcome for answer in answers(sent)] == ["accepted", "accepted"]
    assert await counted(intake, "reports") == 2


async def test_bad_records_get_one_clear_receipt_each_and_stop_nobody(intake: Intake) -> None:
    body = msgspec.json.encode(reports.submission())
    bad = {
        "bad_envelope": raw_record([], b"\x00\xff garbage"),
        "too_large": submitted(body + b" " * MAXIMUM_BYTES),
        "unknown_type": submitted(type_="jointenforcement.leg.signed.v1"),
        "not_json": submitted(b"{"),
        "wrong_source": msgspec.structs.replace(submitted(), topic=f"intake.submissions.{UNTRUSTED}"),
        "invalid": submitted(reports.submission(category=reports.category("E9999"))),
    }
    nul = submitted(body.replace(reports.DESCRIPTION.encode(), b"\\u0000"))
    half = submitted(body.replace(reports.DESCRIPTION.encode(), b"\\ud83d"))
    stranger = submitted(source="nobody")
    sent = await received(intake, *bad.values(), submitted(id_="good"), nul, half, stranger)
    # Receipts keep their order on each topic; the one of the other source's topic comes after those of the first.
    ours = [code for code in bad if code != "wrong_source"]
    expected = [*ours, None, "invalid", "invalid", "wrong_source", "not_entitled_source"]
    assert [answer.code for answer in answers(sent)] == expected
    assert [error.code for answer in answers(sent)[-4:-2] for error in answer.errors] == [
        "nul_character",
        "lone_surrogate",
    ]
    assert await counted(intake, "reports") == 1
    assert await counted(intake, "held") == 0


async def test_a_record_that_cannot_be_read_gets_its_receipt_again_when_it_comes_again(intake: Intake) -> None:
    record = raw_record([("ce_id", b"\xff")], None)
    first = receipts(await received(intake, record))
    assert [(receipt.request, receipt.record) for receipt in first] == [(None, record.place)]
    assert receipts(await received(intake, record)) == first


async def test_a_waiting_report_is_accepted_and_filed_by_its_posts(intake: Intake) -> None:
    record = submitted_at(await now(intake.engine), source=UNTRUSTED)
    (answer,) = answers(await received(intake, record))
    report_id = answer.subject
    assert report_id is not None
    assert (await act(intake, report_id, File(), person("duty_leader"))).code == "wrong_state_report_reported"
    assert (await act(intake, report_id, Accept(), person("acceptor"))).outcome == "accepted"
    filed = await act(intake, report_id, File(expected_revision=2), person("duty_leader"))
    assert filed.position is not None
    assert (filed.position.topic, filed.position.sequence) == (INTAKE_REPORTS, 3)
    assert types(await relayed(intake.engine), INTAKE_REPORTS) == FILED_AT_ONCE[1:]


async def test_what_is_forgotten_is_found_nowhere_and_stays_equal_to_its_events(intake: Intake) -> None:
    before = await received(intake, submitted(reports.submission(campaign="autumn-drive")), submitted())
    first, second = (answer.subject for answer in answers(before))
    assert first is not None
    assert second is not None
    found = await found_in_tables(intake, [*PRIVATE_WORDS, "autumn-drive"])
    assert set(found) == {("events", "autumn-drive"), ("reports", "autumn-drive")}  # the search finds what is there
    for report_id in (first, second):
        assert (await act(intake, report_id, Forget(reason="asked"), person("leader"))).outcome == "accepted"
    after = await relayed(intake.engine)

    assert await intake.queries.content(first) is None
    assert await found_in_tables(intake, PRIVATE_WORDS) == []
    on_reports = b"".join(record.value or b"" for record in before + after if record.topic == INTAKE_REPORTS)
    assert [word for word in PRIVATE_WORDS if word.encode() in on_reports] == []
    # What the compaction of the topic leaves: the last record of each key.
    kept = {record.key: record.value for record in before + after if record.topic == INTAKE_CONTENTS}
    assert kept == {str(first).encode(): None, str(second).encode(): None}
    async with intake.engine.connect() as connection:
        sealed = await connection.execute(sa.text("SELECT count(*) FROM private WHERE sealed IS NOT NULL"))
    assert sealed.scalar_one() == 0


async def test_before_forgetting_the_content_is_there_for_those_who_may_read_it(intake: Intake) -> None:
    (answer,) = answers(await received(intake, submitted()))
    assert answer.subject is not None
    content = await intake.queries.content(answer.subject)
    assert content is not None
    assert content.contact is not None
    assert content.contact.phone == reports.PHONE


async def test_lists_are_newest_first_filtered_and_paged(intake: Intake) -> None:
    sent = await received(
        intake,
        *(submitted(reports.submission(campaign="autumn")) for _ in range(5)),
        submitted(source=UNTRUSTED),
    )
    subjects = [answer.subject for answer in answers(sent)]
    page, following = await intake.queries.page(ReportFilter(campaign="autumn"), limit=3)
    rest, end = await intake.queries.page(ReportFilter(campaign="autumn"), limit=3, before=following)
    assert [known.id for known in [*page, *rest]] == sorted(filter(None, subjects[:5]), reverse=True)
    assert end is None
    waiting, _ = await intake.queries.page(ReportFilter(state="reported", source=UNTRUSTED), limit=3)
    assert [known.id for known in waiting] == subjects[5:]
    nothing, _ = await intake.queries.page(ReportFilter(street="220281002"), limit=3)
    assert nothing == []


async def test_submissions_wait_until_the_reference_documents_have_arrived(postgres: Postgres) -> None:
    async with intake_on(postgres, with_references=False) as intake:
        consume = after_references(
            intake.ledger.reception("intake.submissions", translate).consume, intake.references, reports.CITY
        )
        watch = reference_watch(intake)
        with pytest.raises(Unavailable, match="units, places, catalogue"):
            await consume([submitted()])
        await watch.look()
        assert "places" in (watch.problem() or "")
        await intake.ledger.reference_copy("intake.reference").consume(reference_records())
        await consume([submitted()])
        await watch.look()
        assert watch.problem() is None
        assert [answer.outcome for answer in answers(await relayed(intake.engine))] == ["accepted"]


async def test_the_envelope_carries_the_sequence_and_the_cause(intake: Intake) -> None:
    id_ = str(new_id())
    sent = await received(intake, submitted(id_=id_))
    events = [read_event(record.headers, record.value) for record in sent if record.topic == INTAKE_REPORTS]
    assert [(event.sequence, event.causationid, event.correlationid) for event in events] == [
        (1, id_, id_),
        (2, id_, id_),
        (3, id_, id_),
    ]
    assert {event.source for event in events} == {"/joint/services/intake"}
