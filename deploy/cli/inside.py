"""An operator's way into the services' databases and topics, with each service's own role: nothing else can look."""

import base64
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from deploy.campaign.stage import Stage
from deploy.embedded.backbone import access_of, backbone_of
from deploy.embedded.credentials import load_credentials
from deploy.embedded.databases import service_url
from services.dispatch import tables as dispatch_tables
from services.intake import tables as intake_tables
from shared.contracts.records import Record
from shared.contracts.registry import AUDITOR, Service
from shared.ledger.aggregate import Aggregate
from shared.ledger.engine import create_ledger_engine
from shared.ledger.vault import Vault
from shared.messaging.connection import KafkaConnection
from shared.messaging.reader import Place, read_all

CITY: Final = "jiaohe"


@dataclass(frozen=True, kw_only=True)
class Inside:
    """One service of this home, as its operator reaches it."""

    stage: Stage
    service: Service

    @property
    def database_url(self) -> str:
        """Return the address of the service's database, for its own role."""
        password = load_credentials(self.stage.home).database[self.service]
        backbone = backbone_of(self.stage.home, self.stage.settings)
        return service_url(backbone.database_url, self.service, password)

    @property
    def vault(self) -> Vault:
        """Return what opens the service's sealed bytes."""
        return Vault(base64.b64decode(load_credentials(self.stage.home).content_keys[self.service]))

    @property
    def aggregates(self) -> tuple[Aggregate, ...]:
        """Return the service's aggregates; analytics has none."""
        match self.service:
            case "intake":
                return (intake_tables.report_aggregate(CITY),)
            case "dispatch":
                return (dispatch_tables.case_aggregate(CITY), dispatch_tables.reference_aggregate(CITY))
            case "analytics":
                return ()

    @asynccontextmanager
    async def engine(self) -> AsyncIterator[AsyncEngine]:
        """Open the database, and close it afterwards."""
        engine = create_ledger_engine(self.database_url, application="joint", connections=2)
        try:
            yield engine
        finally:
            await engine.dispose()

    def read_topic(self, topic: str) -> AsyncIterator[Sequence[Record]]:
        """Read a topic from its first record to its end, as the auditor."""
        return read_all(self._auditor(), (topic,))

    def read_topics(self, topics: Sequence[str], *, since: Mapping[Place, int]) -> AsyncIterator[list[Record]]:
        """Read topics from these offsets to their end, as the auditor."""
        return read_all(self._auditor(), topics, since=since)

    def _auditor(self) -> KafkaConnection:
        access = access_of(self.stage.home, self.stage.settings, AUDITOR)
        return KafkaConnection(
            bootstrap=tuple(access.bootstrap.split(",")),
            client_id=AUDITOR,
            username=access.username,
            password=access.password,
        )
