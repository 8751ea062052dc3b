"""Keys and tokens show whose they are, and the org's list shows when an app was used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ddoauth_kit.sandbox.facts.catalogue import catalogue
from ddoauth_kit.sandbox.facts.unserved import UNSERVED

if TYPE_CHECKING:
    import httpx
    from conftest import Partner

    from ddoauth_kit.sandbox import Sandbox


@pytest.mark.behaviour("validate-key-owner")
def test_a_key_names_its_organization(partner: Partner) -> None:
    """The id is the redirect's `dd_oid`; a wrong key and none get 403."""
    told = partner.callback()
    tokens = partner.exchange(told["code"]).json()
    made = partner.make_key(tokens["access_token"]).json()["data"]
    key = made["attributes"]["key"]
    data = partner.call("/api/v2/validate", key=key).json()["data"]
    assert (data["id"], data["type"]) == (told["dd_oid"], "validate_v2")
    assert data["attributes"]["api_key_id"] == made["id"]
    assert data["attributes"]["valid"] is True
    assert partner.call("/api/v2/validate", key="made-up").status_code == 403
    assert partner.call("/api/v2/validate").status_code == 403


@pytest.mark.behaviour("validate-bearer")
def test_any_good_token_is_told_so(partner: Partner) -> None:
    """It needs no scope, and a dead token gets 401."""
    token = partner.tokens(scope="mcp_read")["access_token"]
    answer = partner.call("/api/v2/validate_keys", token=token)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    assert partner.call("/api/v2/validate_keys", token="made-up").status_code == 401


@pytest.mark.behaviour("permissions-scopes")
def test_scopes_are_listed_on_request(partner: Partner) -> None:
    """Without the parameter partners' own scopes are missing, with it every scope is there."""
    token = partner.tokens()["access_token"]

    def names(query: str = "") -> set[str]:
        data = partner.call(f"/api/v2/permissions{query}", token=token).json()["data"]
        return {each["attributes"]["name"] for each in data}

    assert names("?include_scopes=true") == set(catalogue().descriptions)
    assert names("?include_scopes=true") - names() == {
        name for name, source in catalogue().sources.items() if source == "partners"
    }


@pytest.mark.behaviour("last-exercised")
def test_an_app_tells_when_it_was_used(partner: Partner, sandbox: Sandbox) -> None:
    """It is None before the first call, moves with each, and a revoked app leaves the list."""
    path = "/api/v2/org_authorized_clients"
    sandbox.clock.advance(3600)
    tokens = partner.tokens()

    def listed() -> list[dict[str, Any]]:
        answer = partner.call(path, token=tokens["access_token"])
        found: list[dict[str, Any]] = answer.json()["data"]
        return found

    (first,) = listed()
    assert first["attributes"] | {"last_exercised": ""} == {
        "disabled": False,
        "user_count": 1,
        "last_exercised": "",
    }
    assert first["attributes"]["last_exercised"].startswith("2026-01-01T01:00:00")
    sandbox.clock.advance(60)
    (second,) = listed()
    assert second["attributes"]["last_exercised"] > first["attributes"]["last_exercised"]
    one = partner.call(f"{path}/{first['id']}", token=tokens["access_token"])
    assert one.json()["data"]["id"] == first["id"]
    assert partner.call(f"{path}/made-up", token=tokens["access_token"]).status_code == 404


APPS = "/api/v2/org_authorized_clients"


def _app(partner: Partner, token: str) -> str:
    """Return the path of the one app that the org's user authorized."""
    (found,) = partner.call(APPS, token=token).json()["data"]
    return f"{APPS}/{found['id']}"


def _patched(partner: Partner, path: str, token: str, *, disabled: object) -> httpx.Response:
    body = {"data": {"type": "org_authorized_clients", "attributes": {"disabled": disabled}}}
    return partner.call(path, token=token, method="PATCH", json=body)


@pytest.mark.behaviour("authorizations-ended")
def test_an_app_is_disabled_by_the_api(partner: Partner, sandbox: Sandbox) -> None:
    """Its grants end at once, it can't be authorized, and enabling it restores no grant."""
    token = partner.tokens()["access_token"]
    path = _app(partner, token)
    assert _patched(partner, path, token, disabled="yes").status_code == 400
    assert _patched(partner, f"{APPS}/made-up", token, disabled=True).status_code == 404
    shown = _patched(partner, path, token, disabled=True).json()["data"]
    assert (shown["attributes"]["disabled"], shown["attributes"]["user_count"]) == (True, 0)
    assert shown["relationships"]["user_authorized_clients"]["data"] == []
    assert partner.call("/api/v2/current_user", token=token).status_code == 401
    assert partner.ask().status_code == 403
    sandbox._twin.apps.of(partner.client, org=sandbox._twin.orgs["us1"][0]).disabled = False
    assert partner.call("/api/v2/current_user", token=token).status_code == 401
    again = partner.tokens()["access_token"]
    shown = _patched(partner, path, again, disabled=False).json()["data"]
    assert (shown["attributes"]["disabled"], shown["attributes"]["user_count"]) == (False, 1)
    assert partner.call("/api/v2/current_user", token=again).status_code == 200


@pytest.mark.behaviour("authorizations-ended")
@pytest.mark.parametrize("of", ["the app", "its user", "one authorization"])
def test_authorizations_are_ended_by_the_api(partner: Partner, of: str) -> None:
    """The grants end, unknown ids end nothing, and the app can be authorized again."""
    token = partner.tokens()["access_token"]
    path = _app(partner, token)
    (one,) = partner.call(f"{path}/user_authorized_clients", token=token).json()["data"]
    user = one["relationships"]["user"]["data"]["id"]
    assert {each["id"] for each in one["relationships"]["scopes"]["data"]} >= {"metrics_read"}
    ends = {
        "the app": "",
        "its user": f"/user/{user}",
        "one authorization": f"/user_authorized_clients/{one['id']}",
    }
    for wrong in ("/user/made-up", "/user_authorized_clients/made-up"):
        assert partner.call(path + wrong, token=token, method="DELETE").status_code == 404
    ended = partner.call(path + ends[of], token=token, method="DELETE")
    assert (ended.status_code, ended.content) == (204, b"")
    assert partner.call("/api/v2/current_user", token=token).status_code == 401
    again = partner.tokens()["access_token"]
    assert partner.call("/api/v2/current_user", token=again).status_code == 200


@pytest.mark.behaviour("authorizations-ended")
def test_ending_an_authorization_needs_its_scope(partner: Partner) -> None:
    """Without `org_authorized_apps_write` nothing changes."""
    reader = partner.tokens(scope="org_authorized_apps_read")["access_token"]
    path = _app(partner, reader)
    assert partner.call(path, token=reader, method="DELETE").status_code == 403
    assert _patched(partner, path, reader, disabled=True).status_code == 403
    assert partner.call("/api/v2/current_user", token=reader).status_code == 200


@pytest.mark.behaviour("unserved")
def test_what_is_not_served_is_not_there(partner: Partner) -> None:
    """Each listed operation is refused at the API host; one path accepts another method."""
    for each in UNSERVED:
        answer = partner.call(each.path, method=each.method)
        assert answer.status_code in {404, 405}, each
