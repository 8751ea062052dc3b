"""Teams, whose handles and names are unique within their org."""

from __future__ import annotations

import uuid
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ddoauth_kit.sandbox.http.refusals import Refusal, api_refusal
from ddoauth_kit.sandbox.resources import jsonapi
from ddoauth_kit.sandbox.resources.body_fields import (
    InvalidBodyError,
    many,
    maybe,
    name,
    text,
    whole,
)
from ddoauth_kit.sandbox.resources.create_read_update_delete import handlers_of
from ddoauth_kit.sandbox.resources.paging import Paging
from ddoauth_kit.sandbox.resources.resource_kind import Draft, ResourceKind, complain_as_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ddoauth_kit.sandbox.resources.create_read_update_delete import Handler
    from ddoauth_kit.sandbox.resources.paging import PageOfItems
    from ddoauth_kit.sandbox.state.created_resources import Item

PATH = "/api/v2/team"
LONGEST = {"handle": 195, "name": 200}


def _compose(draft: Draft) -> Item:
    fresh: Item = {
        "summary": None,
        "description": None,
        "avatar": None,
        "banner": None,
        "hidden_modules": [],
        "visible_modules": [],
        "is_managed": False,
        "user_count": len(draft.links.get("users") or []),
        "link_count": 0,
        "created_at": draft.now,
    }
    made = jsonapi.composed(
        draft,
        "team",
        attributes={**({} if draft.old else fresh), **draft.given, "modified_at": draft.now},
        relationships={},
    )
    related = f"{PATH}/{made['id']}"
    made["relationships"] = {
        "team_links": {"links": {"related": f"{related}/links"}},
        "user_team_permissions": {"links": {"related": f"{related}/permission-settings"}},
    }
    return made


def _verify(draft: Draft) -> None:
    """Refuse values that are too long or already taken by another team."""
    for field, most in LONGEST.items():
        if len(draft.given[field]) > most:
            raise InvalidBodyError(f"{field} must have at most {most} characters")
    for other in TEAMS.shelf(draft.twin, draft.org).all():
        taken = other["attributes"]
        if other is not draft.old and any(taken[key] == draft.given[key] for key in LONGEST):
            raise api_refusal("team-unique", 409, "Team name and handle must be unique")


def _unknown(wanted: str) -> Refusal:
    try:
        uuid.UUID(wanted)
    except ValueError:
        return api_refusal("resource-unknown", 404, f"{wanted} is not a valid UUID not found")
    return api_refusal("resource-unknown", 404, f"Team with ID {wanted} not found")


def _listing(page: PageOfItems) -> Item:
    last = max(0, page.total - 1) // page.size * page.size
    pagination: dict[str, Any] = {
        "offset": page.offset,
        "first_offset": 0,
        "prev_offset": max(0, page.offset - page.size),
        "next_offset": min(page.offset + page.size, last),
        "last_offset": last,
        "limit": page.size,
        "total": page.total,
        "type": "number",
    }
    return {"data": page.items, "meta": {"pagination": pagination}}


def _mentions(item: Item, wanted: str) -> bool:
    attributes = item["attributes"]
    return any(wanted.lower() in attributes[key].lower() for key in LONGEST)


TEAMS = ResourceKind(
    kind="team",
    fields=MappingProxyType(
        {
            "handle": name,
            "name": name,
            "description": maybe(text),
            "avatar": maybe(text),
            "banner": maybe(whole),
            "hidden_modules": many(text),
            "visible_modules": many(text),
        }
    ),
    required=("handle", "name"),
    compose=_compose,
    read=jsonapi.reads("team"),
    verify=_verify,
    complain=complain_as_text,
    unknown=_unknown,
    samples=({"handle": "sandbox-team", "name": "Sandbox Team"},),
    show=jsonapi.show,
    listing=_listing,
    filters=MappingProxyType({"filter[keyword]": _mentions}),
    paging=Paging("page[size]", "page[number]", default=10, counts_pages=True),
    created=201,
)
HANDLERS: Mapping[tuple[str, str], Handler] = handlers_of(
    TEAMS, PATH, PATH + "/{team_id}", changes=TEAMS, method="PATCH"
)
