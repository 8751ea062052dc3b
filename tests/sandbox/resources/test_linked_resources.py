"""Resources link to their creator, and a response includes what the operation includes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Partner

RULES, PAGES = "/api/v2/monitor/notification_rule", "/api/v2/statuspages"
MAPPINGS, ROLES = "/api/v2/authn_mappings", "/api/v2/roles"


@pytest.fixture
def ask(partner: Partner) -> Callable[..., Any]:
    """Call the API with a token that may do everything, and read the response."""
    token = partner.tokens()["access_token"]

    def call(method: str, path: str, body: Any = None) -> Any:
        return partner.call(path, token=token, method=method, json=body).json()

    return call


def page() -> dict[str, Any]:
    """Write the body of a status page."""
    attributes = {
        "name": "Shop",
        "domain_prefix": "shop",
        "enabled": True,
        "type": "public",
        "visualization_type": "bars_only",
    }
    return {"data": {"type": "status_pages", "attributes": attributes}}


@pytest.mark.behaviour("makers")
def test_the_maker_is_the_user_of_the_token(ask: Callable[..., Any]) -> None:
    """A new resource names the user behind the token, who is included."""
    attributes = {"name": "night", "recipients": ["slack-ops"], "filter": {"tags": ["env:prod"]}}
    body = {"data": {"type": "monitor-notification-rule", "attributes": attributes}}
    made = ask("POST", RULES, body)
    user = ask("GET", "/api/v2/current_user")["data"]["id"]
    assert made["data"]["relationships"]["created_by"]["data"] == {"type": "users", "id": user}
    assert [(one["type"], one["id"]) for one in made["included"]] == [("users", user)]


@pytest.mark.behaviour("includes")
def test_only_what_is_asked_for_is_included(ask: Callable[..., Any]) -> None:
    """If the query names resources to include, the response includes only those."""
    assert "included" not in ask("POST", PAGES, page())
    assert ask("POST", f"{PAGES}?include=created_by_user", page())["included"]


@pytest.mark.behaviour("includes")
def test_linked_resources_are_the_kept_ones(ask: Callable[..., Any]) -> None:
    """Responses, listings included, contain linked resources as they are stored."""
    role = ask("POST", ROLES, {"data": {"type": "roles", "attributes": {"name": "Readers"}}})
    link = {"role": {"data": {"type": "roles", "id": role["data"]["id"]}}}
    attributes = {"attribute_key": "team", "attribute_value": "shop"}
    body = {"type": "authn_mappings", "attributes": attributes, "relationships": link}
    for answer in (ask("POST", MAPPINGS, {"data": body}), ask("GET", MAPPINGS)):
        names = [one["attributes"]["name"] for one in answer["included"] if one["type"] == "roles"]
        assert "Readers" in names
