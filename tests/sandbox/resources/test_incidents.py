"""Incidents merge their fields, and are resolved by one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    Ask = Callable[..., httpx.Response]

PATH = "/api/v2/incidents"


def body(**attributes: Any) -> dict[str, Any]:
    """Write a body."""
    return {"data": {"type": "incidents", "attributes": attributes}}


def field(value: object, kind: str = "dropdown") -> dict[str, Any]:
    """Write a field."""
    return {"type": kind, "value": value}


def test_incident_is_completed(ask: Ask) -> None:
    """A new incident is active, counted, and of the default type."""
    made = ask("POST", PATH, body(title="a", customer_impacted=False))
    assert made.status_code == 201
    attributes = made.json()["data"]["attributes"]
    types = ask("GET", f"{PATH}/config/types").json()["data"]
    assert attributes["incident_type_uuid"] == types[0]["id"]
    assert (attributes["public_id"], attributes["state"]) == (2, "active")
    assert (attributes["severity"], attributes["resolved"]) == ("UNKNOWN", None)


def test_fields_merge_and_resolve(ask: Ask) -> None:
    """Changing one field keeps the others; resolving records the time, reopening removes it."""
    first = body(title="a", customer_impacted=False, fields={"severity": field("SEV-5")})
    wanted = ask("POST", PATH, first).json()["data"]["id"]

    def change(**fields: Any) -> dict[str, Any]:
        answer = ask("PATCH", f"{PATH}/{wanted}", body(fields=fields))
        attributes: dict[str, Any] = answer.json()["data"]["attributes"]
        return attributes

    resolved = change(state=field("resolved"), teams=field(["b"], "autocomplete"))
    assert (resolved["state"], resolved["severity"]) == ("resolved", "SEV-5")
    assert change(summary=field("x", "textbox"))["resolved"] == resolved["resolved"]
    reopened = change(state={"value": "active"})
    assert reopened["fields"]["state"] == field("active")
    assert reopened["resolved"] is None
    assert reopened["fields"]["teams"] == field(["b"], "autocomplete")


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"title": ""}, 400),
        ({"customer_impacted": None}, 400),
        ({"customer_impacted": True}, 400),
        ({"customer_impacted": True, "customer_impact_scope": "all"}, 201),
        ({"fields": {"severity": field("SEV-9")}}, 400),
        ({"fields": {"severity": field(["SEV-1"])}}, 400),
        ({"fields": {"severity": field(["SEV-1"], "multiselect")}}, 400),
        ({"fields": {"state": field(["active"], "multiselect")}}, 400),
        ({"fields": {"teams": field("a", "multiselect")}}, 400),
        ({"fields": {"teams": 5}}, 400),
        ({"notification_handles": [{"handle": 5}]}, 400),
        ({"incident_type_uuid": "x"}, 404),
    ],
)
def test_bad_incidents(ask: Ask, change: dict[str, Any], status: int) -> None:
    """An impact needs a scope, a severity must be one, a type must exist."""
    answer = ask("POST", PATH, body(**{"title": "a", "customer_impacted": False, **change}))
    assert answer.status_code == status, answer.text


def test_deleted_is_gone(ask: Ask) -> None:
    """The 404 repeats the id, and the listing describes its pages."""
    listed = ask("GET", PATH).json()
    [sample] = listed["data"]
    assert listed["meta"]["pagination"] == {"offset": 0, "next_offset": 1, "size": 1}
    assert ask("DELETE", f"{PATH}/{sample['id']}").status_code == 204
    again = ask("DELETE", f"{PATH}/{sample['id']}")
    words = f"incident {sample['id']} not found"
    assert (again.status_code, again.json()) == (404, {"errors": [words]})
