"""What was forgotten is not kept among held messages either (I-14): a repeat of a submission that crashed, say."""

from contextlib import suppress
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncEngine

from shared.contracts.envelope import CloudEvent, read_event
from shared.contracts.records import Record
from shared.contracts.registry import SUBMISSIONS_PREFIX
from shared.kernel.errors import Unreadable
from shared.ledger.arrivals import decode_record
from shared.ledger.held import HeldMessageError, skip_held
from shared.ledger.load import lock_requests
from shared.ledger.requests import request_of
from shared.ledger.vault import Vault

_OPERATOR: Final = "forgetting"
_REASON: Final = "What it reported was forgotten."
_DEAD: Final = "SELECT id, record FROM held WHERE reason IS NOT NULL AND starts_with(topic, $1) ORDER BY id LIMIT 10000"
_FORGOTTEN: Final = "SELECT stream FROM private WHERE stream = ANY($1::uuid[]) AND sealed IS NULL"


async def give_up_forgotten(engine: AsyncEngine, vault: Vault, *, service: str) -> int:
    """Give up the dead letters of submissions whose report was forgotten; return how many.

    They are told by their request: (source, id) was answered with that report. Each is answered and recorded as if an
    operator had given it up.
    """
    numbers = await _forgotten(engine, vault)
    for number in numbers:
        # An operator may have dealt with it since.
        with suppress(HeldMessageError):
            await skip_held(engine, vault, number, service=service, operator=_OPERATOR, reason=_REASON)
    return len(numbers)


async def _forgotten(engine: AsyncEngine, vault: Vault) -> list[int]:
    async with engine.begin() as connection:
        rows = (await connection.exec_driver_sql(_DEAD, (SUBMISSIONS_PREFIX,))).all()
        requests = {row.id: _request(decode_record(vault.open(row.record))) for row in rows}
        answered = await lock_requests(connection, requests.values())
        reports: dict[int, UUID] = {
            number: subject
            for number, request in requests.items()
            if request in answered and (subject := answered[request].answer.subject) is not None
        }
        found = await connection.exec_driver_sql(_FORGOTTEN, (sorted(set(reports.values())),))
        forgotten = set(found.scalars())
    return [number for number, report in reports.items() if report in forgotten]


def _request(record: Record) -> tuple[str, str]:
    try:
        event: CloudEvent | None = read_event(record.headers, record.value)
    except Unreadable:
        event = None
    request = request_of(record, event)
    return request.party, request.key
