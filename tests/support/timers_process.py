"""A worker as a process of its own: it fires the reminders of a database when the answers' topic has been consumed."""

import msgspec

from shared.ledger.engine import create_ledger_engine
from shared.ledger.timers import Timers
from shared.messaging.connection import KafkaConnection
from shared.messaging.consumer import Subscription
from shared.messaging.inbound import ConsumedTopics
from shared.messaging.worker import Worker
from tests.support.reminders import reminders_on, translate


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    bootstrap: str
    username: str | None
    password: str | None
    database: str
    service: str
    group: str
    answers: str


async def work(plan: Plan) -> None:
    engine = create_ledger_engine(plan.database, application=plan.service)
    ledger = reminders_on(engine, plan.service)
    kafka = KafkaConnection(
        bootstrap=(plan.bootstrap,), client_id=plan.service, username=plan.username, password=plan.password
    )
    reception = ledger.reception(plan.group, translate)
    answers = Subscription(group=plan.group, topics=(plan.answers,), handle=reception.consume)
    timers = Timers(ledger, ConsumedTopics(kafka, [answers]), every_seconds=0.1)
    await Worker(kafka=kafka, service=plan.service, engine=engine, subscriptions=[answers], tasks=[timers.run]).run()
    await engine.dispose()
