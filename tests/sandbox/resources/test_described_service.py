"""Kinds known only from the API description are stored, checked and deleted like the others."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from support.described_bodies import smallest_body

from ddoauth_kit.sandbox.facts.recorded_statuses import _UNIQUE

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Partner

ROLES, METRICS = "/api/v2/roles", "/api/v2/rum/config/metrics"
PAGES = "/api/v2/statuspages"
# What the smallest bodies leave out.
UNIQUE: dict[str, dict[str, Any]] = {
    "/api/v2/org_connections": {
        "relationships": {"sink_org": {"data": {"type": "orgs", "id": str(UUID(int=7))}}}
    },
    "/api/v2/team/{team_id}/memberships": {
        "relationships": {"user": {"data": {"type": "users", "id": str(UUID(int=7))}}}
    },
    "/api/v2/team/{team_id}/notification-rules": {"attributes": {"email": {"enabled": True}}},
}


@pytest.fixture
def ask(partner: Partner) -> Callable[..., Any]:
    """Call the API with a token that may do everything."""
    token = partner.tokens()["access_token"]

    def call(method: str, path: str, body: Any = None) -> Any:
        return partner.call(path, token=token, method=method, json=body)

    return call


def role(name: str, **more: Any) -> dict[str, Any]:
    """Write the body of a role."""
    return {"data": {"type": "roles", "attributes": {"name": name}, **more}}


def team(handle: str) -> dict[str, Any]:
    """Write the body of a team."""
    return {"data": {"type": "team", "attributes": {"handle": handle, "name": handle}}}


@pytest.mark.behaviour("described-kinds")
def test_a_resource_lives_and_ends(ask: Callable[..., Any]) -> None:
    """It is created with what was sent, listed, changed, and 404 once it is deleted."""
    made = ask("POST", ROLES, role("Readers"))
    assert made.status_code == 200
    identity = made.json()["data"]["id"]
    assert re.fullmatch(r"[0-9a-f-]{36}", identity)
    assert ask("GET", f"{ROLES}/{identity}").json()["data"]["attributes"]["name"] == "Readers"
    assert identity in [one["id"] for one in ask("GET", ROLES).json()["data"]]
    changed = ask("PATCH", f"{ROLES}/{identity}", role("Writers", id=identity))
    assert changed.json()["data"]["attributes"]["name"] == "Writers"
    assert ask("GET", f"{ROLES}/{identity}").json()["data"]["attributes"]["name"] == "Writers"
    assert ask("DELETE", f"{ROLES}/{identity}").status_code == 204
    assert ask("GET", f"{ROLES}/{identity}").status_code == 404
    assert ask("DELETE", f"{ROLES}/{identity}").status_code == 404


@pytest.mark.behaviour("id-mismatch")
def test_a_change_names_one_resource(ask: Callable[..., Any]) -> None:
    """A body that names another resource than the address is refused and changes nothing."""
    identity = ask("POST", ROLES, role("Readers")).json()["data"]["id"]
    answer = ask("PATCH", f"{ROLES}/{identity}", role("Writers", id="other"))
    assert answer.status_code == 422
    assert ask("GET", f"{ROLES}/{identity}").json()["data"]["attributes"]["name"] == "Readers"


@pytest.mark.behaviour("id-taken")
def test_a_chosen_id_is_unique(ask: Callable[..., Any]) -> None:
    """If the creator chooses the id, a second resource with the same id gets 409."""
    attributes = {"compute": {"aggregation_type": "count"}, "event_type": "session"}
    body = {"data": {"type": "rum_metrics", "id": "shop.visits", "attributes": attributes}}
    assert ask("POST", METRICS, body).json()["data"]["id"] == "shop.visits"
    assert ask("POST", METRICS, body).status_code == 409


@pytest.mark.parametrize("name", sorted(_UNIQUE))
@pytest.mark.behaviour("id-taken")
def test_what_is_unique(ask: Callable[..., Any], name: str) -> None:
    """The same creation twice gets 409, and the first one stays; below another parent it works."""
    path, body = name.removeprefix("POST "), smallest_body(name)
    for part, more in UNIQUE.get(path, {}).items():
        body["data"][part] = {**body["data"].get(part, {}), **more}
    teams = [ask("POST", "/api/v2/team", team(handle)).json()["data"]["id"] for handle in "ab"]
    first, second = (path.replace("{team_id}", one) for one in teams)
    made = ask("POST", first, body)
    assert 200 <= made.status_code < 300, made.text
    before = ask("GET", first).json()
    assert made.json()["data"]["id"] in [one["id"] for one in before["data"]]
    assert ask("POST", first, body).status_code == 409
    assert ask("GET", first).json() == before
    assert (ask("POST", second, body).status_code == 409) == (first == second)


@pytest.mark.behaviour("malformed-id")
def test_ids_have_a_form(ask: Callable[..., Any]) -> None:
    """If ids are UUIDs, anything else in the address is malformed, not unknown."""
    assert ask("GET", f"{PAGES}/7").status_code == 400
    assert ask("GET", f"{PAGES}/5a4db0c5-0000-4000-8000-00000000000f").status_code == 404


def test_children_belong_to_their_parent(ask: Callable[..., Any]) -> None:
    """A resource created below one parent is not found below another, or below a missing one."""
    page = {"domain_prefix": "a", "enabled": True, "name": "A", "type": "public"}
    page |= {"visualization_type": "bars_and_uptime_percentage"}
    body = {"data": {"type": "status_pages", "attributes": page}}
    one, other = (ask("POST", PAGES, body).json()["data"]["id"] for _ in range(2))
    part = {"data": {"type": "components", "attributes": {"name": "x", "position": 0}}}
    part["data"]["attributes"] |= {"type": "component"}  # type: ignore[operator]
    made = ask("POST", f"{PAGES}/{one}/components", part)
    identity = made.json()["data"]["id"]
    assert ask("GET", f"{PAGES}/{one}/components/{identity}").status_code == 200
    assert ask("GET", f"{PAGES}/{other}/components/{identity}").status_code == 404
    ask("DELETE", f"{PAGES}/{one}")
    assert ask("GET", f"{PAGES}/{one}/components/{identity}").status_code == 404
