"""Cases, which are archived rather than deleted, unless their whole project is deleted."""

from __future__ import annotations

import re
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from ddoauth_kit.sandbox.http.refusals import Refusal, api_refusal
from ddoauth_kit.sandbox.resources import jsonapi
from ddoauth_kit.sandbox.resources.body_fields import (
    InvalidBodyError,
    many,
    name,
    one_of,
    text,
    thing,
)
from ddoauth_kit.sandbox.resources.create_read_update_delete import (
    create,
    handlers_of,
    list_all,
    read,
)
from ddoauth_kit.sandbox.resources.paging import Paging
from ddoauth_kit.sandbox.resources.resource_kind import Draft, ResourceKind, nothing_more

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ddoauth_kit.sandbox.resources.create_read_update_delete import Handler
    from ddoauth_kit.sandbox.resources.paging import PageOfItems
    from ddoauth_kit.sandbox.state.created_resources import Item, Shelf
    from ddoauth_kit.sandbox.state.orgs import Org
    from ddoauth_kit.sandbox.state.state import Twin

PATH = "/api/v2/cases"
_ONE = PATH + "/{case_id}"
_PROJECTS = PATH + "/projects"
STANDARD_TYPE = "00000000-0000-0000-0000-000000000001"
STATUSES = {
    "OPEN": ("Open", "SG_OPEN"),
    "IN_PROGRESS": ("In Progress", "SG_IN_PROGRESS"),
    "CLOSED": ("Closed", "SG_CLOSED"),
}
BY_NAME = {shown: status for status, (shown, _) in STATUSES.items()}
SAMPLE_KEY = "SANDBOX"


def not_found(what: str) -> Callable[[str], Refusal]:
    """Create the refusal for an unknown case or project."""
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
    """Refuse a key that is reserved, taken or not in Datadog's format."""
    key = draft.given["key"]
    if not re.fullmatch(r"[A-Za-z0-9]{1,10}", key, re.ASCII) or key.upper() == "CASE":
        raise InvalidBodyError(f'invalid project key "{key[:100]}"')
    others = PROJECTS.shelf(draft.twin, draft.org).all()
    if any(other["attributes"]["key"] == key for other in others):
        raise InvalidBodyError(f'project key "{key}" is taken')


PROJECTS = ResourceKind(
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


def _project_of(case: Item) -> str:
    return str(case["relationships"]["project"]["data"]["id"])


def _forget_cases(twin: Twin, org: Org, project: Item) -> None:
    shelf = CASES.shelf(twin, org)
    shelf.remove([case["id"] for case in shelf.all() if _project_of(case) == project["id"]])


def _compose_case(draft: Draft) -> Item:
    given = dict(draft.given)
    status = given.pop("status", None) or BY_NAME.get(given.pop("status_name", "Open"), "OPEN")
    project, key = _place(draft)
    fresh: Item = {
        "attributes": {},
        "archived_at": None,
        "closed_at": None,
        "created_at": draft.now,
        "modified_at": None,
        "description": "",
        "key": key,
        "priority": "NOT_DEFINED",
        "type": "STANDARD",
        "type_id": STANDARD_TYPE,
        "custom_attributes": {},
    }
    author = jsonapi.link("user", draft.org.admin.id)
    assignee = draft.links.get("assignee")
    return jsonapi.composed(
        draft,
        "case",
        attributes={**fresh, **given, **status_attributes(draft, status)},
        relationships={
            "created_by": author,
            "project": jsonapi.link("project", project),
            **({"assignee": jsonapi.link("user", assignee)} if assignee else {}),
        },
    )


def _place(draft: Draft) -> tuple[str, str]:
    """Return the project that a case names, and the case's key in that project."""
    if draft.sample is not None:
        return draft.twin.mint.uuid(f"project:{draft.org.id}:0"), f"{SAMPLE_KEY}-1"
    wanted = draft.links["project"]
    project = PROJECTS.shelf(draft.twin, draft.org).find(wanted)
    prefix = project["attributes"]["key"] if project else "CASE"
    taken = [
        int(case["attributes"]["key"].rpartition("-")[2])
        for case in CASES.shelf(draft.twin, draft.org).all()
        if _project_of(case) == wanted
    ]
    return wanted, f"{prefix}-{max(taken, default=0) + 1}"


def status_attributes(draft: Draft, status: str) -> Item:
    """Write a status to three fields of a case, and set its closing time."""
    shown, group = STATUSES[status]
    closed = draft.now if status == "CLOSED" else None
    return {"status": status, "status_name": shown, "status_group": group, "closed_at": closed}


def _verify_case(draft: Draft) -> None:
    """Refuse a case without a project; the project may have been created outside the API."""
    project = draft.links.get("project")
    if not isinstance(project, str):
        raise InvalidBodyError("relationship project is required")


def _find(shelf: Shelf, wanted: str) -> Item | None:
    """Find a case by its id or by its key."""
    by_key = (case for case in shelf.all() if case["attributes"]["key"] == wanted)
    return shelf.find(wanted) or next(by_key, None)


def _listing(page: PageOfItems) -> Item:
    number = page.offset // page.size
    meta = {"page": {"current": number, "size": page.size, "total": page.total}}
    return {"data": page.items, "meta": meta}


CASES = ResourceKind(
    kind="case",
    fields=MappingProxyType(
        {
            "title": name,
            "type_id": name,
            "type": one_of("STANDARD"),
            "description": text,
            "priority": one_of("NOT_DEFINED", "P1", "P2", "P3", "P4", "P5"),
            "status_name": one_of(*BY_NAME),
            "custom_attributes": thing,
        }
    ),
    required=("title",),
    compose=_compose_case,
    read=jsonapi.reads("case"),
    verify=_verify_case,
    complain=jsonapi.complain,
    unknown=not_found("case"),
    samples=({"title": "Sandbox case", "priority": "P4"},),
    find=_find,
    show=jsonapi.show,
    listing=_listing,
    paging=Paging("page[size]", "page[number]", default=10, counts_pages=True),
    created=201,
    content_type=jsonapi.JSON_API,
)


# Source: Datadog docs, case management projects; deleted cases cannot be recovered.
_KEPT_PROJECTS = replace(PROJECTS, before_delete=_forget_cases)


_CHANGED_PROJECT = replace(
    PROJECTS,
    fields=MappingProxyType({"name": name, "settings": thing, "columns_config": thing}),
    required=(),
    verify=nothing_more,
)


HANDLERS: Mapping[tuple[str, str], Handler] = {
    ("POST", PATH): create(CASES),
    ("GET", PATH): list_all(CASES),
    ("GET", _ONE): read(CASES, _ONE),
    **handlers_of(
        _KEPT_PROJECTS,
        _PROJECTS,
        _PROJECTS + "/{project_id}",
        changes=_CHANGED_PROJECT,
        method="PATCH",
    ),
}
