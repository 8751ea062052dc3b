"""Bodies of the newer services: JSON:API resources with a type and relationships."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ddoauth_kit.sandbox.http.refusals import Refusal, api_refusal
from ddoauth_kit.sandbox.resources.body_fields import InvalidBodyError, checked, too_deep

if TYPE_CHECKING:
    from collections.abc import Callable

    from ddoauth_kit.sandbox.resources.paging import PageOfItems
    from ddoauth_kit.sandbox.resources.resource_kind import Draft, ResourceKind
    from ddoauth_kit.sandbox.state.created_resources import Item

JSON_API = "application/vnd.api+json"


def reads(kind: str) -> Callable[[ResourceKind, Any], tuple[Item, Item]]:
    """Create the reader for a body whose `data` is a resource of this type."""

    def read(resource: ResourceKind, body: object) -> tuple[Item, Item]:
        data = body.get("data") if isinstance(body, dict) else None
        if not isinstance(data, dict):
            raise InvalidBodyError("The body must have an object called data.")
        if too_deep(body):
            raise InvalidBodyError("The body is nested too deeply.")
        if data.get("type") != kind:
            shown = str(data.get("type"))[:100]
            raise InvalidBodyError(f'got type "{shown}" expected one of "{kind}"')
        attributes = data.get("attributes", {})
        given = checked(attributes, resource.fields, required=resource.required)
        return given, _links(data.get("relationships"))

    return read


def _links(relationships: object) -> Item:
    """Return the ids in a relationship: one id, a list, or None."""
    if relationships is None:
        return {}
    if not isinstance(relationships, dict):
        raise InvalidBodyError("relationships must be an object")
    return {
        name: _linked(link, name=name) for name, link in relationships.items() if link is not None
    }


def _linked(link: object, *, name: str) -> str | list[str] | None:
    data = link.get("data") if isinstance(link, dict) else link
    if data is None:
        return None
    ends = data if isinstance(data, list) else [data]
    ids = [end.get("id") if isinstance(end, dict) else None for end in ends]
    named = [one for one in ids if isinstance(one, str)]
    if len(named) != len(ids):
        raise InvalidBodyError(f"relationship {name} must have data with type and id")
    return named if isinstance(data, list) else named[0]


def link(kind: str, target: str | None) -> Item:
    """Write a relationship to one resource, or to none."""
    return {"data": None if target is None else {"type": kind, "id": target}}


def links(kind: str, targets: list[str]) -> Item:
    """Write a relationship to many resources."""
    return {"data": [{"type": kind, "id": target} for target in targets]}


def composed(draft: Draft, kind: str, *, attributes: Item, relationships: Item) -> Item:
    """Return the resource with its id and links, its attributes merged over the old ones."""
    old = draft.old or {"id": draft.uuid(kind), "attributes": {}, "relationships": {}}
    return {
        "type": kind,
        "id": old["id"],
        "attributes": {**old["attributes"], **attributes},
        "relationships": {**old["relationships"], **relationships},
    }


def show(item: Item) -> Item:
    """Show one resource."""
    return {"data": item}


def listing(page: PageOfItems) -> Item:
    """Show many resources."""
    return {"data": page.items}


def complain(words: str) -> Refusal:
    """Refuse a body, with a status, a title and a detail."""
    error = {"status": "400", "title": "Bad Request", "detail": words}
    return as_json_api(api_refusal("resource-invalid", 400, error))


def unknown(_wanted: str) -> Refusal:
    """Refuse an unknown id, with a status and a title."""
    error = {"status": "404", "title": "Not Found"}
    return as_json_api(api_refusal("resource-unknown", 404, error))


def as_json_api(refusal: Refusal) -> Refusal:
    """Return the refusal with JSON:API's media type."""
    refusal.content_type = JSON_API
    return refusal
