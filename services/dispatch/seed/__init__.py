"""The first version of every reference document, read from the files in `data`, and the commands that publish it.

The files serve a new city once. Later versions are published by an administrator: where a version exists already, a
changed file changes nothing.
"""

from collections.abc import Sequence
from typing import Final

import msgspec

from services.dispatch.domain.reference import PublishReference
from services.dispatch.domain.routing import HANDLING_KINDS
from services.dispatch.seed.city import places, units
from services.dispatch.seed.files import CITY
from services.dispatch.seed.rules import CATALOGUES, catalogue, routing
from services.dispatch.seed.working_time import calendar, limit_policy
from shared.contracts.common import Actor
from shared.contracts.reference import Document, Kind, reference_stream
from shared.contracts.registry import party_uri
from shared.contracts.validation import canonical_digest
from shared.ledger.commands import Cause, Command, Request

__all__ = [
    "AGGREGATE",
    "CATALOGUES",
    "CITY",
    "calendar",
    "catalogue",
    "department_codes",
    "documents",
    "limit_policy",
    "places",
    "routing",
    "seed_commands",
    "source_codes",
    "units",
]

AGGREGATE: Final = "reference"
"""The name under which the ledger must know the aggregate of `domain/reference.py`."""

_PUBLISHER: Final = Actor(client="dispatch", unit="joint-administration", post="administrator")


def documents() -> dict[tuple[Kind, str], Document]:
    """Return version 1 of every document by kind and name; what others refer to first."""
    return {
        ("units", CITY): units(),
        ("places", CITY): places(),
        **{("catalogue", system): catalogue(system) for system in CATALOGUES},
        ("routing", CITY): routing(),
        ("calendar", CITY): calendar(),
        ("limit_policy", CITY): limit_policy(),
    }


def seed_commands() -> Sequence[Command]:
    """Return the commands that publish version 1 of every document; a repeat changes nothing, whatever the files say.

    Their requests name the document and not its content: the answer to a repeat is the first one's.
    """
    return [_publish(kind, name, document) for (kind, name), document in documents().items()]


def source_codes() -> tuple[str, ...]:
    """Return the slugs of the parties that may submit reports: each has its topics."""
    return tuple(source.code for source in units().sources)


def department_codes() -> tuple[str, ...]:
    """Return the slugs of the units that handle cases (departments, services, streets): each has its topics."""
    return tuple(unit.code for unit in units().units if unit.kind in HANDLING_KINDS)


def _publish(kind: Kind, name: str, document: Document) -> Command:
    key = f"seed:{kind}:{name}"
    return Command(
        aggregate=AGGREGATE,
        stream=reference_stream(kind, name),
        body=PublishReference(kind=kind, name=name, document=msgspec.json.encode(document), expected_version=0),
        actor=_PUBLISHER,
        cause=Cause(correlation=key),
        request=Request(party=party_uri("services", "dispatch"), key=key, digest=canonical_digest(key, data=None)),
    )
