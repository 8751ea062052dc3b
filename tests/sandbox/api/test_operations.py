"""The marketplace key, and what an org has by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from ddoauth_kit.sandbox.api import operations as api
from ddoauth_kit.sandbox.facts.catalogue import catalogue
from ddoauth_kit.sandbox.resources.all_kinds import RESOURCE_HANDLERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Partner

    from ddoauth_kit.sandbox import Sandbox


@pytest.mark.behaviour("api-key-created")
@pytest.mark.behaviour("api-key-name")
def test_key_comes_as_documented(partner: Partner) -> None:
    """The response is 201 and a JSON:API resource with the value, only once."""
    answer = partner.make_key()
    assert answer.status_code == 201
    data = answer.json()["data"]
    attributes = data["attributes"]
    assert data["type"] == "api_keys"
    assert len(attributes["key"]) == 32
    assert attributes["key"].startswith("sandbox-key-")
    assert attributes["last4"] == attributes["key"][-4:]
    name = f"[Sandbox Integration] OAuth Client API Key {partner.client.client_id}"
    assert attributes["name"] == name
    assert attributes["created_at"] == attributes["modified_at"]
    assert attributes["category"] == "default"
    assert attributes["remote_config_read_enabled"] is False
    admin = {"data": {"type": "users", "id": partner.sandbox.orgs["us1"][0].admin.id}}
    assert data["relationships"] == {"created_by": admin, "modified_by": admin}


@pytest.mark.behaviour("api-key-once")
def test_second_key_is_refused(
    partner: Partner, sandbox: Sandbox, make_partner: Callable[..., Partner]
) -> None:
    """One key per client and org; another org, client or site has its own."""
    assert partner.make_key().status_code == 201
    again = partner.make_key()
    assert again.status_code == 409
    assert again.json() == {"errors": ["An API key with this name already exists"]}
    second_org = partner.tokens(dd_oid=sandbox.orgs["us1"][1].id)["access_token"]
    assert partner.make_key(second_org).status_code == 201
    private = make_partner(sandbox, client=sandbox.private_client("us1"))
    assert private.make_key().status_code == 201
    assert make_partner(sandbox, "us3").make_key().status_code == 201


@pytest.mark.behaviour("api-key-again")
def test_key_can_be_made_again_after_revoking(partner: Partner, sandbox: Sandbox) -> None:
    """Only the customer can end a key, and then the client may make another."""
    first = partner.make_key().json()["data"]
    [key] = sandbox.api_keys("us1")
    assert (key.id, key.last4) == (first["id"], first["attributes"]["last4"])
    assert first["attributes"]["key"] not in repr(key)
    assert sandbox.revoke_api_key(key.id)
    assert not sandbox.revoke_api_key(key.id)
    assert partner.make_key().json()["data"]["id"] != key.id


@pytest.mark.behaviour("monitor-not-found")
def test_monitors(partner: Partner) -> None:
    """The org has two sample monitors, found by their ids and by nothing else."""
    token = partner.tokens()["access_token"]
    monitors = partner.call("/api/v1/monitor", token=token).json()
    assert len(monitors) == 2
    for monitor in monitors:
        one = partner.call(f"/api/v1/monitor/{monitor['id']}", token=token)
        assert one.json() == monitor
    for wrong in ("0", "x", f"0{monitors[0]['id']}"):
        answer = partner.call(f"/api/v1/monitor/{wrong}", token=token)
        assert (answer.status_code, answer.json()) == (404, {"errors": ["Monitor not found"]})


@pytest.mark.behaviour("org-apart")
def test_orgs_do_not_see_each_other(partner: Partner, sandbox: Sandbox) -> None:
    """Users, monitors and data belong to the org of the token or the key."""
    first = partner.tokens()["access_token"]
    second = partner.tokens(dd_oid=sandbox.orgs["us1"][1].id)["access_token"]
    series = [{"metric": "a.b", "points": [{"timestamp": 1767225600, "value": 1}]}]
    sent = partner.call("/api/v2/series", key=partner.key(), json={"series": series})
    assert sent.status_code == 202
    names = []
    for token in (first, second):
        answer = partner.call("/api/v1/metrics", token=token, params={"from": "0"})
        names.append(answer.json()["metrics"])
    assert names == [["a.b"], []]
    users = [
        partner.call("/api/v2/current_user", token=token).json()["data"]["attributes"]["email"]
        for token in (first, second)
    ]
    assert users == ["ada@acme.example", "grace@globex.example"]


def test_handlers_serve_operations() -> None:
    """Each handler is at an address of the catalogue, and none is at two."""
    served = {(operation.method, operation.path) for operation in catalogue().operations}
    assert {*api.HANDLERS, *RESOURCE_HANDLERS} <= served
    assert not set(api.HANDLERS) & set(RESOURCE_HANDLERS)
