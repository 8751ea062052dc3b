"""Settings that one path reads and writes tell what was written, until they are forgotten."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Partner

DOMAINS, POLICY = "/api/v2/domain_allowlist", "/api/v2/restriction_policy/dashboard:abc-def-ghi"
ORDER = "/api/v1/logs/config/pipeline-order"


@pytest.fixture
def ask(partner: Partner) -> Callable[..., Any]:
    """Call the API with a token that may do everything."""
    token = partner.tokens()["access_token"]

    def call(method: str, path: str, body: Any = None) -> Any:
        return partner.call(path, token=token, method=method, json=body)

    return call


def allowlist(**attributes: Any) -> dict[str, Any]:
    """Write the body of an allowlist of domains."""
    return {"data": {"type": "domain_allowlist", "attributes": attributes}}


@pytest.mark.behaviour("described-settings")
def test_settings_are_read_back(ask: Callable[..., Any]) -> None:
    """A change appears in its response and in later reads, and keeps everything else."""
    told = ask("PATCH", DOMAINS, allowlist(domains=["@example.com"], enabled=True)).json()["data"]
    assert told["attributes"]["domains"] == ["@example.com"]
    ask("PATCH", DOMAINS, allowlist(enabled=False))
    kept = ask("GET", DOMAINS).json()["data"]["attributes"]
    assert (kept["domains"], kept["enabled"]) == (["@example.com"], False)
    ask("PUT", ORDER, {"pipeline_ids": ["two", "one"]})
    assert ask("GET", ORDER).json() == {"pipeline_ids": ["two", "one"]}


@pytest.mark.behaviour("described-settings")
def test_forgotten_settings_are_as_before(ask: Callable[..., Any]) -> None:
    """After a deletion, a read returns the same as before the first change."""
    before = ask("GET", POLICY).json()
    bindings = [{"principals": ["user:one"], "relation": "editor"}]
    identity = POLICY.rpartition("/")[2]
    body = {"type": "restriction_policy", "id": identity, "attributes": {"bindings": bindings}}
    assert ask("POST", POLICY, {"data": body}).status_code == 200
    assert ask("GET", POLICY).json()["data"]["attributes"]["bindings"] == bindings
    assert ask("DELETE", POLICY).status_code == 204
    assert ask("GET", POLICY).json() == before


def test_bad_settings_change_nothing(ask: Callable[..., Any]) -> None:
    """A body that the description rules out gets 400, and the old settings stay."""
    before = ask("GET", DOMAINS).json()
    assert ask("PATCH", DOMAINS, allowlist(domains="example.com")).status_code == 400
    assert ask("PATCH", DOMAINS, {"data": {"type": "wrong"}}).status_code == 400
    assert ask("GET", DOMAINS).json() == before


def test_settings_need_their_scope(partner: Partner) -> None:
    """A token without the scope is refused before the body is looked at."""
    token = partner.tokens(scope="metrics_read")["access_token"]
    for method in ("GET", "PATCH"):
        answer = partner.call(DOMAINS, token=token, method=method, json={})
        assert answer.status_code == 403


def test_a_policy_is_of_some_resource(ask: Callable[..., Any]) -> None:
    """The id of a restriction policy names a type and an id; any other text gets 400."""
    other = POLICY.replace("abc-def-ghi", "jkl-mno-pqr")
    assert ask("GET", other).json()["data"]["id"] == other.rpartition("/")[2]
    assert ask("GET", "/api/v2/restriction_policy/dashboards").status_code == 400
