"""The system of a source: publishes its problems as CloudEvents and waits for every receipt."""

import asyncio
from datetime import timedelta
from typing import Final

import msgspec

from deploy.campaign.assignment import Assignment, Voice
from deploy.campaign.problems import Problem
from shared.contracts.common import Receipt
from shared.contracts.envelope import CloudEvent, read_event
from shared.contracts.intake import ReportSubmission, SubmittedCategory, SubmittedPlace
from shared.contracts.registry import ANSWERED, INTAKE_RECEIPTS_PREFIX, SUBMISSIONS_PREFIX, party_uri
from shared.messaging.client import PartyClient

_REPEAT_SECONDS: Final = 20.0
"""Without a receipt for so long a submission is sent again under its id."""


async def run(assignment: Assignment) -> None:
    """Report every problem of this source and return when each has its receipt."""
    source = assignment.party
    problems = [problem for problem in assignment.problems() if problem.source == source]
    if assignment.broker is None:
        raise ValueError(f"The source {source} reports over its topic and needs a broker.")
    client = PartyClient(
        assignment.broker.connection(f"source.{source}"),
        outgoing=SUBMISSIONS_PREFIX + source,
        incoming=INTAKE_RECEIPTS_PREFIX + source,
        since=assignment.since,
    )
    waiting = {_event_id(problem): problem for problem in problems}
    async with client:
        listening = asyncio.create_task(_listen(client, waiting, Voice(f"source {source}")))
        try:
            while waiting:
                unanswered = list(waiting.values())
                await asyncio.gather(
                    *(client.send(_event(problem, assignment), mode=problem.mode) for problem in unanswered)
                )
                ended, _ = await asyncio.wait([listening], timeout=_REPEAT_SECONDS)
                for task in ended:
                    task.result()
        finally:
            listening.cancel()


async def _listen(client: PartyClient, waiting: dict[str, Problem], voice: Voice) -> None:
    """Take receipts until none is missing."""
    async for record in client.receive():
        event = read_event(record.headers, record.value)
        if event.type != ANSWERED:
            continue
        receipt = msgspec.json.decode(event.data or b"", type=Receipt)
        problem = waiting.pop(receipt.request or "", None)
        if problem is not None:
            _hear(receipt, problem, voice)
        if not waiting:
            return


def _hear(receipt: Receipt, problem: Problem, voice: Voice) -> None:
    voice.did(receipt.answer.outcome)
    if receipt.answer.outcome == "refused":
        errors = "; ".join(f"{error.field} {error.code}" for error in receipt.answer.errors)
        voice.trouble(f"problem {problem.number} was refused: {receipt.answer.code} {receipt.answer.detail} {errors}")


def _event_id(problem: Problem) -> str:
    return f"{problem.campaign}/{problem.number}"


def _event(problem: Problem, assignment: Assignment) -> CloudEvent:
    return CloudEvent(
        id=_event_id(problem),
        source=party_uri("sources", problem.source),
        type=ReportSubmission.type,
        time=assignment.since,
        data=msgspec.json.encode(submission(problem, assignment)),
    )


def submission(problem: Problem, assignment: Assignment) -> ReportSubmission:
    """Return what the source says of the problem."""
    category, place = problem.category, problem.place
    return ReportSubmission(
        category=SubmittedCategory(
            system=category.system, version=category.version, code=category.code, condition=category.condition
        ),
        place=SubmittedPlace(
            longitude=place.longitude, latitude=place.latitude, street=place.street, community=place.community
        ),
        observed_at=assignment.since - timedelta(minutes=problem.minutes_ago),
        description=problem.description,
        target_type=problem.target_type,
        campaign=problem.campaign,
    )
