"""Incidents, which are numbered per org and whose fields include a state and a severity."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ddoauth_kit.sandbox.resources import jsonapi
from ddoauth_kit.sandbox.resources.body_fields import (
    InvalidBodyError,
    flag,
    many,
    mapped,
    maybe,
    name,
    one_of,
    shaped,
    text,
)
from ddoauth_kit.sandbox.resources.create_read_update_delete import handlers_of
from ddoauth_kit.sandbox.resources.incident_settings import TYPES, default_type
from ddoauth_kit.sandbox.resources.paging import Paging
from ddoauth_kit.sandbox.resources.resource_kind import (
    Draft,
    ResourceKind,
    complain_as_text,
    unknown_as,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ddoauth_kit.sandbox.resources.create_read_update_delete import Handler
    from ddoauth_kit.sandbox.resources.paging import PageOfItems
    from ddoauth_kit.sandbox.state.created_resources import Item

PATH = "/api/v2/incidents"
SEVERITIES = ("UNKNOWN", "SEV-0", "SEV-1", "SEV-2", "SEV-3", "SEV-4", "SEV-5")
_LISTS = ("multiselect", "textarray", "metrictag", "autocomplete")


def _is_field(value: object) -> bool:
    """Accept a field with a string or a list of strings, depending on its type."""
    if not isinstance(value, dict):
        return False
    single = shaped({"type": one_of("dropdown", "textbox"), "value": maybe(text)})
    several = shaped({"type": one_of(*_LISTS), "value": maybe(many(text))}, required=("type",))
    return several(value) if value.get("type") in _LISTS else single(value)


_FIELDS: dict[str, Any] = {
    "title": name,
    "customer_impacted": flag,
    "customer_impact_scope": text,
    "fields": mapped(_is_field),
    "notification_handles": many(shaped({"display_name": text, "handle": text})),
}
_CREATED = {**_FIELDS, "incident_type_uuid": name, "is_test": flag}
_CHANGED = {
    **_FIELDS,
    "customer_impact_start": maybe(text),
    "customer_impact_end": maybe(text),
    "detected": maybe(text),
}


def _compose(draft: Draft) -> Item:
    old: Item = draft.old["attributes"] if draft.old else _fresh(draft)
    given = draft.given.get("fields", {})
    typed = {name: {"type": "dropdown", **value} for name, value in given.items()}
    fields = {**old["fields"], **typed}
    state = fields["state"].get("value")
    resolved = old["resolved"] or draft.now if state == "resolved" else None
    attributes = {
        **old,
        **draft.given,
        "fields": fields,
        "state": state,
        "severity": fields["severity"].get("value") or "UNKNOWN",
        "resolved": resolved,
        "modified": draft.now,
    }
    return jsonapi.composed(
        draft, "incidents", attributes=attributes, relationships=_relationships(draft)
    )


def _fresh(draft: Draft) -> Item:
    return {
        "public_id": _next_number(draft),
        "incident_type_uuid": default_type(draft),
        "customer_impact_scope": None,
        "customer_impact_start": None,
        "customer_impact_end": None,
        "customer_impact_duration": 0,
        "notification_handles": None,
        "created": draft.now,
        "declared": draft.now,
        "detected": draft.now,
        "resolved": None,
        "archived": None,
        "fields": {
            "severity": {"type": "dropdown", "value": "UNKNOWN"},
            "state": {"type": "dropdown", "value": "active"},
            "summary": {"type": "textbox", "value": None},
        },
        "is_test": False,
        "visibility": "organization",
        **dict.fromkeys(("time_to_detect", "time_to_repair"), 0),
        **dict.fromkeys(("time_to_internal_response", "time_to_resolve"), 0),
    }


def _next_number(draft: Draft) -> int:
    if draft.sample is not None:
        return draft.sample + 1
    kept = INCIDENTS.shelf(draft.twin, draft.org).all()
    return max((int(item["attributes"]["public_id"]) for item in kept), default=0) + 1


def _relationships(draft: Draft) -> Item:
    admin = draft.org.admin.id
    changed: Item = {"last_modified_by_user": jsonapi.link("users", admin)}
    if "commander_user" in draft.links:
        changed["commander_user"] = jsonapi.link("users", draft.links["commander_user"])
    if draft.old is not None:
        return changed
    return {
        "created_by_user": jsonapi.link("users", admin),
        "declared_by_user": jsonapi.link("users", admin),
        "commander_user": {"data": None},
        **changed,
        **{
            name: {"data": []}
            for name in (
                "attachments",
                "impacts",
                "integrations",
                "responders",
                "user_defined_fields",
            )
        },
    }


def _verify(draft: Draft) -> None:
    """Refuse an impact without a scope, an unknown type or severity, or a dropped state."""
    given = draft.given
    old: Item = draft.old["attributes"] if draft.old else {}
    scope = given.get("customer_impact_scope", old.get("customer_impact_scope"))
    if given.get("customer_impacted") and not scope:
        raise InvalidBodyError("customer_impact_scope is required when customer_impacted is true")
    if "incident_type_uuid" in given:
        TYPES.get(draft.twin, draft.org, given["incident_type_uuid"])
    for field in ("state", "severity"):
        value = given.get("fields", {}).get(field, {}).get("value")
        if isinstance(value, list) or (field == "severity" and value not in (None, *SEVERITIES)):
            raise InvalidBodyError(f"The value provided for field '{field}' is invalid")
    commander = draft.links.get("commander_user")
    if commander is not None and not isinstance(commander, str):
        raise InvalidBodyError("relationship commander_user must name one user")


def _listing(page: PageOfItems) -> Item:
    reached = page.offset + len(page.items)
    pagination = {"offset": page.offset, "next_offset": reached, "size": len(page.items)}
    return {"data": page.items, "meta": {"pagination": pagination}}


INCIDENTS = ResourceKind(
    kind="incident",
    fields=MappingProxyType(_CREATED),
    required=("title", "customer_impacted"),
    compose=_compose,
    read=jsonapi.reads("incidents"),
    verify=_verify,
    complain=complain_as_text,
    unknown=unknown_as("incident {0} not found"),
    samples=(
        {
            "title": "Sandbox orders stopped",
            "customer_impacted": False,
            "fields": {
                "state": {"type": "dropdown", "value": "resolved"},
                "severity": {"type": "dropdown", "value": "SEV-4"},
            },
        },
    ),
    show=jsonapi.show,
    listing=_listing,
    paging=Paging("page[size]", "page[offset]", default=10),
    created=201,
)
_CHANGES = replace(INCIDENTS, fields=MappingProxyType(_CHANGED), required=())
HANDLERS: Mapping[tuple[str, str], Handler] = handlers_of(
    INCIDENTS, PATH, PATH + "/{incident_id}", changes=_CHANGES, method="PATCH"
)
