"""Every secret of an embedded system: made at first start, kept in one file that only its owner reads.

A secret never changes by itself; a principal that is new gets one when it is first asked for.
"""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from joserfc.jwk import ECKey

from deploy.embedded.home import write_private

if TYPE_CHECKING:
    from collections.abc import Iterable

    from deploy.embedded.home import Home

SERVICES: Final = ("intake", "dispatch", "analytics")
ADMIN: Final = "admin"
BROKER: Final = "broker"
CONTROLLER: Final = "controller"
DATABASE_OWNER: Final = "postgres"
_CONTENT_KEY_BYTES: Final = 32


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """Passwords by name of principal or role, content keys (base64 of 32 bytes) by service.

    `signing_key` is the private ES256 key as a JSON Web Key.
    """

    kafka: dict[str, str]
    database: dict[str, str]
    content_keys: dict[str, str]
    signing_key: dict[str, str]

    def to_json(self) -> str:
        return json.dumps(vars(self), indent=2) + "\n"


def load_credentials(home: Home, principals: Iterable[str] = ()) -> Credentials:
    """Return the secrets of this home, making and writing those that do not exist yet.

    Every Kafka principal in `principals` has a password in the answer.
    """
    stored = json.loads(home.credentials.read_text()) if home.credentials.exists() else {}
    credentials = _complete(stored, {ADMIN, BROKER, CONTROLLER, *SERVICES, *principals})
    if vars(credentials) != stored:
        write_private(home.credentials, credentials.to_json())
    return credentials


def _complete(stored: dict[str, Any], principals: set[str]) -> Credentials:
    kafka = {name: _password() for name in sorted(principals)}
    database = {name: _password() for name in (DATABASE_OWNER, *SERVICES)}
    keys = {name: _content_key() for name in SERVICES}
    return Credentials(
        kafka=kafka | stored.get("kafka", {}),
        database=database | stored.get("database", {}),
        content_keys=keys | stored.get("content_keys", {}),
        signing_key=stored.get("signing_key") or _signing_key(),
    )


def _password() -> str:
    return secrets.token_urlsafe(24)


def _content_key() -> str:
    return base64.b64encode(secrets.token_bytes(_CONTENT_KEY_BYTES)).decode()


def _signing_key() -> dict[str, str]:
    key = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, private=True, auto_kid=True)
    return {name: str(value) for name, value in key.as_dict(private=True).items()}
