"""Calls that add and remove members change what a list of members shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Partner

NOBODY = "11111111-2222-3333-4444-555555555555"
CONNECTIONS = "/api/v2/team/connections"


@pytest.fixture
def ask(partner: Partner) -> Callable[..., Any]:
    """Call the API with a token that may do everything."""
    token = partner.tokens()["access_token"]

    def call(method: str, path: str, body: Any = None) -> Any:
        return partner.call(path, token=token, method=method, json=body)

    return call


@pytest.fixture
def role(ask: Callable[..., Any]) -> str:
    """Create a role, and return its path."""
    body = {"data": {"type": "roles", "attributes": {"name": "readers"}}}
    return f"/api/v2/roles/{ask('POST', '/api/v2/roles', body).json()['data']['id']}"


def ids(answer: Any) -> list[str]:
    """Return the ids in a response."""
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["data"]]


def reference(kind: str, wanted: str) -> dict[str, Any]:
    """Write the body that names one resource."""
    return {"data": {"type": kind, "id": wanted}}


@pytest.mark.behaviour("described-members")
def test_users_of_a_role_come_and_go(ask: Callable[..., Any], role: str) -> None:
    """A new role has no users; one that is added shows as the user is, until it is removed."""
    sent = {"data": {"type": "users", "attributes": {"email": "eve@example.com"}}}
    user = ask("POST", "/api/v2/users", sent).json()["data"]["id"]
    assert ids(ask("GET", f"{role}/users")) == []
    assert ids(ask("POST", f"{role}/users", reference("users", user))) == [user]
    shown = ask("GET", f"{role}/users").json()["data"]
    assert [item["attributes"]["email"] for item in shown] == ["eve@example.com"]
    assert ids(ask("DELETE", f"{role}/users", reference("users", user))) == []
    again = ask("DELETE", f"{role}/users", reference("users", user))
    assert (again.status_code, ids(ask("GET", f"{role}/users"))) == (404, [])


@pytest.mark.behaviour("described-members")
def test_permissions_of_a_role_come_and_go(ask: Callable[..., Any], role: str) -> None:
    """A role that gets a permission has one more than a new role, with the permission's name."""
    before = ids(ask("GET", f"{role}/permissions"))
    known = ask("GET", "/api/v2/permissions").json()["data"]
    fresh = next(item for item in known if item["id"] not in before)
    body = reference("permissions", fresh["id"])
    assert fresh in ask("POST", f"{role}/permissions", body).json()["data"]
    assert ids(ask("GET", f"{role}/permissions")) == [*before, fresh["id"]]
    assert ids(ask("DELETE", f"{role}/permissions", body)) == before


@pytest.mark.parametrize(("part", "kind"), [("users", "users"), ("permissions", "permissions")])
def test_a_reference_to_nobody_adds_nothing(
    ask: Callable[..., Any], role: str, part: str, kind: str
) -> None:
    """A user or a permission that does not exist gets 404, another type 400."""
    before = ids(ask("GET", f"{role}/{part}"))
    assert ask("POST", f"{role}/{part}", reference(kind, NOBODY)).status_code == 404
    assert ask("POST", f"{role}/{part}", reference("wrong", NOBODY)).status_code == 400
    assert ids(ask("GET", f"{role}/{part}")) == before


def test_the_admins_role_has_the_admin(ask: Callable[..., Any]) -> None:
    """An org's initial role shows the org's admin as its user."""
    me = ask("GET", "/api/v2/current_user").json()["data"]["id"]
    roles = ids(ask("GET", "/api/v2/roles"))
    assert ids(ask("GET", f"/api/v2/roles/{roles[0]}/users")) == [me]
    assert ask("GET", f"/api/v2/roles/{NOBODY}/users").status_code == 404


