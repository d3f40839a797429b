"""The composition root of intake: from settings to the parts that the roles run. Tests replace parts by arguments."""

import re
from dataclasses import dataclass
from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from services.intake.consumers import after_references, react, translate, translate_ask
from services.intake.domain.admission import missing_documents
from services.intake.domain.commands import RecomputeClocks
from services.intake.domain.report import AGGREGATE
from services.intake.queries import CASES_CONSUMER, REFERENCE_CONSUMER, ReportQueries, outdated_reports
from services.intake.settings import Settings
from services.intake.tables import report_aggregate
from shared.contracts.registry import DISPATCH_CASES, DISPATCH_REFERENCE, INTAKE_MERGES, SUBMISSIONS_PREFIX
from shared.ledger.engine import create_ledger_engine
from shared.ledger.expiry import keep_expiring
from shared.ledger.ledger import Ledger
from shared.ledger.recomputing import Recomputing
from shared.ledger.references import References
from shared.ledger.seals import keep_sealing
from shared.ledger.timers import Timers
from shared.ledger.vault import Vault
from shared.messaging.connection import KafkaConnection
from shared.messaging.consumer import UNHURRIED_MILLISECONDS, Subscription
from shared.messaging.inbound import ConsumedTopics
from shared.messaging.worker import Task, Worker
from shared.observability.health import Health
from shared.runtime.watch import ReferenceWatch

SERVICE: Final = "intake"
SUBMISSIONS_CONSUMER: Final = "intake.submissions"
MERGES: Final = "intake.merges"


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """What every role needs: the database, the write path, the reads and the reference documents."""

    engine: AsyncEngine
    ledger: Ledger
    references: References
    queries: ReportQueries
    city: str


def compose(settings: Settings, *, role: str) -> Intake:
    """Return the parts; nothing is connected yet."""
    engine = create_ledger_engine(settings.database_url.get_secret_value(), application=f"{SERVICE}-{role}")
    return compose_on(engine, settings.vault(), settings.city)


def compose_on(engine: AsyncEngine, vault: Vault, city: str) -> Intake:
    """Return the parts on this database."""
    references = References(engine)
    ledger = Ledger(
        engine=engine, service=SERVICE, aggregates=(report_aggregate(city),), vault=vault, references=references
    )
    queries = ReportQueries(engine, vault, references, city)
    return Intake(engine=engine, ledger=ledger, references=references, queries=queries, city=city)


def build_worker(intake: Intake, kafka: KafkaConnection, *, health: Health, beside: tuple[Task, ...] = ()) -> Worker:
    """Return the worker: submissions, what reports ask, what becomes of cases and documents in; all that follows out.

    Beside them time does its work: wakes fire, and clocks follow the calendar. `beside` runs along.
    """
    submissions = intake.ledger.reception(SUBMISSIONS_CONSUMER, translate)
    merges = intake.ledger.reception(MERGES, translate_ask)
    cases = intake.ledger.policy(CASES_CONSUMER, react)
    documents = intake.ledger.reference_copy(REFERENCE_CONSUMER)
    watch = reference_watch(intake)
    health.add("references", watch.problem)

    async def expire() -> None:
        await keep_expiring(intake.engine, intake.ledger.vault, SERVICE)

    async def seal() -> None:
        await keep_sealing(intake.engine, SERVICE)

    deciding = [
        Subscription(
            group=SUBMISSIONS_CONSUMER,
            pattern=f"^{re.escape(SUBMISSIONS_PREFIX)}.*",
            handle=after_references(submissions.consume, intake.references, intake.city),
        ),
        Subscription(group=MERGES, topics=(INTAKE_MERGES,), handle=merges.consume),
    ]
    # A merge stops the clocks of its report. What becomes of a case stops none: timers do not wait for that.
    timers = Timers(intake.ledger, ConsumedTopics(kafka, deciding))
    health.add("timers", timers.problem)
    health.add_notice("timers", timers.notice)
    return Worker(
        kafka=kafka,
        service=SERVICE,
        engine=intake.engine,
        subscriptions=[
            *deciding,
            Subscription(
                group=CASES_CONSUMER,
                topics=(DISPATCH_CASES,),
                handle=cases.consume,
                gather_milliseconds=UNHURRIED_MILLISECONDS,
            ),
            Subscription(group=REFERENCE_CONSUMER, topics=(DISPATCH_REFERENCE,), handle=documents.consume),
        ],
        tasks=[
            submissions.keep_resuming,
            merges.keep_resuming,
            cases.keep_resuming,
            documents.keep_resuming,
            watch.run,
            timers.run,
            recomputing(intake).run,
            expire,
            seal,
            *beside,
        ],
        health=health,
    )


def recomputing(intake: Intake) -> Recomputing:
    """Return what lets the clocks of waiting reports follow a newer calendar or limit policy."""
    return Recomputing(
        ledger=intake.ledger,
        references=intake.references,
        city=intake.city,
        aggregate=AGGREGATE,
        outdated=outdated_reports,
        recompute=lambda _report: RecomputeClocks(),
    )


def reference_watch(intake: Intake) -> ReferenceWatch:
    """Return what follows whether the documents are here that reports are judged by."""
    return ReferenceWatch(
        engine=intake.engine,
        references=intake.references,
        missing=lambda library: missing_documents(library, intake.city),
    )
