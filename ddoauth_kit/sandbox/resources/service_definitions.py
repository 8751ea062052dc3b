"""Service definitions, which a single call creates or changes, and whose names are their ids."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ddoauth_kit.sandbox.http.messages import json_answer
from ddoauth_kit.sandbox.http.refusals import Refusal, api_refusal
from ddoauth_kit.sandbox.resources.body_fields import (
    checked,
    many,
    name,
    one_of,
    shaped,
    text,
    thing,
)
from ddoauth_kit.sandbox.resources.create_read_update_delete import delete, list_all, read
from ddoauth_kit.sandbox.resources.paging import Paging
from ddoauth_kit.sandbox.resources.resource_kind import Draft, ResourceKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ddoauth_kit.sandbox.http.messages import Answer, Incoming
    from ddoauth_kit.sandbox.resources.create_read_update_delete import Change, Handler
    from ddoauth_kit.sandbox.resources.paging import PageOfItems
    from ddoauth_kit.sandbox.state.created_resources import Item
    from ddoauth_kit.sandbox.state.orgs import Org
    from ddoauth_kit.sandbox.state.state import Twin

PATH = "/api/v2/services/definitions"
_ONE = PATH + "/{service_name}"
_CONTACT = shaped({"type": text, "contact": text, "name": text}, required=("type", "contact"))
_LINK = shaped({"name": text, "type": text, "url": text}, required=("name", "type", "url"))
_PLACE = shaped({"name": text, "url": text, "provider": text}, required=("name", "url"))
_COMMON: dict[str, Any] = {
    "schema-version": one_of("v2", "v2.1", "v2.2"),
    "dd-service": name,
    "team": text,
    "contacts": many(_CONTACT),
    "links": many(_LINK),
    "tags": many(text),
    "extensions": thing,
    "integrations": thing,
}
_LATER = dict.fromkeys(("application", "description", "lifecycle", "tier"), text)
_FIELDS: dict[str, dict[str, Any]] = {
    "v2": {**_COMMON, "dd-team": text, "docs": many(_PLACE), "repos": many(_PLACE)},
    "v2.1": {**_COMMON, **_LATER},
    "v2.2": {
        **_COMMON,
        **_LATER,
        "type": text,
        "languages": many(text),
        "ci-pipeline-fingerprints": many(text),
    },
}


def _read(resource: ResourceKind, body: object) -> tuple[Item, Item]:
    """Check a definition against the fields of the version that it declares."""
    first = checked(body, resource.fields, required=resource.required)
    return checked(body, _FIELDS[first["schema-version"]]), {}


def _compose(draft: Draft) -> Item:
    version = draft.given["schema-version"]
    meta = {
        "last-modified-time": draft.now,
        "github-html-url": "",
        "ingestion-source": "api",
        "ingested-schema-version": version,
        "origin": "unknown",
        "origin-detail": "",
        "warnings": [],
    }
    same = draft.old["id"] if draft.old else draft.uuid("service-definition")
    return {
        "type": "service-definition",
        "id": same,
        "attributes": {"meta": meta, "schema": draft.given},
    }


def _complain(words: str) -> Refusal:
    return api_refusal("resource-invalid", 400, words, more={"error_details": [{}]})


def _unknown(_wanted: str) -> Refusal:
    return api_refusal("resource-unknown", 404, "Not Found", more={"error_details": [{}]})


def _name_of(item: Item) -> str:
    return str(item["attributes"]["schema"]["dd-service"])


def _listing(page: PageOfItems) -> Item:
    return {"data": page.items}


SERVICES = ResourceKind(
    kind="service-definition",
    fields=MappingProxyType(_COMMON),
    required=("schema-version", "dd-service"),
    compose=_compose,
    read=_read,
    complain=_complain,
    unknown=_unknown,
    samples=(
        {
            "schema-version": "v2.1",
            "dd-service": "sandbox-shop",
            "team": "sandbox-team",
            "description": "Takes the orders.",
            "tags": ["env:sandbox"],
        },
    ),
    key=_name_of,
    show=lambda item: {"data": item},
    listing=_listing,
    paging=Paging("page[size]", "page[number]", default=10, counts_pages=True),
)


def put_definition(twin: Twin, incoming: Incoming, org: Org) -> Change:
    """Store a definition, replacing the service's earlier one."""
    draft = SERVICES.draft(twin, incoming, org, old=None)

    def make() -> Answer:
        shelf, wanted = SERVICES.shelf(twin, org), draft.given["dd-service"]
        item, old = SERVICES.compose(draft), shelf.find(wanted)
        if old is None:
            shelf.add(item)
        else:
            item = shelf.replace(wanted, {**item, "id": old["id"]})
        return json_answer(200, {"data": [item]})

    return make


HANDLERS: Mapping[tuple[str, str], Handler] = {
    ("POST", PATH): put_definition,
    ("GET", PATH): list_all(SERVICES),
    ("GET", _ONE): read(SERVICES, _ONE),
    ("DELETE", _ONE): delete(SERVICES, _ONE),
}
