"""How the checker reaches a running city: the broker as its administrator, the databases as their owner, the APIs."""

from dataclasses import dataclass
from typing import Final

from deploy.campaign.centres import UNIT
from deploy.campaign.stage import Stage
from deploy.cli.inside import Inside
from deploy.embedded.backbone import backbone_of
from shared.contracts.registry import Service
from shared.messaging.connection import KafkaConnection

CLIENT: Final = "history-checker"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedCity:
    """A running city, to be read."""

    stage: Stage

    @property
    def kafka(self) -> KafkaConnection:
        """Return the administrator's connection: it may read every topic."""
        access = backbone_of(self.stage.home, self.stage.settings).kafka
        return KafkaConnection(
            bootstrap=tuple(access.bootstrap.split(",")),
            client_id=CLIENT,
            username=access.username,
            password=access.password,
        )

    @property
    def database_url(self) -> str:
        """Return the database's owner's address; each service has a schema of its name."""
        return backbone_of(self.stage.home, self.stage.settings).database_url

    @property
    def analytics(self) -> str:
        """Return the address of the analytics API."""
        return self.stage.api["analytics"]

    def token(self) -> str:
        """Return a token of an evaluator, who may read every figure."""
        return self.stage.token(CLIENT, UNIT, "evaluator")

    def inside(self, service: Service) -> Inside:
        """Return an operator's way into a service."""
        return Inside(stage=self.stage, service=service)
