"""What every service's HTTP interface does with good and bad requests."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pytest
import structlog
from httpx import Response
from litestar import Litestar
from litestar.testing import TestClient

from shared.contracts.envelope import MAXIMUM_BYTES
from shared.kernel.errors import FieldError, Refusal
from shared.ledger.positions import Reached
from shared.observability.health import Health
from shared.web.problem import problem_of_refusal, status_of
from tests.support.web import CASE, SIGN, Keys, client_of

Client = TestClient[Litestar]
PATH = f"/v1/cases/{CASE}/legs/1/sign"
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def post(
    client: Client,
    json: object = None,
    *,
    content: bytes | str | Iterable[bytes] | None = None,
    key: str | None = "k-1",
    headers: Mapping[str, str] | None = None,
) -> Response:
    common = {"Content-Type": "application/json"} | ({"Idempotency-Key": key} if key is not None else {})
    return client.post(PATH, json=json, content=content, headers={**common, **(headers or {})})


def problem(response: Response, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"].startswith("application/problem+json")
    found: dict[str, Any] = response.json()
    assert found["status"] == status
    assert found["code"] == code
    assert found["type"] == f"urn:joint:problem:{code}"
    assert "Traceback" not in response.text
    return found


def test_a_handler_gets_body_actor_cause_and_key(client: Client) -> None:
    seen = post(client, json=SIGN, headers={"X-Correlation-Id": "abc", "traceparent": TRACEPARENT}).json()
    assert seen["actor"] == {"client": "console", "unit": "fire-rescue", "post": "department", "person": None}
    assert (seen["party"], seen["key"], seen["correlation"]) == ("console", "k-1", "abc")
    assert TRACEPARENT[3:35] in seen["traceparent"]


def test_every_wrong_field_is_named_at_once(client: Client) -> None:
    found = problem(post(client, json={"leg": 0, "colour": "red"}), 422, "invalid")
    assert {error["field"] for error in found["errors"]} == {"case_id", "leg", "colour"}


def test_a_body_that_is_no_json_is_refused(client: Client) -> None:
    problem(post(client, content=b'{"leg": '), 400, "not_json")


def test_a_missing_body_is_refused(client: Client) -> None:
    problem(post(client, content=b""), 400, "not_json")


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_another_content_type_is_refused(client: Client, content_type: str) -> None:
    problem(post(client, content=b"{}", headers={"Content-Type": content_type}), 415, "unsupported_media_type")


def test_json_with_a_character_set_is_read(client: Client) -> None:
    assert post(client, json=SIGN, headers={"Content-Type": "application/json; charset=utf-8"}).status_code == 200


def test_a_write_without_a_key_is_refused(client: Client) -> None:
    problem(post(client, key=None, json=SIGN), 400, "idempotency_key_missing")


@pytest.mark.parametrize("key", ["with space", "k" * 201])
def test_a_write_with_an_impossible_key_is_refused(client: Client, key: str) -> None:
    problem(post(client, key=key, json=SIGN), 400, "idempotency_key_invalid")


def test_the_digest_ignores_field_order_and_notices_another_body(client: Client) -> None:
    first = post(client, json=SIGN).json()["digest"]
    reordered = post(client, content=f'{{ "leg": 1, "case_id": "{CASE}" }}').json()["digest"]
    other = post(client, json={**SIGN, "expected_revision": 2}).json()["digest"]
    assert first == reordered != other


def test_a_body_over_the_limit_is_refused(client: Client) -> None:
    problem(post(client, content=b" " * (MAXIMUM_BYTES + 1)), 413, "too_large")


def test_a_body_over_the_limit_that_hides_its_length_is_refused(client: Client) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(17):
            yield b" " * (MAXIMUM_BYTES // 16)

    problem(post(client, content=chunks()), 413, "too_large")


def test_an_unknown_route_is_refused_with_a_correlation_id(client: Client) -> None:
    response = client.get("/v1/nowhere", headers={"X-Correlation-Id": "abc"})
    problem(response, 404, "not_found")
    assert response.headers["X-Correlation-Id"] == "abc"


def test_another_method_is_refused(client: Client) -> None:
    problem(client.delete("/v1/list"), 405, "method_not_allowed")


def test_every_wrong_parameter_is_named_at_once(client: Client) -> None:
    found = problem(client.get("/v1/list?limit=6&page=x"), 400, "invalid_parameter")
    assert {error["field"] for error in found["errors"]} == {"limit", "page"}


@pytest.mark.parametrize("path", ["/v1/broken", "/v1/failed"])
def test_a_failure_shows_nothing_of_the_inside_and_is_logged(client: Client, path: str) -> None:
    with structlog.testing.capture_logs() as lines:
        response = client.get(path)
    problem(response, 500, "failed")
    assert "secret" not in response.text
    assert "http.failed" in {line["event"] for line in lines}


def test_what_is_unavailable_may_be_tried_again(client: Client) -> None:
    response = client.get("/v1/unavailable")
    problem(response, 503, "unavailable")
    assert int(response.headers["Retry-After"]) > 0
    assert "secret" not in response.text


def test_a_strange_correlation_id_is_replaced(client: Client) -> None:
    answered = client.get("/v1/list", headers={"X-Correlation-Id": "a b"}).headers["X-Correlation-Id"]
    assert answered not in {"a b", ""}


def test_each_request_is_one_line_in_the_log(client: Client) -> None:
    with structlog.testing.capture_logs() as lines:
        client.get("/v1/list")
    (line,) = [line for line in lines if line["event"] == "http.answered"]
    assert (line["method"], line["path"], line["status"]) == ("GET", "/v1/list", 200)
    assert line["log_level"] == "debug", "of what succeeds nobody reads lines"


def test_what_was_refused_is_a_line_that_people_see(client: Client) -> None:
    with structlog.testing.capture_logs() as lines:
        client.get("/v1/nowhere")
    (line,) = [line for line in lines if line["event"] == "http.answered"]
    assert (line["status"], line["log_level"]) == (404, "info")


def test_an_accepted_answer_is_201_with_its_position(client: Client) -> None:
    response = client.get("/v1/answers/accepted")
    assert response.status_code == 201
    assert response.headers["Joint-Position"] == f"dispatch.cases:{CASE}:3"
    assert response.json()["outcome"] == "accepted"


@pytest.mark.parametrize(
    "code, status",
    [
        ("unknown_case", 404),
        ("stale_revision", 409),
        ("wrong_state_case_closed", 409),
        ("not_entitled_other_leg", 403),
        ("key_reused", 422),
        ("unknown_category", 422),
    ],
)
def test_a_refused_answer_is_a_problem_with_the_status_of_its_code(client: Client, code: str, status: int) -> None:
    found = problem(client.get(f"/v1/answers/{code}"), status, code)
    assert found["revision"] == 4
    assert status_of(code) == status


def test_a_refusal_becomes_a_problem_with_its_errors() -> None:
    refusal = Refusal(code="invalid", detail="No.", errors=(FieldError(field="a.b", code="bad", message="Bad."),))
    found = problem_of_refusal(refusal)
    assert [(error.field, error.code, error.message) for error in found.errors] == [("a.b", "bad", "Bad.")]


# ------------------------------------------------------------------------------------------------- after=


AFTER = f"dispatch.cases:{CASE}:3"


def test_a_read_without_a_position_waits_for_nothing(keys: Keys) -> None:
    with client_of(keys, reached=["held"]) as client:
        assert client.get("/v1/read").json() == {"read": True}


def test_a_read_waits_until_its_position_is_reached(keys: Keys) -> None:
    with client_of(keys, reached=["behind", "behind", "reached"]) as client:
        assert client.get("/v1/read", params={"after": AFTER}).json() == {"read": True}


@pytest.mark.parametrize("state", ["behind", "waiting", "held"])
def test_a_read_of_a_position_that_is_not_reached_is_answered_202(keys: Keys, state: Reached) -> None:
    with client_of(keys, reached=[state]) as client:
        response = client.get("/v1/read", params={"after": AFTER})
    assert response.status_code == 202
    assert int(response.headers["Retry-After"]) > 0
    assert (response.json()["state"], response.json()["after"]) == (state, AFTER)


@pytest.mark.parametrize(
    "after",
    [
        "",
        "dispatch.cases",
        "dispatch.cases:x:1",
        f"dispatch.cases:{CASE}:-1",
        f":{CASE}:1",
        f"dispatch.cases:{CASE}:{2**63}",
        f"dispatch\x00cases:{CASE}:1",
    ],
)
def test_a_position_that_is_none_is_refused(client: Client, after: str) -> None:
    problem(client.get("/v1/read", params={"after": after}), 400, "bad_after")


# --------------------------------------------------------------------------- health, descriptions, public routes


def test_health_metrics_and_descriptions_need_no_token(keys: Keys) -> None:
    with client_of(keys, token="") as client:
        assert client.get("/healthz").json() == {"alive": True}
        assert client.get("/readyz").json() == {"ready": True, "problems": {}, "notices": {}}
        assert "joint_" in client.get("/metrics").text
        assert client.get("/asyncapi.json").json() == {"asyncapi": "3.0.0"}
        assert client.get("/schema/openapi.json").status_code == 200


def test_a_process_that_cannot_work_says_why(keys: Keys) -> None:
    health = Health()
    health.add("consumer", lambda: "no assignment")
    with client_of(keys, health=health) as client:
        response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json() == {"ready": False, "problems": {"consumer": "no assignment"}, "notices": {}}


def test_openapi_describes_bodies_by_their_message_and_errors_as_problems(client: Client) -> None:
    description = client.get("/schema/openapi.json").json()
    operation = description["paths"]["/v1/cases/{case}/legs/{leg}/sign"]["post"]
    schemas = description["components"]["schemas"]
    assert operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("/SignLeg")
    assert set(schemas["SignLeg"]["properties"]) == {"case_id", "leg", "expected_revision"}
    assert "Idempotency-Key" in {parameter["name"] for parameter in operation["parameters"]}
    assert "400" not in operation["responses"]
    assert operation["responses"]["default"]["content"]["application/problem+json"]["schema"]["$ref"].endswith(
        "/Problem"
    )
    assert "errors" in schemas["Problem"]["properties"]
    assert description["security"] == [{"token": []}]


@pytest.mark.parametrize("path", ["/schema/swagger", "/schema/redoc", "/schema/elements", "/schema/rapidoc"])
def test_there_are_no_pages_that_load_from_other_servers(client: Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 404
    assert "<script" not in response.text
    assert "https:" not in response.text
