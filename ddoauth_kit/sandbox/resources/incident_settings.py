"""An org's settings for its incidents: types, notification templates and rules."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ddoauth_kit.sandbox.http.refusals import api_refusal
from ddoauth_kit.sandbox.resources import jsonapi
from ddoauth_kit.sandbox.resources.body_fields import flag, many, name, one_of, shaped, text, thing
from ddoauth_kit.sandbox.resources.create_read_update_delete import delete, handlers_of
from ddoauth_kit.sandbox.resources.resource_kind import Draft, ResourceKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ddoauth_kit.sandbox.http.messages import Answer, Incoming
    from ddoauth_kit.sandbox.resources.create_read_update_delete import Change, Handler
    from ddoauth_kit.sandbox.state.created_resources import Item
    from ddoauth_kit.sandbox.state.orgs import Org
    from ddoauth_kit.sandbox.state.state import Twin

PATH = "/api/v2/incidents/config"
_TYPE = PATH + "/types/{incident_type_id}"
_ROOMS = ("google_chat", "google_meet", "microsoft_teams", "zoom")


def _authors(draft: Draft) -> Item:
    user = jsonapi.link("users", draft.org.admin.id)
    if draft.old is not None:
        return {"last_modified_by_user": user}
    return {"created_by_user": user, "last_modified_by_user": user}


def _compose_type(draft: Draft) -> Item:
    admin = draft.org.admin.id
    rooms = {f"{room}_configuration": {"data": None} for room in _ROOMS}
    fresh = {"createdAt": draft.now, "createdBy": admin, "description": "", "is_default": False}
    return jsonapi.composed(
        draft,
        "incident_types",
        attributes={
            **({} if draft.old else {**fresh, "prefix": "IR"}),
            **draft.given,
            "lastModifiedBy": admin,
            "modifiedAt": draft.now,
        },
        relationships={**_authors(draft), **({} if draft.old else rooms)},
    )


def _compose_notification(draft: Draft, *, kind: str, fresh: Item) -> Item:
    linked = {
        relation: jsonapi.link(target, draft.links[relation])
        for relation, target in _LINKED.items()
        if draft.links.get(relation)
    }
    started = {} if draft.old else {**fresh, "created": draft.now}
    return jsonapi.composed(
        draft,
        kind,
        attributes={**started, **draft.given, "modified": draft.now},
        relationships={**_authors(draft), **linked},
    )


def _verify_links(draft: Draft) -> None:
    """Refuse a link to an unknown incident type or notification template."""
    for relation, resource in (("incident_type", TYPES), ("notification_template", TEMPLATES)):
        if draft.links.get(relation):
            resource.get(draft.twin, draft.org, str(draft.links[relation]))


_LINKED = {"incident_type": "incident_types", "notification_template": "notification_templates"}
_SHARED: dict[str, Any] = {
    "complain": jsonapi.complain,
    "unknown": jsonapi.unknown,
    "show": jsonapi.show,
    "listing": jsonapi.listing,
    "created": 201,
    "content_type": jsonapi.JSON_API,
}
TYPES = ResourceKind(
    kind="incident-type",
    fields=MappingProxyType(
        {"name": name, "description": text, "is_default": flag, "configuration": thing}
    ),
    required=("name",),
    compose=_compose_type,
    read=jsonapi.reads("incident_types"),
    samples=(
        {"name": "Sandbox default", "is_default": True},
        {"name": "Sandbox security"},
    ),
    **_SHARED,
)
TEMPLATES = ResourceKind(
    kind="notification-template",
    fields=MappingProxyType({"name": name, "category": name, "content": name, "subject": name}),
    required=("name", "category", "content", "subject"),
    compose=partial(_compose_notification, kind="notification_templates", fresh={}),
    read=jsonapi.reads("notification_templates"),
    verify=_verify_links,
    samples=(
        {
            "name": "Sandbox template",
            "category": "alert",
            "content": "An incident was declared in the sandbox.",
            "subject": "Sandbox incident",
        },
    ),
    **_SHARED,
)
_CONDITION = shaped({"field": name, "values": many(text)}, required=("field", "values"))
RULES = ResourceKind(
    kind="notification-rule",
    fields=MappingProxyType(
        {
            "conditions": many(_CONDITION),
            "handles": many(name),
            "trigger": name,
            "enabled": flag,
            "renotify_on": many(text),
            "visibility": one_of("all", "organization", "private"),
        }
    ),
    required=("conditions", "handles", "trigger"),
    compose=partial(
        _compose_notification,
        kind="incident_notification_rules",
        fresh={"enabled": False, "renotify_on": [], "visibility": "organization"},
    ),
    read=jsonapi.reads("incident_notification_rules"),
    verify=_verify_links,
    samples=(
        {
            "conditions": [{"field": "severity", "values": ["SEV-1"]}],
            "handles": ["@sandbox@example.com"],
            "trigger": "incident_created_trigger",
        },
    ),
    **_SHARED,
)


def default_type(draft: Draft) -> str:
    """Return the default incident type."""
    kept = TYPES.shelf(draft.twin, draft.org).all()
    defaults = (item["id"] for item in kept if item["attributes"]["is_default"])
    return next(defaults, draft.twin.mint.uuid(f"incident_types:{draft.org.id}:0"))


def delete_type(twin: Twin, incoming: Incoming, org: Org) -> Answer | Change:
    """Delete an incident type, unless it is the default type."""
    item = TYPES.get(twin, org, incoming.path.rpartition("/")[2])
    if item["attributes"]["is_default"]:
        detail = f"cannot delete default incident type {item['id']}"
        refusal = api_refusal(
            "default-type-stays", 400, {"title": "Generic Error", "detail": detail}
        )
        raise jsonapi.as_json_api(refusal)
    return delete(TYPES, _TYPE)(twin, incoming, org)


def _kinds() -> dict[tuple[str, str], Handler]:
    types, templates, rules = (
        f"{PATH}/{kind}" for kind in ("types", "notification-templates", "notification-rules")
    )
    return {
        **handlers_of(TYPES, types, _TYPE, changes=replace(TYPES, required=()), method="PATCH"),
        **handlers_of(
            TEMPLATES,
            templates,
            templates + "/{id}",
            changes=replace(TEMPLATES, required=()),
            method="PATCH",
        ),
        **handlers_of(RULES, rules, rules + "/{id}", changes=RULES, method="PUT"),
    }


HANDLERS: Mapping[tuple[str, str], Handler] = {**_kinds(), ("DELETE", _TYPE): delete_type}
