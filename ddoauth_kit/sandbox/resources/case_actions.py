"""The calls that change one property of a case: its title, status or assignee."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ddoauth_kit.sandbox.resources import jsonapi
from ddoauth_kit.sandbox.resources.body_fields import InvalidBodyError, name, one_of
from ddoauth_kit.sandbox.resources.cases import BY_NAME, CASES, PATH, STATUSES, status_attributes
from ddoauth_kit.sandbox.resources.create_read_update_delete import change
from ddoauth_kit.sandbox.resources.resource_kind import Draft, nothing_more

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ddoauth_kit.sandbox.resources.create_read_update_delete import Handler
    from ddoauth_kit.sandbox.state.created_resources import Item

_ONE = PATH + "/{case_id}"
_STATUS_FIELDS = {"status": one_of(*STATUSES), "status_name": one_of(*BY_NAME)}


def _act(
    field_checks: Mapping[str, Any],
    effect: Callable[[Draft], Item],
    *,
    path: str,
    required: tuple[str, ...] = (),
    verify: Callable[[Draft], None] = nothing_more,
) -> Handler:
    """Create the handler for a call that changes one property of a case."""

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
        verify=verify,
    )
    return change(CASES, path, by=changes)


def _given(draft: Draft) -> Item:
    return draft.given


def _new_status(draft: Draft) -> Item:
    given = draft.given
    return status_attributes(draft, given.get("status") or BY_NAME[given["status_name"]])


def _verify_status(draft: Draft) -> None:
    """Refuse an empty status."""
    if not draft.given:
        raise InvalidBodyError("status or status_name is required")


def _acts() -> dict[tuple[str, str], Handler]:
    plain = {field: {field: CASES.fields[field]} for field in ("title", "description", "priority")}
    acts = {
        field: _act(checks, _given, path=f"{_ONE}/{field}", required=(field,))
        for field, checks in plain.items()
    }
    acts["status"] = _act(_STATUS_FIELDS, _new_status, path=f"{_ONE}/status", verify=_verify_status)
    acts["archive"] = _act({}, lambda d: {"archived_at": d.now}, path=f"{_ONE}/archive")
    acts["unarchive"] = _act({}, lambda _: {"archived_at": None}, path=f"{_ONE}/unarchive")
    assign = {"assignee_id": name}
    acts["assign"] = _act(assign, _given, path=f"{_ONE}/assign", required=tuple(assign))
    acts["unassign"] = _act({}, lambda _: {"assignee_id": None}, path=f"{_ONE}/unassign")
    return {("POST", f"{_ONE}/{act}"): handler for act, handler in acts.items()}


HANDLERS: Mapping[tuple[str, str], Handler] = _acts()
