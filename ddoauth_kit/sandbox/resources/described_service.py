"""One service for all resource kinds in the API description that lack a service of their own."""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ddoauth_kit.sandbox.clock import START, iso
from ddoauth_kit.sandbox.facts.catalogue import area_of
from ddoauth_kit.sandbox.facts.described_answers import documents
from ddoauth_kit.sandbox.facts.described_schemas import described_kinds, inner, operation_schemas
from ddoauth_kit.sandbox.facts.recorded_statuses import is_lenient, names_deleted, unique_at
from ddoauth_kit.sandbox.http.messages import Answer, json_answer
from ddoauth_kit.sandbox.resources.answer_parts import (
    all_at,
    erased,
    first_at,
    is_said,
    put_at,
    with_item,
    written,
)
from ddoauth_kit.sandbox.resources.described_ids import NOBODYS, has_form, minted
from ddoauth_kit.sandbox.resources.described_refusals import checked_body, refusal
from ddoauth_kit.sandbox.resources.described_resource import Composer
from ddoauth_kit.sandbox.resources.linked_resources import included, name_makers
from ddoauth_kit.sandbox.resources.org_people import admin_of, role_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from ddoauth_kit.sandbox.facts.described_schemas import DescribedKind, Elsewhere, Eraser, Schema
    from ddoauth_kit.sandbox.http.messages import Incoming
    from ddoauth_kit.sandbox.resources.create_read_update_delete import Change
    from ddoauth_kit.sandbox.state.created_resources import Item, Shelf
    from ddoauth_kit.sandbox.state.orgs import Org
    from ddoauth_kit.sandbox.state.state import Twin

_SIZES = ("page[size]", "page[limit]", "page_size", "limit", "count")
_OFFSETS = ("page[offset]", "offset", "start")
_PAGES = ("page[number]", "page")

# Kinds for which an org initially has more resources than the description's examples.
_PEOPLE: Mapping[str, Callable[[Twin, Org], Item]] = MappingProxyType(
    {"/api/v2/users": admin_of, "/api/v2/roles": role_of}
)


