"""The projects that hold an org's cases."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

from ddoauth_kit.sandbox import jsonapi
from ddoauth_kit.sandbox.family import Draft, Family
from ddoauth_kit.sandbox.fields import InvalidBodyError, many, name, text
from ddoauth_kit.sandbox.refusals import Refusal, api_refusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from ddoauth_kit.sandbox.kept import Item

SAMPLE_KEY = "SANDBOX"


def not_found(what: str) -> Callable[[str], Refusal]:
    """Make the refusal of an unknown case or project."""
    error = {"code": "resource_not_found", "title": f"{what} not found"}
    return lambda _wanted: jsonapi.as_json_api(api_refusal("resource-unknown", 404, error))


def _compose_project(draft: Draft) -> Item:
    fresh = {"restricted": False, "enabled_custom_case_types": []}
    return jsonapi.composed(
        draft,
        "project",
        attributes={**({} if draft.old else fresh), **draft.given},
        relationships={"member_user": jsonapi.links("user", [draft.org.admin.id])},
    )


def _verify_project(draft: Draft) -> None:
    """Refuse a key that is reserved, taken or of another form than Datadog's."""
    key = draft.given["key"]
    if not re.fullmatch(r"[A-Za-z0-9]{1,10}", key, re.ASCII) or key.upper() == "CASE":
        raise InvalidBodyError(f'invalid project key "{key[:100]}"')
    others = PROJECTS.shelf(draft.twin, draft.org).all()
    if any(other["attributes"]["key"] == key for other in others):
        raise InvalidBodyError(f'project key "{key}" is taken')


PROJECTS = Family(
    kind="project",
    fields=MappingProxyType(
        {"key": name, "name": name, "team_uuid": text, "enabled_custom_case_types": many(text)}
    ),
    required=("key", "name"),
    compose=_compose_project,
    read=jsonapi.reads("project"),
    verify=_verify_project,
    complain=jsonapi.complain,
    unknown=not_found("project"),
    samples=({"key": SAMPLE_KEY, "name": "Sandbox project"},),
    show=jsonapi.show,
    listing=jsonapi.listing,
    created=201,
    content_type=jsonapi.JSON_API,
)
