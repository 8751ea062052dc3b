"""Links from resources: their creators, and other resources that a response includes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ddoauth_kit.sandbox.facts.catalogue import area_of
from ddoauth_kit.sandbox.facts.described_schemas import inner, operation_schemas, resolved
from ddoauth_kit.sandbox.resources.org_people import admin_of, role_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ddoauth_kit.sandbox.facts.described_schemas import Schema
    from ddoauth_kit.sandbox.state.created_resources import Item
    from ddoauth_kit.sandbox.state.orgs import Org
    from ddoauth_kit.sandbox.state.state import Twin

_MAKER = re.compile(r"(last_)?(created_by|modified_by|updated_by|creator|author|editor)(_user)?")
_CHANGER = re.compile(r"(last_)?(modified_by|updated_by|editor)(_user)?")
# The areas whose responses include only the resources that the query names.
_SILENT = frozenset({"Incidents"})


def name_makers(item: Item, shown: Schema, given: Item, org: Org, *, is_change: bool) -> None:
    """Make the links to a resource's creator and last editor refer to the token's user."""
    links, sent = item.get("relationships"), given.get("relationships")
    if not isinstance(links, dict):
        return
    described = inner(shown, ("relationships",)).get("p", {})
    pattern = _CHANGER if is_change else _MAKER
    makers = {
        name: _linked(resolved(described[name]), links[name], org.admin.id)
        for name in described.keys() & links.keys()
        if pattern.fullmatch(name) and name not in (sent or {})
    }
    item["relationships"] = {**links, **makers}


def _linked(schema: Schema, link: object, user: str) -> Item:
    old = link if isinstance(link, dict) else {}
    end = old.get("data")
    kinds = resolved(inner(schema, ("data",)).get("p", {}).get("type")).get("e")
    made = {"type": kinds[0] if kinds else "users"}
    return {**old, "data": {**made, **(end if isinstance(end, dict) else {}), "id": user}}


def included(
    twin: Twin, org: Org, name: str, items: Iterable[Item], query: Mapping[str, str]
) -> list[Item]:
    """Return the resources that items link to and that an operation's response includes."""
    schemas = operation_schemas(name)
    schema = schemas.answer or {}
    if "included" not in schema.get("p", {}) or not _is_wanted(name, query):
        return []
    kinds = frozenset(_kinds(resolved(resolved(schema["p"]["included"]).get("l"))))
    found = {
        (end["type"], end["id"]): linked
        for item in items
        for end in _ends(item)
        if end["type"] in kinds
        for linked in (_find(twin, org, end["type"], end["id"]),)
        if linked is not None
    }
    return list(found.values())


def _is_wanted(name: str, query: Mapping[str, str]) -> bool:
    if operation_schemas(name).takes_include:
        return bool(query.get("include"))
    return area_of(name) not in _SILENT


def _kinds(schema: Schema) -> Iterator[str]:
    for variant in schema.get("v", ()):
        yield from _kinds(resolved(variant))
    yield from resolved(schema.get("p", {}).get("type")).get("e", ())


def _ends(item: Item) -> Iterator[dict[str, Any]]:
    links = item.get("relationships")
    for link in links.values() if isinstance(links, dict) else ():
        data = link.get("data") if isinstance(link, dict) else None
        for end in data if isinstance(data, list) else [data]:
            if isinstance(end, dict) and {"type", "id"} <= end.keys():
                yield end


def _find(twin: Twin, org: Org, kind: str, wanted: str) -> Item | None:
    people = {"users": admin_of, "roles": role_of}
    if kind in people and people[kind](twin, org)["id"] == wanted:
        return people[kind](twin, org)
    return twin.kept.find(kind, wanted, org=org)