@dataclass(frozen=True)
class DescribedService:
    """Create, list, read, change and delete the resources of one kind."""

    kind: DescribedKind

    def shelf(self, twin: Twin, org: Org, path: str) -> Shelf:
        """Return an org's resources under a collection's path, which includes the parents."""
        return twin.kept.shelf(
            f"described {path}",
            org=org,
            key=self._key,
            samples=lambda: self._filled_samples(twin, org),
        )

    def get(self, twin: Twin, org: Org, path: str, *, name: str = "") -> Item:
        """Return the item at a path, or refuse it as the named operation does."""
        collection, _, wanted = path.rpartition("/")
        name = name or self.kind.operations["create"]
        found = self._find(self.shelf(twin, org, collection), wanted)
        if found is None:
            self._check_form(wanted, name)
            raise refusal("unknown-id", 404, "Not found", at=name)
        return found

    def _find(self, shelf: Shelf, wanted: str) -> Item | None:
        named = (item for item in shelf.all() if self._is_meant(item, wanted))
        return shelf.find(wanted) or next(named, None)

    def _check_form(self, wanted: str, name: str) -> None:
        """Refuse an id that is not in the described format, unless any format is allowed."""
        named = self.kind.parameter.endswith(("name", "handle"))
        if not (named or wanted in NOBODYS or has_form(self.kind, wanted)):
            if is_lenient(area_of(name)):
                raise refusal("unknown-id", 404, "Not found", at=name)
            words = f'invalid parameter "{self.kind.parameter}" in "path"'
            raise refusal("malformed-id", 400, words, at=name)

    def create(self, twin: Twin, incoming: Incoming, org: Org) -> Change:
        """Check a new resource, and return the function that stores it."""
        name, way = self.kind.operations["create"], self.kind.given
        given, settable = self._given(incoming, name, way), self._settable(name, way)
        chosen = self._chosen(given, settable)
        shelf = self.shelf(twin, org, incoming.path)
        old = shelf.find(str(chosen)) if chosen is not None else None
        if old is not None and incoming.method == "POST":
            words = f"{self.kind.key} {chosen} already exists"
            raise refusal("id-taken", 409, words, at=name)
        self._check_unique(given, shelf, name)

        def make() -> Answer:
            item = self._new(twin, org, given, settable)
            if old is None:
                shelf.add(item)
            else:
                shelf.replace(self._key(old), item)
            return self._answer(twin, incoming, org, (name, self.kind.ways["create"]), item)

        return make

    def _check_unique(self, given: Item, shelf: Shelf, name: str) -> None:
        """Refuse a resource with the same value as another if recordings show such a refusal.

        An org's initial resources belong to nobody and never cause a refusal.
        """
        way = unique_at(name)
        said = first_at(given, way) if way is not None else None
        if way is None or not said:
            return
        nobodys = set(map(self._key, self._samples()))
        others = (item for item in shelf.all() if self._key(item) not in nobodys)
        if any(is_said(first_at(item, way), said) for item in others):
            words = f"one with the same {'.'.join(way)} already exists"
            raise refusal("id-taken", 409, words, at=name)

    def make_elsewhere(
        self, twin: Twin, incoming: Incoming, org: Org, *, name: str, other: Elsewhere
    ) -> Change:
        """Check a new resource that is created at a path other than the kind's own."""
        given = self._given(incoming, name, other.given)
        settable = self._settable(name, other.given)

        def make() -> Answer:
            item = self._new(twin, org, given, settable)
            self.shelf(twin, org, self.kind.path).add(item)
            return self._answer(twin, incoming, org, (name, other.way), item)

        return make

    def act(
        self, twin: Twin, incoming: Incoming, org: Org, *, name: str, other: Elsewhere
    ) -> Change:
        """Check an action on a resource: setting fields, or copying it."""
        given = self._given(incoming, name, other.given)
        settable = self._settable(name, other.given)
        length = self.kind.item.count("/") + 1
        path = "/".join(incoming.path.split("/")[:length])
        old, verb = self.get(twin, org, path, name=name), incoming.path.rpartition("/")[2]

        def make() -> Answer:
            shelf = self.shelf(twin, org, path.rpartition("/")[0])
            item = self._merged(twin, org, given, settable, old)
            _tell_time(item, verb, iso(twin.clock.now()))
            if verb == "clone":
                item[self.kind.key] = minted(self.kind, twin.mint, self._shown())
                self._tell_id(item, {})
                shelf.add(item)
            else:
                shelf.replace(self._key(old), item)
            return self._answer(twin, incoming, org, (name, other.way), item)

        return make

    def list_all(self, twin: Twin, incoming: Incoming, org: Org) -> Answer:
        """List the resources, in pages if the query asks for a page."""
        name = self.kind.operations["list"]
        items = _page(self.shelf(twin, org, incoming.path).all(), incoming.parameters)
        entry = documents()[name]
        body = put_at(_without_more(entry["body"]), self.kind.ways["list"][:-1], items)
        others = included(twin, org, name, items, incoming.parameters)
        return written(name, entry, {**body, "included": others} if others else body)

    def read(self, twin: Twin, incoming: Incoming, org: Org) -> Answer:
        """Show one resource."""
        name, way = self.kind.operations["get"], self.kind.ways["get"]
        item = self.get(twin, org, incoming.path, name=name)
        return self._answer(twin, incoming, org, (name, way), item)

    def find(self, twin: Twin, incoming: Incoming, org: Org) -> Answer:
        """Find one resource, or refuse its path."""
        return json_answer(200, self.get(twin, org, incoming.path))

    def change(self, twin: Twin, incoming: Incoming, org: Org, *, role: str) -> Change:
        """Check a change, and return a function that makes it."""
        name = self.kind.operations[role]
        way = self.kind.changes.get(role, ())
        given = self._given(incoming, name, way)
        old = self.get(twin, org, incoming.path, name=name)
        if (
            role == "patch"
            and "attributes" in old
            and str(given.get("id", self._key(old))) != self._key(old)
        ):
            words = "The id in the request body does not match the id in the URL"
            raise refusal("id-mismatch", 422, words, at=name)

        def make() -> Answer:
            collection = incoming.path.rpartition("/")[0]
            item = self._merged(twin, org, given, self._settable(name, way), old)
            self.shelf(twin, org, collection).replace(self._key(old), item)
            return self._answer(twin, incoming, org, (name, self.kind.ways.get(role)), item)

        return make

    def delete(self, twin: Twin, incoming: Incoming, org: Org) -> Change:
        """Find a resource, and return the function that deletes it."""
        name = self.kind.operations["delete"]
        item = self.get(twin, org, incoming.path, name=name)

        def make() -> Answer:
            collection = incoming.path.rpartition("/")[0]
            self.shelf(twin, org, collection).remove([self._key(item)])
            entry = documents()[name]
            if names_deleted(name):
                named = {"data": {part: item[part] for part in ("id", "type")}}
                return json_answer(entry["status"], named)
            return written(name, entry, entry.get("body"))

        return make

    def erase(
        self, twin: Twin, incoming: Incoming, org: Org, *, name: str, eraser: Eraser
    ) -> Change:
        """Find many resources, and return the function that deletes them."""
        wanted = list(map(str, all_at(checked_body(incoming, name), eraser.ids)))
        collection = "/".join(incoming.path.split("/")[: self.kind.path.count("/") + 1])
        shelf = self.shelf(twin, org, collection)
        items = [item for item in (self._find(shelf, one) for one in wanted) if item is not None]
        if len(items) < len(wanted):
            raise refusal("unknown-id", 404, "One or more of the resources do not exist", at=name)

        def make() -> Answer:
            shelf.remove({self._key(item) for item in items})
            entry, now = documents()[name], iso(twin.clock.now())
            return written(name, entry, erased(entry.get("body"), eraser.way, wanted, now))

        return make

    def _given(self, incoming: Incoming, name: str, way: tuple[str, ...]) -> Item:
        if operation_schemas(name).body is None:
            return {}
        body = checked_body(incoming, name)
        for step in way:
            body = body.get(step, {}) if isinstance(body, dict) else {}
        return body if isinstance(body, dict) else {}

    def _settable(self, name: str, way: tuple[str, ...]) -> Schema:
        return inner(operation_schemas(name).body or {"t": "a"}, way)

    def _new(self, twin: Twin, org: Org, given: Item, settable: Schema) -> Item:
        composer = Composer(twin.mint, twin.clock.now(), label=self.kind.path)
        shown = self._shown()
        item = composer.compose(shown, settable, given, self._example())
        chosen = self._chosen(given, settable)
        fresh = chosen if chosen is not None else minted(self.kind, twin.mint, shown)
        item[self.kind.key] = fresh
        self._tell_id(item, given)
        name_makers(item, shown, given, org, is_change=False)
        return item

    def _tell_id(self, item: Item, given: Item) -> None:
        """Also write the id to the fields that repeat it."""
        noun = self.kind.path.rpartition("/")[2].removesuffix("s")
        own = {self.kind.parameter, f"{noun}_id", "uuid", "public_id"}
        for place, sent in ((item, given), (item.get("attributes"), given.get("attributes"))):
            if not isinstance(place, dict):
                continue
            for name in own:
                if name in place and name != self.kind.key and name not in (sent or {}):
                    place[name] = item[self.kind.key]

    def _merged(self, twin: Twin, org: Org, given: Item, settable: Schema, old: Item) -> Item:
        composer = Composer(twin.mint, twin.clock.now(), label=self.kind.path, is_change=True)
        item = composer.compose(self._shown(), settable, given, old)
        name_makers(item, self._shown(), given, org, is_change=True)
        key = self.kind.key
        renamed = key in given and key != "id" and key in settable.get("p", {})
        return {**old, **item, key: given[key] if renamed else old[key]}

    def _shown(self) -> Schema:
        return _shown_of(self.kind.path)

    def _example(self) -> Item:
        return _example_of(self.kind.path)

    def _filled_samples(self, twin: Twin, org: Org) -> Iterable[Item]:
        own = _PEOPLE.get(self.kind.path)
        if own is not None:
            yield own(twin, org)
            return
        composer = Composer(twin.mint, START, label=f"{self.kind.path} {org.id}")
        for item in self._samples():
            filled = composer.compose(self._shown(), {"t": "o"}, {}, item)
            for name, part in item.items():
                fresh = filled.get(name)
                if isinstance(part, dict) and isinstance(fresh, dict):
                    filled[name] = {**fresh, **part}
                else:
                    filled[name] = part
            yield filled

    def _samples(self) -> Iterable[Item]:
        """Return an org's initial resources, taken from the described responses."""
        found: dict[str, Item] = {}
        for role in ("list", "get", "patch", "put", "create"):
            if role in self.kind.ways and not found:
                entry = documents()[self.kind.operations[role]]
                for item in all_at(entry.get("body"), self.kind.ways[role]):
                    if isinstance(item, dict) and item.get(self.kind.key) is not None:
                        found[self._key(item)] = copy.deepcopy(item)
        return found.values()

    def _key(self, item: Item) -> str:
        return str(item[self.kind.key])

    def _is_meant(self, item: Item, wanted: str) -> bool:
        """Return whether a path identifies an item by a field other than its id."""
        parameter = self.kind.parameter
        attributes = item.get("attributes") or {}
        link = (item.get("relationships") or {}).get(parameter.removesuffix("_id")) or {}
        linked = link.get("data") if isinstance(link, dict) else None
        names = (parameter, "name" if parameter.endswith("name") else parameter)
        return wanted in {
            *(str(attributes.get(name)) for name in names if isinstance(attributes, dict)),
            str(linked.get("id")) if isinstance(linked, dict) else wanted + " not",
        }

    def _chosen(self, given: Item, settable: Schema) -> Any:  # noqa: ANN401 - JSON is anything
        """Return the id that the caller chose, if the body may contain one."""
        chosen = given.get(self.kind.key)
        if chosen is not None and self.kind.key in settable.get("p", {}):
            return chosen if has_form(self.kind, str(chosen)) else None
        attributes = given.get("attributes")
        if self.kind.parameter.endswith("name") and isinstance(attributes, dict):
            return attributes.get(self.kind.parameter) or attributes.get("name")
        return None

    def _answer(
        self,
        twin: Twin,
        incoming: Incoming,
        org: Org,
        shown_at: tuple[str, tuple[str, ...] | None],
        item: Item,
    ) -> Answer:
        """Answer the operation with this method and path, with a resource at a path in the body."""
        name, way = shown_at
        entry = documents()[name]
        if way is None:
            return written(name, entry, entry.get("body"))
        schema = operation_schemas(name).answer or {}
        example = _shown_at(name, way)
        composer = Composer(twin.mint, twin.clock.now(), label=self.kind.path)
        shown = composer.completed(inner(schema, way), item, example)
        body = with_item(entry.get("body"), schema, way, shown)
        others = included(twin, org, name, [item], incoming.parameters)
        return written(name, entry, {**body, "included": others} if others else body)


