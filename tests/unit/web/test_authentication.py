"""Tokens: whom they stand for, and every way in which one is not to be trusted."""

import base64
import json
from datetime import timedelta
from pathlib import Path

import pytest
from joserfc.jwk import ECKey

from shared.contracts.common import Actor
from shared.kernel.clock import ManualClock
from shared.web.authentication import TokenVerifier
from shared.web.problem import ProblemError
from tests.support.web import ISSUER, NOON, Keys, client_of, token_by


def verifier(keys: Keys, clock: ManualClock | None = None) -> TokenVerifier:
    return TokenVerifier(jwks_file=keys.file, issuer=ISSUER, clock=clock or ManualClock(NOON))


def key_called(name: str) -> ECKey:
    return ECKey.generate_key("P-256", {"kid": name})


def refusal_of(verifier: TokenVerifier, token: str) -> str:
    with pytest.raises(ProblemError) as caught:
        verifier.verify(token)
    assert caught.value.problem.status == 401
    return caught.value.problem.code


def unsigned(token: str) -> str:
    """Return the token as one that claims to need no signature."""
    header = base64.urlsafe_b64encode(json.dumps({"alg": "none"}).encode()).rstrip(b"=").decode()
    return f"{header}.{token.split('.')[1]}."


def test_a_good_token_stands_for_its_actor(keys: Keys) -> None:
    token = keys.token(person="p-7", post="duty_leader", unit="supervision-centre")
    expected = Actor(client="console", unit="supervision-centre", post="duty_leader", person="p-7")
    assert verifier(keys).verify(token) == expected
    assert verifier(keys).verify(token) == expected


def test_a_token_for_several_audiences_may_name_us_among_them(keys: Keys) -> None:
    assert verifier(keys).verify(keys.token(aud=["other", "joint"])).client == "console"


@pytest.mark.parametrize(
    "changes, code",
    [
        ({"exp": int(NOON.timestamp()) - 60}, "token_expired"),
        ({"exp": None}, "token_not_trusted"),
        ({"iss": "https://other.example"}, "token_not_trusted"),
        ({"aud": "other"}, "token_not_trusted"),
        ({"sub": None}, "token_not_trusted"),
        ({"nbf": int(NOON.timestamp()) + 3600}, "token_not_trusted"),
        ({"unit": None}, "token_incomplete"),
        ({"post": "emperor"}, "token_incomplete"),
    ],
)
def test_a_token_with_a_wrong_claim_is_refused(keys: Keys, changes: dict[str, object], code: str) -> None:
    assert refusal_of(verifier(keys), keys.token(**changes)) == code


def test_a_token_signed_by_somebody_else_under_our_key_id_is_refused(keys: Keys) -> None:
    foreign = key_called("first")
    assert refusal_of(verifier(keys), token_by(foreign)) == "token_not_trusted"


def test_a_token_of_an_unknown_key_is_refused(keys: Keys) -> None:
    foreign = key_called("unknown")
    assert refusal_of(verifier(keys), token_by(foreign)) == "token_not_trusted"


def test_a_token_without_signature_is_refused(keys: Keys) -> None:
    assert refusal_of(verifier(keys), unsigned(keys.token())) == "token_not_trusted"


@pytest.mark.parametrize("token", ["nonsense", "a.b.c", "é.é.é", ""])
def test_what_is_no_token_is_refused(keys: Keys, token: str) -> None:
    assert refusal_of(verifier(keys), token) == "token_not_trusted"


def test_a_token_that_is_too_long_is_refused(keys: Keys) -> None:
    assert refusal_of(verifier(keys), "a" * 9000) == "token_malformed"


def test_a_remembered_token_is_refused_when_it_has_expired(keys: Keys) -> None:
    clock = ManualClock(NOON)
    remembering = verifier(keys, clock)
    token = keys.token()
    remembering.verify(token)
    clock.advance(timedelta(hours=2))
    assert refusal_of(remembering, token) == "token_expired"


def test_after_a_key_change_new_tokens_count_and_old_ones_do_not(tmp_path: Path) -> None:
    keys = Keys(tmp_path)
    remembering = verifier(keys)
    old = keys.token()
    remembering.verify(old)
    keys.rotate("second key")
    assert remembering.verify(keys.token()).client == "console"
    assert refusal_of(remembering, old) == "token_not_trusted"


@pytest.mark.parametrize("header", [None, "Basic abc", "Bearer", "Bearer "])
def test_a_request_without_a_bearer_token_is_answered_401(keys: Keys, header: str | None) -> None:
    with client_of(keys, token="") as client:
        response = client.get("/v1/list", headers={"Authorization": header} if header else {})
    assert response.status_code == 401
    assert response.json()["code"] == "token_missing"
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert response.headers["content-type"].startswith("application/problem+json")


def test_a_request_with_an_expired_token_is_answered_401(keys: Keys) -> None:
    with client_of(keys, token=keys.token(exp=int(NOON.timestamp()) - 60)) as client:
        response = client.get("/v1/list")
    assert (response.status_code, response.json()["code"]) == (401, "token_expired")


def test_what_a_browser_asks_before_a_request_needs_no_token(keys: Keys) -> None:
    with client_of(keys, token="") as client:
        response = client.options("/v1/list")
    assert response.status_code == 204
    assert "GET" in response.headers["Allow"]
