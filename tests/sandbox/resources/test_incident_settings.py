"""Incident types, notification templates and rules know of each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    Ask = Callable[..., httpx.Response]

PATH = "/api/v2/incidents/config"
JSON_API = "application/vnd.api+json"
GONE = {"errors": [{"status": "404", "title": "Not Found"}]}
TEMPLATE = {"name": "a", "category": "alert", "content": "b", "subject": "c"}
RULE = {"conditions": [], "handles": ["@a@example.com"], "trigger": "incident_created_trigger"}


def body(kind: str, attributes: dict[str, Any], **links: str) -> dict[str, Any]:
    """Write a body with relationships to an incident type or a template."""
    kinds = {"incident_type": "incident_types", "notification_template": "notification_templates"}
    linked = {name: {"data": {"type": kinds[name], "id": one}} for name, one in links.items()}
    return {"data": {"type": kind, "attributes": attributes, "relationships": linked}}


@pytest.mark.behaviour("default-type-stays")
def test_default_type_stays(ask: Ask) -> None:
    """The default type is not deleted, another one is, once."""
    default, other = ask("GET", f"{PATH}/types").json()["data"]
    answer = ask("DELETE", f"{PATH}/types/{default['id']}")
    detail = f"cannot delete default incident type {default['id']}"
    assert (answer.status_code, answer.headers["content-type"]) == (400, JSON_API)
    assert answer.json() == {"errors": [{"title": "Generic Error", "detail": detail}]}
    assert ask("DELETE", f"{PATH}/types/{other['id']}").status_code == 204
    again = ask("DELETE", f"{PATH}/types/{other['id']}")
    assert (again.status_code, again.json()) == (404, GONE)


def test_notifications_keep_their_links(ask: Ask) -> None:
    """A template of a type and a rule with that template say so, also after a change."""
    kind = ask("GET", f"{PATH}/types").json()["data"][1]["id"]
    made = ask(
        "POST",
        f"{PATH}/notification-templates",
        body("notification_templates", TEMPLATE, incident_type=kind),
    )
    assert (made.status_code, made.headers["content-type"]) == (201, JSON_API)
    template = made.json()["data"]
    assert template["relationships"]["incident_type"]["data"]["id"] == kind
    rule = ask(
        "POST",
        f"{PATH}/notification-rules",
        body("incident_notification_rules", RULE, notification_template=template["id"]),
    ).json()["data"]
    assert (rule["attributes"]["enabled"], rule["attributes"]["renotify_on"]) == (False, [])
    changed = ask(
        "PUT",
        f"{PATH}/notification-rules/{rule['id']}",
        body("incident_notification_rules", {**RULE, "enabled": True}),
    ).json()["data"]
    assert changed["attributes"]["enabled"]
    assert changed["relationships"] == rule["relationships"]


@pytest.mark.parametrize(
    ("path", "kind", "good", "change"),
    [
        ("types", "incident_types", {"name": "a"}, {"name": ""}),
        ("types", "incident_types", {"name": "a"}, {"is_default": "yes"}),
        ("notification-templates", "notification_templates", TEMPLATE, {"content": None}),
        ("notification-rules", "incident_notification_rules", RULE, {"conditions": [{}]}),
        ("notification-rules", "incident_notification_rules", RULE, {"visibility": "odd"}),
    ],
)
def test_bad_settings(
    ask: Ask, path: str, kind: str, good: dict[str, Any], change: dict[str, Any]
) -> None:
    """A wrong field is refused with a title and a detail, a good body is not."""
    answer = ask("POST", f"{PATH}/{path}", body(kind, {**good, **change}))
    assert answer.status_code == 400
    assert next(iter(change)) in answer.json()["errors"][0]["detail"]
    assert ask("POST", f"{PATH}/{path}", body(kind, good)).status_code == 201


def test_unknown_links_are_refused(ask: Ask) -> None:
    """A template of an unknown type gets 404."""
    wrong = body("notification_templates", TEMPLATE, incident_type="x")
    answer = ask("POST", f"{PATH}/notification-templates", wrong)
    assert (answer.status_code, answer.json()) == (404, GONE)
