"""The token issuer of an embedded system: who a caller is, signed with ES256.

In production an identity provider does this; the services only ever see its public keys.
"""

from __future__ import annotations

import json
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from joserfc import jwt
from joserfc.jwk import ECKey

from deploy.embedded.home import write_public
from shared.kernel.clock import SystemClock

if TYPE_CHECKING:
    from deploy.embedded.credentials import Credentials
    from deploy.embedded.home import Home
    from shared.kernel.clock import Clock

AUDIENCE: Final = "joint"
DEFAULT_LIFETIME: Final = timedelta(hours=8)


class TokenIssuer:
    """Signs tokens with the key of one home; `issuer` becomes their `iss`."""

    def __init__(self, credentials: Credentials, issuer: str, clock: Clock | None = None) -> None:
        self._key = ECKey.import_key(dict(credentials.signing_key))
        self._issuer = issuer
        self._clock = clock or SystemClock()

    def issue(
        self,
        client: str,
        unit: str,
        post: str,
        person: str | None = None,
        lifetime: timedelta = DEFAULT_LIFETIME,
    ) -> str:
        """Return a token that says: `client` calls for this unit and post, and for this person if one is named."""
        now = self._clock.now()
        claims: dict[str, Any] = {
            "iss": self._issuer,
            "aud": AUDIENCE,
            "sub": client,
            "iat": int(now.timestamp()),
            "exp": int((now + lifetime).timestamp()),
            "jti": secrets.token_urlsafe(12),
            "unit": unit,
            "post": post,
        }
        if person is not None:
            claims["person"] = person
        return jwt.encode({"alg": "ES256", "kid": self._key.kid}, claims, self._key, algorithms=["ES256"])

    def write_public_keys(self, home: Home) -> None:
        """Write the JSON Web Key Set with which the services verify tokens."""
        keys = {"keys": [self._key.as_dict(private=False)]}
        write_public(home.public_keys, json.dumps(keys, indent=2) + "\n")
