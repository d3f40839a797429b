"""A running system as the campaign's outside sees it: addresses, tokens and broker users for each party.

This is the one place where a campaign looks into the home of the system: to be let in, as an identity provider and an
administrator of the broker would let it in. Nothing else is taken from there.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from deploy.campaign.assignment import Assignment, Broker, Role
from deploy.campaign.centres import POSTS, UNIT
from deploy.campaign.door import Door
from deploy.campaign.plan import PlanProblem
from deploy.campaign.problems import Problem, Scene, units_of
from deploy.embedded.access import register_parties
from deploy.embedded.backbone import access_of
from deploy.embedded.credentials import load_credentials
from deploy.embedded.home import Home, write_private
from deploy.embedded.identity import TokenIssuer
from deploy.embedded.services import api_addresses, process_addresses
from deploy.embedded.settings import SystemSettings
from shared.contracts.reference import Catalogue, Places, Routing, Units
from shared.contracts.registry import department_principal, source_principal

D = TypeVar("D", Catalogue, Routing, Units, Places)

_CLIENT = "campaign"


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Where a campaign is played."""

    home: Home
    settings: SystemSettings

    @property
    def api(self) -> dict[str, str]:
        """Return the address of each service's API."""
        return api_addresses(self.home)

    @property
    def processes(self) -> dict[str, str]:
        """Return where each of the six processes tells its health and metrics."""
        return process_addresses(self.home)

    def token(self, client: str, unit: str, post: str) -> str:
        """Return a token for a client program at a post of a unit."""
        return TokenIssuer(load_credentials(self.home), self.settings.token_issuer).issue(client, unit, post)

    def reader(self) -> Door:
        """Return a door for looking only: that of the evaluator."""
        return Door(self.api, self.token(_CLIENT, UNIT, "evaluator"))

    def admit(self, sources: Sequence[str], departments: Sequence[str]) -> None:
        """See that these parties have topics, users and rights."""
        register_parties(self.home, self.settings, sources=sources, departments=departments)

    def broker(self, principal: str) -> Broker:
        """Return how a principal reaches the broker."""
        access = access_of(self.home, self.settings, principal)
        return Broker(bootstrap=access.bootstrap, username=access.username, password=access.password)


async def scene_of(door: Door, catalogue: str, city: str = "jiaohe") -> Scene:
    """Read the reference documents that the campaign plays under.

    Raises:
        PlanProblem: when the catalogue is not published.
    """
    (found, version), (routing, _), (units, _), (places, _) = await asyncio.gather(
        _document(door, "catalogue", catalogue, Catalogue),
        _document(door, "routing", city, Routing),
        _document(door, "units", city, Units),
        _document(door, "places", city, Places),
    )
    return Scene(catalogue=found, catalogue_version=version, routing=routing, units=units, places=places)


async def _document(door: Door, kind: str, name: str, shape: type[D]) -> tuple[D, int]:
    reply = await door.get("dispatch", f"/v1/reference/{kind}/{name}")
    if not reply.accepted:
        raise PlanProblem(f"The system publishes no {kind} {name}: {reply}. Look at campaign.catalogue in the plan.")
    return msgspec.convert(reply.document["document"], shape), reply.document["version"]


def cast(stage: Stage, scene: Scene, problems: Sequence[Problem], since: datetime, folder: Path) -> list[Assignment]:
    """Return the parties' assignments, after giving each party what it needs to get in.

    The sources report over their topics. Those of them that handle too work over their topics; every other unit
    shares a counter that works over HTTP. Whatever unit is to check, one program has its collectors.
    """
    sources = sorted({problem.source for problem in problems})
    units = units_of(problems)
    on_topics = [unit for unit in units if unit in sources]
    at_counter = [unit for unit in units if unit not in sources]
    stage.admit(sources, units)
    file = folder / "problems.json"
    write_private(file, msgspec.json.encode(problems).decode())

    def assignment(role: Role, party: str, tokens: dict[str, str], broker: Broker | None) -> Assignment:
        return Assignment(
            role=role, party=party, problems_file=str(file), since=since, api=stage.api, tokens=tokens, broker=broker
        )

    def department_token(unit: str) -> str:
        return stage.token(unit, unit, "department")

    collectors = {
        unit.code: stage.token(f"{unit.code}.collector", unit.code, "collector")
        for unit in scene.units.units
        if "collector" in unit.posts
    }
    posts = {post: stage.token(f"{UNIT}.{post}", UNIT, post) for post in POSTS}
    return [
        assignment("centre", UNIT, posts, None),
        assignment("collectors", "collectors", collectors, None),
        *(
            [assignment("counter", "counter", {unit: department_token(unit) for unit in at_counter}, None)]
            if at_counter
            else []
        ),
        *(
            assignment("department", unit, {unit: department_token(unit)}, stage.broker(department_principal(unit)))
            for unit in on_topics
        ),
        *(assignment("source", source, {}, stage.broker(source_principal(source))) for source in sources),
    ]
