"""A report that is forgotten is forgotten among the held messages too (I-14)."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from services.intake.app import Intake
from services.intake.domain.commands import Forget
from shared.contracts.common import Answer
from shared.contracts.library import ReferenceLibrary
from shared.contracts.records import Record
from shared.ledger.commands import Cause, Command
from shared.ledger.forgetting import give_up_forgotten
from shared.ledger.held import list_held
from tests.support.dispatching import relayed
from tests.support.intaking import answers, intake_on, received, submitted
from tests.support.reports import person, submission
from tests.support.servers import Postgres


@pytest.fixture
async def intake(postgres: Postgres) -> AsyncIterator[Intake]:
    async with intake_on(postgres) as running:
        yield running


def planted(_record: Record, _library: ReferenceLibrary) -> Command:
    raise RuntimeError("planted")


async def crashed(intake: Intake, record: Record) -> None:
    await intake.ledger.reception("intake.submissions", planted).consume([record])


async def forget(intake: Intake, report: UUID) -> None:
    command = Command(
        aggregate="report",
        stream=report,
        body=Forget(reason="The reporter asked for it."),
        actor=person("administrator"),
        cause=Cause(correlation="test"),
    )
    [outcome] = await intake.ledger.execute([command])
    assert isinstance(outcome, Answer)
    assert outcome.outcome == "accepted", outcome


async def test_a_held_repeat_of_a_forgotten_report_is_given_up_and_answered_as_before(intake: Intake) -> None:
    [first, other] = answers(
        await received(intake, submitted(id_="forgotten"), submitted(submission(campaign="other"), id_="kept"))
    )
    for id_, body in (("forgotten", None), ("kept", submission(campaign="other")), ("never-taken", None)):
        await crashed(intake, submitted(body, id_=id_))
    await relayed(intake.engine)
    assert await give_up_forgotten(intake.engine, intake.ledger.vault, service="intake") == 0
    assert first.subject is not None
    await forget(intake, first.subject)
    await relayed(intake.engine)

    assert await give_up_forgotten(intake.engine, intake.ledger.vault, service="intake") == 1

    assert answers(await relayed(intake.engine)) == [first]
    assert len(await list_held(intake.engine)) == 2
    assert other.subject != first.subject
    assert await give_up_forgotten(intake.engine, intake.ledger.vault, service="intake") == 0
