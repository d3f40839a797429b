"""How clients of a system on this machine get in: parties, their broker access, tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deploy.embedded.backbone import access_of, provision_broker
from deploy.embedded.parties import load_parties, save_parties
from shared.contracts.registry import department_principal, source_principal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from deploy.embedded.home import Home
    from deploy.embedded.settings import SystemSettings
    from shared.messaging.access import KafkaAccess


def register_parties(
    home: Home, settings: SystemSettings, *, sources: Sequence[str] = (), departments: Sequence[str] = ()
) -> list[KafkaAccess]:
    """Make topics, users and rights of new parties on the running broker, and remember the parties.

    Known parties change nothing. Returns the access of each party named, sources first.

    Raises:
        SystemFailure: if a name cannot be a slug.
        Unavailable: if the broker does not answer.
    """
    parties = load_parties(home).with_more(sources, departments)
    provision_broker(home, settings, parties)
    save_parties(home, parties)
    users = [*map(source_principal, sources), *map(department_principal, departments)]
    return [access_of(home, settings, user) for user in users]
