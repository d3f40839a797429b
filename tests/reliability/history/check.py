"""The history checker: read a quiet city whole, and prove from what was read that nothing was lost, doubled or bent.

`check(history, city)` returns what it found; nothing found is the empty list. `read` and `judge` are its two halves:
the second needs no server.
"""

import asyncio
from pathlib import Path
from typing import Final

from confluent_kafka.admin import AdminClient

from deploy.embedded.backbone import administration
from tests.reliability.history.answers import check_answers
from tests.reliability.history.cases import check_cases
from tests.reliability.history.city import CheckedCity
from tests.reliability.history.copies import first_copies
from tests.reliability.history.effects import check_effects
from tests.reliability.history.facts import CONTENTS, DOORS, STREAM_TOPICS, Facts, Finding
from tests.reliability.history.figures import check_figures
from tests.reliability.history.numbers import check_numbers
from tests.reliability.history.positions import check_positions
from tests.reliability.history.read_figures import read_figures
from tests.reliability.history.read_history import read_deleted_topics, read_history
from tests.reliability.history.read_tables import read_tables
from tests.reliability.history.read_topics import read_topics
from tests.reliability.history.reports import check_reports
from tests.reliability.history.streams import check_streams
from tests.reliability.history.time import check_time
from tests.reliability.history.verdicts import read_verdicts
from tests.reliability.history.verifications import check_verifications

_SECONDS: Final = 10.0


async def check(history: Path, city: CheckedCity) -> list[Finding]:
    """Read everything and judge it. The city must be quiet: nothing on its way, nothing in an outbox."""
    return judge(await read(history, city))


async def read(history: Path, city: CheckedCity) -> Facts:
    """Read history, topics, tables and APIs, and let the operator's commands compare."""
    topics = await read_topics(city.kafka, await asyncio.to_thread(_topics, city))
    tables = await read_tables(city.database_url)
    return Facts(
        asked=read_history(history),
        incoming=topics.incoming,
        receipts=topics.receipts,
        deleted=read_deleted_topics(history),
        tasks=topics.tasks,
        published=topics.published,
        strangers=topics.strangers,
        contents=topics.contents,
        stored=tables.stored,
        requests=tables.requests,
        states=tables.states,
        positions=tables.positions,
        held=tables.held,
        given_up=frozenset(tables.given_up),
        outbox=tables.outbox,
        wakes=tables.wakes,
        needed_wakes=tables.needed_wakes,
        documents=tables.documents,
        copied=tables.copied,
        figures=await read_figures(city.analytics, city.token()),
        verdicts=await read_verdicts(city),
    )


def judge(facts: Facts) -> list[Finding]:
    """Return every violation that the facts show."""
    streams = first_copies(facts)
    return [
        *check_answers(facts),
        *check_effects(facts, streams),
        *check_streams(facts, streams),
        *check_positions(facts, streams),
        *check_time(facts, streams),
        *check_verifications(streams),
        *check_cases(streams),
        *check_reports(streams),
        *check_numbers(facts, streams),
        *check_figures(facts, streams),
        *facts.verdicts,
    ]


def _topics(city: CheckedCity) -> list[str]:
    """Return the topics to read, of those that exist."""
    access = administration(city.stage.home, city.stage.settings)
    admin = AdminClient(access.client_settings() | {"log_level": 0})
    wanted = (*DOORS, *DOORS.values())
    known = (*STREAM_TOPICS, CONTENTS)
    return sorted(
        name for name in admin.list_topics(timeout=_SECONDS).topics if name in known or name.startswith(wanted)
    )