@pytest.mark.behaviour("described-members")
def test_dashboards_of_a_list_can_be_replaced(ask: Callable[..., Any]) -> None:
    """A list of dashboards adds, replaces and removes what the bodies name."""
    made = ask("POST", "/api/v1/dashboard/lists/manual", {"name": "mine"}).json()
    path = f"/api/v2/dashboard/lists/manual/{made['id']}/dashboards"
    one, two = ({"id": text, "type": "custom_timeboard"} for text in ("abc-def-ghi", "jkl-mno-pqr"))
    told = ask("POST", path, {"dashboards": [one]}).json()
    assert told == {"added_dashboards_to_list": [one]}
    assert ask("PUT", path, {"dashboards": [two]}).json() == {"dashboards": [two]}
    listed = ask("GET", path).json()
    assert ([item["id"] for item in listed["dashboards"]], listed["total"]) == ([two["id"]], 1)
    assert ask("DELETE", path, {"dashboards": [two]}).json() == {
        "deleted_dashboards_from_list": [two]
    }
    assert ask("GET", path).json()["dashboards"] == []


@pytest.mark.behaviour("described-members")
def test_one_call_creates_many(ask: Callable[..., Any]) -> None:
    """A bulk creation shows each of what was sent; the same again gets 409."""
    links = {
        "team": {"data": {"id": NOBODY, "type": "team"}},
        "connected_team": {"data": {"id": "@one/two", "type": "github_team"}},
    }
    attributes = {"managed_by": "datadog", "source": "github"}
    sent = [{"type": "team_connection", "attributes": attributes, "relationships": links}]
    made = ask("POST", CONNECTIONS, {"data": sent})
    assert made.status_code == 201
    fresh = made.json()["data"]
    assert [{**one, "id": fresh[0]["id"]} for one in sent] == fresh
    assert fresh[0] in ask("GET", CONNECTIONS).json()["data"]
    assert ask("POST", CONNECTIONS, {"data": sent}).status_code == 409
    gone = {"data": [{"type": "team_connection", "id": fresh[0]["id"]}]}
    assert ask("DELETE", CONNECTIONS, gone).status_code == 204
    assert ask("DELETE", CONNECTIONS, gone).status_code == 404


def test_a_path_names_a_member(ask: Callable[..., Any]) -> None:
    """A call whose path names a member adds it, with an id of the described form only."""
    tags = "/api/v2/cost/tag_descriptions"
    words = {"data": {"type": "cost_tag_description", "attributes": {"description": "Who pays"}}}
    assert ask("PUT", f"{tags}/team", words).status_code == 204
    shown = ask("GET", f"{tags}/team").json()["data"]["attributes"]
    assert (shown["description"], shown["tag_key"]) == ("Who pays", "team")
    assert ask("DELETE", f"{tags}/team").status_code == 204
    assert ask("GET", f"{tags}/team").status_code == 404
    registrations = "/api/v2/actions/app_key_registrations"
    assert ask("PUT", f"{registrations}/wrong").status_code == 400
    assert ask("PUT", f"{registrations}/{NOBODY}").json()["data"]["id"] == NOBODY
    assert ask("GET", f"{registrations}/{NOBODY}").status_code == 200


def test_members_need_their_scope(partner: Partner, role: str) -> None:
    """A token without the scope is refused before anybody looks at the body."""
    token = partner.tokens(scope="metrics_read")["access_token"]
    for method in ("GET", "POST", "DELETE"):
        answer = partner.call(f"{role}/users", token=token, method=method, json={})
        assert answer.status_code == 403


@pytest.mark.behaviour("described-members")
def test_one_call_deletes_many(ask: Callable[..., Any]) -> None:
    """A bulk deletion deletes the resources that its body names, and all of them or none."""
    path = "/api/v2/llm-obs/v1/projects"
    body = {"data": {"type": "projects", "attributes": {"name": "one"}}}
    fresh = ask("POST", path, body).json()["data"]["id"]
    before = ids(ask("GET", path))

    def erase(*wanted: str) -> int:
        named = {"type": "projects", "attributes": {"project_ids": [*wanted]}}
        return int(ask("POST", f"{path}/delete", {"data": named}).status_code)

    assert erase(fresh, NOBODY) == 404
    assert ids(ask("GET", path)) == before
    assert erase(fresh) == 204
    assert fresh not in ids(ask("GET", path))
    assert erase(fresh) == 404