@cache
def _shown_at(name: str, way: tuple[str, ...]) -> object:
    """Return the resource in the described response of an operation."""
    return first_at(documents()[name].get("body"), way)


@cache
def _shown_of(path: str) -> Schema:
    """Return the schema for a kind's resources, taken from the most complete response."""
    kind = described_kinds()[path]
    role = next(role for role in ("get", "create", "put", "patch", "list") if role in kind.ways)
    schema = operation_schemas(kind.operations[role]).answer
    return inner(schema or {"t": "a"}, kind.ways[role])


@cache
def _example_of(path: str) -> Item:
    """Merge the examples of a kind; the item's own takes precedence."""
    kind = described_kinds()[path]
    found: Item = {}
    for role in ("list", "create", "get"):
        if role in kind.ways:
            shown = first_at(documents()[kind.operations[role]].get("body"), kind.ways[role])
            if isinstance(shown, dict):
                found = _joined(found, shown)
    return found


def _joined(old: Item, new: Item) -> Item:
    """Merge one example into another; the former's values and attributes take precedence."""
    parts = {
        name: {**old[name], **part}
        for name, part in new.items()
        if isinstance(part, dict) and isinstance(old.get(name), dict)
    }
    return {**old, **new, **parts}


def _tell_time(item: Item, verb: str, now: str) -> None:
    """Set or remove the time of an action in a resource that records this time."""
    attributes = item.get("attributes")
    told = f"{verb.removeprefix('un')}d_at"
    if isinstance(attributes, dict) and told in attributes:
        attributes[told] = None if verb.startswith("un") else now


def _page(items: list[Item], parameters: Mapping[str, str]) -> list[Item]:
    size = _number(parameters, _SIZES)
    if not size:
        return items
    offset = _number(parameters, _OFFSETS)
    page = _number(parameters, _PAGES) or 0
    first = offset if offset is not None else page * size
    return items[first : first + size]


def _number(parameters: Mapping[str, str], names: Iterable[str]) -> int | None:
    found = (parameters[name] for name in names if name in parameters)
    return next((int(text) for text in found if re.fullmatch(r"\d{1,9}", text, re.ASCII)), None)


def _without_more(body: object) -> object:
    """Remove other resources that a listing's example includes."""
    if not isinstance(body, dict):
        return body
    return {name: part for name, part in body.items() if name != "included"}
