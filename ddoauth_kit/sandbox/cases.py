"""Cases, which are archived and not deleted, unless their whole project is."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ddoauth_kit.sandbox import jsonapi
from ddoauth_kit.sandbox.case_projects import PROJECTS, SAMPLE_KEY, not_found
from ddoauth_kit.sandbox.family import Draft, Family, nothing_more
from ddoauth_kit.sandbox.fields import InvalidBodyError, name, one_of, text, thing
from ddoauth_kit.sandbox.paging import Paging
from ddoauth_kit.sandbox.serving import change, create, handlers_of, list_all, read

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ddoauth_kit.sandbox.kept import Item, Shelf
    from ddoauth_kit.sandbox.orgs import Org
    from ddoauth_kit.sandbox.paging import Page
    from ddoauth_kit.sandbox.serving import Handler
    from ddoauth_kit.sandbox.state import Twin

PATH = "/api/v2/cases"
_ONE = PATH + "/{case_id}"
_PROJECTS = PATH + "/projects"
STANDARD_TYPE = "00000000-0000-0000-0000-000000000001"
_STATUSES = {
    "OPEN": ("Open", "SG_OPEN"),
    "IN_PROGRESS": ("In Progress", "SG_IN_PROGRESS"),
    "CLOSED": ("Closed", "SG_CLOSED"),
}
_BY_NAME = {shown: status for status, (shown, _) in _STATUSES.items()}
_STATUS_FIELDS = {"status": one_of(*_STATUSES), "status_name": one_of(*_BY_NAME)}


def _project_of(case: Item) -> str:
    return str(case["relationships"]["project"]["data"]["id"])


def _forget_cases(twin: Twin, org: Org, project: Item) -> None:
    shelf = CASES.shelf(twin, org)
    shelf.remove([case["id"] for case in shelf.all() if _project_of(case) == project["id"]])


def _compose_case(draft: Draft) -> Item:
    given = dict(draft.given)
    status = given.pop("status", None) or _BY_NAME.get(given.pop("status_name", "Open"), "OPEN")
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
        attributes={**fresh, **given, **_status(draft, status)},
        relationships={
            "created_by": author,
            "project": jsonapi.link("project", project),
            **({"assignee": jsonapi.link("user", assignee)} if assignee else {}),
        },
    )


def _place(draft: Draft) -> tuple[str, str]:
    """Return the project that a case names, and the case's key in it."""
    if draft.sample is not None:
        return draft.twin.mint.uuid(f"project:{draft.org.id}:0"), f"{SAMPLE_KEY}-1"
    project = PROJECTS.get(draft.twin, draft.org, draft.links["project"])
    prefix = project["attributes"]["key"]
    taken = [
        int(case["attributes"]["key"].rpartition("-")[2])
        for case in CASES.shelf(draft.twin, draft.org).all()
        if _project_of(case) == project["id"]
    ]
    return project["id"], f"{prefix}-{max(taken, default=0) + 1}"


def _status(draft: Draft, status: str) -> Item:
    shown, group = _STATUSES[status]
    closed = draft.now if status == "CLOSED" else None
    return {"status": status, "status_name": shown, "status_group": group, "closed_at": closed}


def _verify_case(draft: Draft) -> None:
    """Refuse a case without a project, or of an unknown one."""
    project = draft.links.get("project")
    if not isinstance(project, str):
        raise InvalidBodyError("relationship project is required")
    PROJECTS.get(draft.twin, draft.org, project)


def _find(shelf: Shelf, wanted: str) -> Item | None:
    """Find a case by its id or by its key."""
    by_key = (case for case in shelf.all() if case["attributes"]["key"] == wanted)
    return shelf.find(wanted) or next(by_key, None)


def _listing(page: Page) -> Item:
    number = page.offset // page.size
    meta = {"page": {"current": number, "size": page.size, "total": page.total}}
    return {"data": page.items, "meta": meta}


CASES = Family(
    kind="case",
    fields=MappingProxyType(
        {
            "title": name,
            "type_id": name,
            "type": one_of("STANDARD"),
            "description": text,
            "priority": one_of("NOT_DEFINED", "P1", "P2", "P3", "P4", "P5"),
            "status_name": one_of(*_BY_NAME),
            "custom_attributes": thing,
        }
    ),
    required=("title",),
    compose=_compose_case,
    read=jsonapi.reads("case"),
    verify=_verify_case,
    complain=jsonapi.complain,
    unknown=not_found("case"),
    samples=({"given": {"title": "Sandbox case", "priority": "P4"}},),
    find=_find,
    show=jsonapi.show,
    listing=_listing,
    paging=Paging("page[size]", "page[number]", default=10, counts_pages=True),
    created=201,
    content_type=jsonapi.JSON_API,
)


def _act(
    field_checks: Mapping[str, Any],
    effect: Callable[[Draft], Item],
    *,
    path: str,
    required: tuple[str, ...] = (),
) -> Handler:
    """Make the handler of one of the calls that change one thing in a case."""

    def compose(draft: Draft) -> Item:
        author = jsonapi.link("user", draft.org.admin.id)
        attributes = {**effect(draft), "modified_at": draft.now}
        assigned = attributes.pop("assignee_id", "")
        links = {"assignee": jsonapi.link("user", assigned)} if assigned != "" else {}
        return jsonapi.composed(
            draft, "case", attributes=attributes, relationships={**links, "modified_by": author}
        )

    changes = replace(
        CASES,
        fields=field_checks,
        required=required,
        compose=compose,
        verify=nothing_more,
    )
    return change(CASES, path, by=changes)


def _given(draft: Draft) -> Item:
    return draft.given


def _new_status(draft: Draft) -> Item:
    given = draft.given
    return _status(draft, given.get("status") or _BY_NAME[given.get("status_name", "Open")])


def _acts() -> dict[tuple[str, str], Handler]:
    plain = {field: {field: CASES.fields[field]} for field in ("title", "description", "priority")}
    acts = {
        field: _act(checks, _given, path=f"{_ONE}/{field}", required=(field,))
        for field, checks in plain.items()
    }
    acts["status"] = _act(_STATUS_FIELDS, _new_status, path=f"{_ONE}/status")
    acts["archive"] = _act({}, lambda d: {"archived_at": d.now}, path=f"{_ONE}/archive")
    acts["unarchive"] = _act({}, lambda _: {"archived_at": None}, path=f"{_ONE}/unarchive")
    assign = {"assignee_id": name}
    acts["assign"] = _act(assign, _given, path=f"{_ONE}/assign", required=tuple(assign))
    acts["unassign"] = _act({}, lambda _: {"assignee_id": None}, path=f"{_ONE}/unassign")
    return {("POST", f"{_ONE}/{act}"): handler for act, handler in acts.items()}


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
    **_acts(),
    **handlers_of(
        _KEPT_PROJECTS,
        _PROJECTS,
        _PROJECTS + "/{project_id}",
        changes=_CHANGED_PROJECT,
        method="PATCH",
    ),
}
