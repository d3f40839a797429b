"""Requests are counted by the template of their route and by status, whatever paths callers ask for."""

from prometheus_client import REGISTRY

from tests.support.web import CASE, SIGN, Keys, client_of


def counted(method: str, route: str, status: str) -> float:
    labels = {"method": method, "route": route, "status": status}
    return REGISTRY.get_sample_value("joint_http_request_seconds_count", labels) or 0.0


def label_sets() -> int:
    [family] = [family for family in REGISTRY.collect() if family.name == "joint_http_request_seconds"]
    return len([sample for sample in family.samples if sample.name.endswith("_count")])


def test_a_request_is_counted_by_the_template_of_its_route_and_its_status(keys: Keys) -> None:
    template = "/v1/cases/{case}/legs/{leg}/sign"
    good, bad = counted("POST", template, "200"), counted("POST", template, "400")
    with client_of(keys) as client:
        for number in range(3):
            headers = {"Idempotency-Key": f"key-{number}"}
            assert client.post(f"/v1/cases/{CASE}/legs/1/sign", json=SIGN, headers=headers).status_code == 200
        assert client.post(f"/v1/cases/{CASE}/legs/1/sign", json=SIGN).status_code == 400
    assert counted("POST", template, "200") == good + 3
    assert counted("POST", template, "400") == bad + 1


def test_a_failure_is_counted_too(keys: Keys) -> None:
    before = counted("GET", "/v1/broken", "500")
    with client_of(keys) as client:
        assert client.get("/v1/broken").status_code == 500
    assert counted("GET", "/v1/broken", "500") == before + 1


def test_paths_and_methods_of_strangers_make_no_new_labels(keys: Keys) -> None:
    with client_of(keys) as client:
        for method in ("GET", "ODD"):
            client.request(method, "/nowhere/first")
        known = label_sets()
        for number in range(20):
            client.request("GET", f"/nowhere/{number}")
            client.request(f"ODD{number}", f"/nowhere/{number}")
    assert label_sets() == known
    assert counted("GET", "unmatched", "404") >= 20
