"""Dispatch over HTTP on a real database, with its consumers fed by hand: cases brought as far as a test needs them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import msgspec
from httpx import Response

from services.dispatch.app import Dispatch, compose_on, migrate_and_seed
from services.dispatch.consumers import reaction, translate_ask
from services.dispatch.domain.acting import DISPATCH_ITSELF
from services.dispatch.domain.adjustments import FireClocks
from services.dispatch.tables import CASE
from shared.contracts.envelope import CloudEvent
from shared.contracts.intake import Content
from shared.contracts.registry import DISPATCH_MERGES, DISPATCH_REFERENCE, INTAKE_CONTENTS, party_uri
from shared.kernel.identifiers import new_id
from shared.ledger.commands import Cause, Command
from shared.ledger.engine import create_ledger_engine
from shared.ledger.vault import Vault
from tests.support.dispatch_client import COMMAND, SUPERVISION, DispatchClient, dispatch_client
from tests.support.dispatching import FIRE_LANE_UNITS, filed_report, record, relayed
from tests.support.servers import Postgres
from tests.support.web import Keys

CITY: Final = "jiaohe"
LEADERSHIP: Final = "city-leadership"
FAR_AHEAD: Final = datetime(2100, 1, 1, tzinfo=UTC)


class Feeder:
    """The consumers of dispatch."""

    def __init__(self, dispatch: Dispatch) -> None:
        self.dispatch = dispatch
        self.events = dispatch.ledger.policy("dispatch.events", reaction(CITY))
        self._merges = dispatch.ledger.reception("dispatch.merges", translate_ask)
        self._references = dispatch.ledger.reference_copy("dispatch.reference")
        self._contents = dispatch.ledger.contents_copy("dispatch.contents")

    async def content(self, case_id: UUID) -> None:
        """Deliver the private content of a report."""
        content = Content(report_id=case_id, description="车道被占", address="民主路 8 号", photos=("a.jpg",))
        event = CloudEvent(
            id=str(new_id()),
            source=party_uri("services", "intake"),
            type=Content.type,
            subject=str(case_id),
            sequence=1,
            data=msgspec.json.encode(content),
        )
        await self._contents.consume([record(INTAKE_CONTENTS, event)])

    async def relay(self) -> None:
        """Deliver what dispatch has published to dispatch itself, until nothing more comes of it."""
        while sent := await relayed(self.dispatch.engine):
            await self._references.consume([one for one in sent if one.topic == DISPATCH_REFERENCE])
            await self._merges.consume([one for one in sent if one.topic == DISPATCH_MERGES])

    async def time_passes(self, case_id: UUID) -> None:
        """Let every clock of the case run out, as its timer would."""
        body = FireClocks(case_id=case_id, due_at=FAR_AHEAD)
        await self.dispatch.ledger.execute(
            [
                Command(
                    aggregate=CASE,
                    stream=case_id,
                    body=body,
                    actor=DISPATCH_ITSELF,
                    cause=Cause(correlation=str(case_id)),
                )
            ]
        )


class Served(DispatchClient):
    """Dispatch over HTTP, and its consumers fed by hand."""

    feeder: Feeder

    async def filed(self) -> UUID:
        """File a report; return its case."""
        case_id = new_id()
        await self.feeder.events.consume(filed_report(case_id))
        return case_id

    async def handled(self) -> UUID:
        """Let every unit sign and feed back, the lead last; return the case."""
        case_id = await self.filed()
        for leg in (5, 4, 3, 2, 1):
            await self.fed_back(case_id, leg)
        return case_id

    async def signed(self, case_id: UUID, leg: int) -> None:
        """Let the unit of the leg sign."""
        done(await self.leg(case_id, leg, "sign", FIRE_LANE_UNITS[leg - 1]))

    async def fed_back(self, case_id: UUID, leg: int) -> None:
        """Let the unit of the leg sign and feed back."""
        await self.signed(case_id, leg)
        done(await self.leg(case_id, leg, "feedback", FIRE_LANE_UNITS[leg - 1], {"closing_condition": "lane clear"}))

    async def checked(self) -> UUID:
        """Handle a case and let its check pass; return it."""
        case_id = await self.handled()
        done(await self.check(case_id, passed=True))
        return case_id

    async def closed(self) -> UUID:
        """Handle, check and close a case; return it."""
        case_id = await self.checked()
        done(await self.close(case_id))
        return case_id

    async def act(self, case_id: UUID, act: str, unit: str, post: str, /, **body: object) -> None:
        """Do something to the case that must succeed."""
        done(await self.post(f"/v1/cases/{case_id}/{act}", body, unit, post))

    async def leads(self, case_id: UUID, act: str, /, **body: object) -> None:
        """Do what a duty leader does, which must succeed."""
        await self.act(case_id, act, SUPERVISION, "duty_leader", **body)

    async def dispatches(self, case_id: UUID, act: str, /, **body: object) -> None:
        """Do what a dispatcher does, which must succeed."""
        await self.act(case_id, act, COMMAND, "dispatcher", **body)

    async def dossier(self, case_id: UUID) -> dict[str, Any]:
        """Return everything about the case."""
        found: dict[str, Any] = (await self.get(f"/v1/cases/{case_id}")).json()
        return found


def done(response: Response) -> None:
    """See that a write was accepted."""
    assert response.status_code == 200, response.text


@asynccontextmanager
async def served(postgres: Postgres, folder: Path) -> AsyncIterator[Served]:
    """Serve dispatch on a fresh database, with the city's documents in force, while the block runs."""
    engine = create_ledger_engine(postgres.fresh_database("dispatch"), application="test")
    dispatch = compose_on(engine, Vault(bytes(32)), CITY)
    await migrate_and_seed(dispatch)
    feeder = Feeder(dispatch)
    await feeder.relay()
    keys = Keys(folder)
    async with dispatch_client(dispatch, keys) as client:
        found = Served(client.plain, keys)
        found.feeder = feeder
        yield found
    await engine.dispose()
