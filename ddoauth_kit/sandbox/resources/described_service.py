"""One service for every kind of resource in the API description that has none of its own."""

from __future__ import annotations

import copy
import re
from dataclasses import dataclass
from functools import cache, partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ddoauth_kit.sandbox.clock import START, iso
from ddoauth_kit.sandbox.facts.described_answers import documents
from ddoauth_kit.sandbox.facts.described_schemas import (
    described_kinds,
    inner,
    operation_schemas,
    resolved,
)
from ddoauth_kit.sandbox.facts.error_families import family_error
from ddoauth_kit.sandbox.http.messages import Answer, json_answer
from ddoauth_kit.sandbox.http.payload import plain_body, read_json
from ddoauth_kit.sandbox.http.refusals import Refusal, api_refusal
from ddoauth_kit.sandbox.resources.body_fields import InvalidBodyError
from ddoauth_kit.sandbox.resources.described_body import check_body
from ddoauth_kit.sandbox.resources.described_resource import Composer
from ddoauth_kit.sandbox.resources.org_people import admin_of, role_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from ddoauth_kit.sandbox.facts.described_schemas import DescribedKind, Elsewhere, Schema
    from ddoauth_kit.sandbox.http.messages import Incoming
    from ddoauth_kit.sandbox.resources.create_read_update_delete import Change, Handler
    from ddoauth_kit.sandbox.state.created_resources import Item, Shelf
    from ddoauth_kit.sandbox.state.orgs import Org
    from ddoauth_kit.sandbox.state.state import Twin

_SIZES = ("page[size]", "page[limit]", "page_size", "limit", "count")
_OFFSETS = ("page[offset]", "offset", "start")
_PAGES = ("page[number]", "page")

# What probes aim at when they want to hit nothing.
NOBODYS = frozenset({"0", "00000000-0000-0000-0000-000000000000", "ddoauth-probe-nonexistent"})
_TITLES = {404: "Not Found", 409: "Conflict"}
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)

# Of whom an org has more from the start than the description's examples.
_PEOPLE: Mapping[str, Callable[[Twin, Org], Item]] = MappingProxyType(
    {"/api/v2/users": admin_of, "/api/v2/roles": role_of}
)


@dataclass(frozen=True)
class DescribedService:
    """Create, list, read, change and delete the resources of one kind."""

    kind: DescribedKind

    def shelf(self, twin: Twin, org: Org, path: str) -> Shelf:
        """Return what an org keeps under a collection's path, whose parents are part of it."""
        return twin.kept.shelf(
            f"described {path}",
            org=org,
            key=self._key,
            samples=lambda: self._filled_samples(twin, org),
        )

    def get(self, twin: Twin, org: Org, path: str) -> Item:
        """Return the item of a path, or refuse it."""
        collection, _, wanted = path.rpartition("/")
        shelf = self.shelf(twin, org, collection)
        found = shelf.find(wanted) or next(
            (item for item in shelf.all() if self._is_meant(item, wanted)), None
        )
        if found is None:
            self._check_form(wanted)
            raise refusal("unknown-id", 404, "Not found", at=self.kind.operations["create"])
        return found

    def _check_form(self, wanted: str) -> None:
        """Refuse an id of another form than the described one, unless an item may have any."""
        named = self.kind.parameter.endswith(("name", "handle"))
        if not (named or wanted in NOBODYS or self._has_form(wanted)):
            words = f'invalid parameter "{self.kind.parameter}" in "path"'
            raise refusal("malformed-id", 400, words, at=self.kind.operations["create"])

    def _has_form(self, wanted: str) -> bool:
        form = self.kind.form
        if isinstance(form, int):
            return wanted.isdecimal()
        is_uuid = form is not None and (not form or _UUID.fullmatch(form) is not None)
        return not is_uuid or _UUID.fullmatch(wanted) is not None

    def create(self, twin: Twin, incoming: Incoming, org: Org) -> Change:
        """Check a new resource, and return what keeps it."""
        name, way = self.kind.operations["create"], self.kind.given
        given, settable = self._given(incoming, name, way), self._settable(name, way)
        chosen = self._chosen(given, settable)
        shelf = self.shelf(twin, org, incoming.path)
        old = shelf.find(str(chosen)) if chosen is not None else None
        if old is not None and incoming.method == "POST":
            words = f"{self.kind.key} {chosen} already exists"
            raise refusal("id-taken", 409, words, at=name)

        def make() -> Answer:
            item = self._new(twin, given, settable)
            if old is None:
                shelf.add(item)
            else:
                shelf.replace(self._key(old), item)
            return self._answer(twin, org, name, self.kind.ways["create"], item)

        return make

    def make_elsewhere(
        self, twin: Twin, incoming: Incoming, org: Org, *, name: str, other: Elsewhere
    ) -> Change:
        """Check a new resource that another path than the kind's own takes."""
        given, settable = (
            self._given(incoming, name, other.given),
            self._settable(name, other.given),
        )

        def make() -> Answer:
            item = self.shelf(twin, org, self.kind.path).add(self._new(twin, given, settable))
            return self._answer(twin, org, name, other.way, item)

        return make

    def act(
        self, twin: Twin, incoming: Incoming, org: Org, *, name: str, other: Elsewhere
    ) -> Change:
        """Check what a path below a resource does to it: set fields, or copy the resource."""
        given, settable = (
            self._given(incoming, name, other.given),
            self._settable(name, other.given),
        )
        length = self.kind.item.count("/") + 1
        path = "/".join(incoming.path.split("/")[:length])
        old, verb = self.get(twin, org, path), incoming.path.rpartition("/")[2]

        def make() -> Answer:
            shelf = self.shelf(twin, org, path.rpartition("/")[0])
            item = self._merged(twin, given, settable, old)
            _tell_time(item, verb, iso(twin.clock.now()))
            if verb == "clone":
                item[self.kind.key] = self._minted(twin)
                self._tell_id(item, {})
                shelf.add(item)
            else:
                shelf.replace(self._key(old), item)
            return self._answer(twin, org, name, other.way, item)

        return make

    def list_all(self, twin: Twin, incoming: Incoming, org: Org) -> Answer:
        """List what is there, by pages where the query asks for one."""
        items = _page(self.shelf(twin, org, incoming.path).all(), incoming.parameters)
        entry = documents()[self.kind.operations["list"]]
        body = _put(_without_more(entry["body"]), self.kind.ways["list"][:-1], items)
        return _written(entry, body)

    def read(self, twin: Twin, incoming: Incoming, org: Org) -> Answer:
        """Show one resource."""
        name, way = self.kind.operations["get"], self.kind.ways["get"]
        return self._answer(twin, org, name, way, self.get(twin, org, incoming.path))

    def find(self, twin: Twin, incoming: Incoming, org: Org) -> Answer:
        """Find one resource, or refuse its path."""
        return json_answer(200, self.get(twin, org, incoming.path))

    def change(self, twin: Twin, incoming: Incoming, org: Org, *, role: str) -> Change:
        """Check a change, and return what makes it."""
        name = self.kind.operations[role]
        way = self.kind.changes.get(role, ())
        given = self._given(incoming, name, way)
        old = self.get(twin, org, incoming.path)
        if (
            role == "patch"
            and "attributes" in old
            and str(given.get("id", self._key(old))) != self._key(old)
        ):
            words = "The id in the request body does not match the id in the URL"
            raise refusal("id-mismatch", 422, words, at=name)

        def make() -> Answer:
            collection = incoming.path.rpartition("/")[0]
            item = self._merged(twin, given, self._settable(name, way), old)
            self.shelf(twin, org, collection).replace(self._key(old), item)
            return self._answer(twin, org, name, self.kind.ways.get(role), item)

        return make

    def delete(self, twin: Twin, incoming: Incoming, org: Org) -> Change:
        """Find a resource, and return what forgets it."""
        item = self.get(twin, org, incoming.path)

        def make() -> Answer:
            collection = incoming.path.rpartition("/")[0]
            self.shelf(twin, org, collection).remove([self._key(item)])
            entry = documents()[self.kind.operations["delete"]]
            return _written(entry, entry.get("body"))

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

    def _new(self, twin: Twin, given: Item, settable: Schema) -> Item:
        composer = Composer(twin.mint, twin.clock.now(), label=self.kind.path)
        item = composer.compose(self._shown(), settable, given, self._example())
        chosen = self._chosen(given, settable)
        item[self.kind.key] = chosen if chosen is not None else self._minted(twin)
        self._tell_id(item, given)
        return item

    def _tell_id(self, item: Item, given: Item) -> None:
        """Write the id also where a resource repeats it, and who made the resource."""
        noun = self.kind.path.rpartition("/")[2].removesuffix("s")
        own = {self.kind.parameter, f"{noun}_id", "uuid", "public_id"}
        for place, sent in ((item, given), (item.get("attributes"), given.get("attributes"))):
            if not isinstance(place, dict):
                continue
            for name in own & place.keys():
                if name != self.kind.key and name not in (sent or {}):
                    place[name] = item[self.kind.key]

    def _merged(self, twin: Twin, given: Item, settable: Schema, old: Item) -> Item:
        composer = Composer(twin.mint, twin.clock.now(), label=self.kind.path, is_change=True)
        item = composer.compose(self._shown(), settable, given, old)
        key = self.kind.key
        renamed = key in given and key != "id" and key in settable.get("p", {})
        return {**old, **item, key: given[key] if renamed else old[key]}

    def _shown(self) -> Schema:
        role = next(
            role for role in ("get", "create", "put", "patch", "list") if role in self.kind.ways
        )
        schema = operation_schemas(self.kind.operations[role]).answer
        return inner(schema or {"t": "a"}, self.kind.ways[role])

    def _example(self) -> Item:
        for role in ("get", "create", "list"):
            if role in self.kind.ways:
                found = _at(
                    documents()[self.kind.operations[role]].get("body"), self.kind.ways[role]
                )
                if isinstance(found, dict):
                    return found
        return {}

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
        """Return what an org has from the start: what the answers of the description show."""
        found: dict[str, Item] = {}
        for role in ("list", "get", "patch", "put", "create"):
            if role in self.kind.ways and not found:
                entry = documents()[self.kind.operations[role]]
                for item in _all_at(entry.get("body"), self.kind.ways[role]):
                    if isinstance(item, dict) and item.get(self.kind.key) is not None:
                        found[self._key(item)] = copy.deepcopy(item)
        return found.values()

    def _key(self, item: Item) -> str:
        return str(item[self.kind.key])

    def _is_meant(self, item: Item, wanted: str) -> bool:
        """Return whether a path names an item by another field than its id."""
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
        """Return the id that the maker chose, if the body may hold one."""
        chosen = given.get(self.kind.key)
        if chosen is not None and self.kind.key in settable.get("p", {}):
            return chosen if self._has_form(str(chosen)) else None
        attributes = given.get("attributes")
        if self.kind.parameter.endswith("name") and isinstance(attributes, dict):
            return attributes.get(self.kind.parameter) or attributes.get("name")
        return None

    def _minted(self, twin: Twin) -> object:
        form, label = self.kind.form, self.kind.path
        if isinstance(form, int):
            number = twin.mint.next_number(label)
            told = resolved(self._shown().get("p", {}).get(self.kind.key))
            return str(number) if told["t"] == "s" else number
        fresh = twin.mint.next_uuid(label)
        return _like(form, fresh) if form else fresh

    def _answer(
        self, twin: Twin, org: Org, name: str, way: tuple[str, ...] | None, item: Item
    ) -> Answer:
        entry = documents()[name]
        if way is None:
            return _written(entry, entry.get("body"))
        schema = operation_schemas(name).answer or {}
        example = _at(entry.get("body"), way)
        composer = Composer(twin.mint, twin.clock.now(), label=self.kind.path)
        shown = composer.completed(inner(schema, way), item, example)
        body = _placed(entry.get("body"), schema, way, shown)
        if "included" in schema.get("p", {}) and _names_users(item):
            body["included"] = [admin_of(twin, org)]
        return _written(entry, body)


def _tell_time(item: Item, verb: str, now: str) -> None:
    """Write when an act was done, where a resource tells it, or forget it."""
    attributes = item.get("attributes")
    told = f"{verb.removeprefix('un')}d_at"
    if isinstance(attributes, dict) and told in attributes:
        attributes[told] = None if verb.startswith("un") else now


def checked_body(incoming: Incoming, name: str) -> Any:  # noqa: ANN401 - JSON is anything
    """Read the body of an operation and check it as the description says."""
    schemas = operation_schemas(name)
    try:
        body = read_json(plain_body(incoming))
    except (ValueError, RecursionError):
        raise refusal("body-required", 400, "The body is not valid JSON.", at=name) from None
    try:
        if schemas.body is not None:
            check_body(schemas.body, body)
    except InvalidBodyError as error:
        raise refusal("body-required", 400, str(error), at=name) from None
    return body


def refusal(behaviour: str, status: int, words: str, *, at: str) -> Refusal:
    """Refuse in the shape that the description gives the operation's errors."""
    title = _TITLES.get(status, "Invalid Parameter")
    return api_refusal(behaviour, status, family_error(at, status, title, words))


def _like(form: str, fresh: str) -> str:
    """Write an id with the signs of an example: digits for digits, letters for letters."""
    if re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", form):
        return fresh
    signs = fresh.replace("-", "") * (len(form) // 32 + 1)
    if len(re.findall(r"[0-9a-zA-Z]", form)) < 6:  # noqa: PLR2004 - too few to be distinct
        return fresh
    is_hex = re.fullmatch(r"[0-9a-f-]+", form) is not None
    return "".join(_sign(old, new, is_hex=is_hex) for old, new in zip(form, signs, strict=False))


def _sign(old: str, new: str, *, is_hex: bool) -> str:
    if not old.isalnum() or is_hex:
        return new if old.isalnum() else old
    if old.isdigit():
        return str(int(new, 16) % 10)
    letter = chr(ord("a") + int(new, 16))
    return letter.upper() if old.isupper() else letter


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


def _at(body: Any, way: tuple[str, ...]) -> Any:  # noqa: ANN401 - JSON is anything
    return next(iter(_all_at(body, way)), None)


def _all_at(body: Any, way: tuple[str, ...]) -> list[Any]:  # noqa: ANN401 - JSON is anything
    found = [body]
    for step in way:
        if step == "*":
            found = [part for whole in found if isinstance(whole, list) for part in whole]
        else:
            found = [part[step] for part in found if isinstance(part, dict) and step in part]
    return found


def _put(body: Any, way: tuple[str, ...], value: Any) -> Any:  # noqa: ANN401 - JSON is anything
    if not way:
        return value
    outer = body if isinstance(body, dict) else {}
    return {**outer, way[0]: _put(outer.get(way[0]), way[1:], value)}


def _names_users(item: Item) -> bool:
    links = item.get("relationships")
    ends = [link.get("data") for link in links.values() if link] if links else []
    return any(isinstance(end, dict) and end.get("type") in {"user", "users"} for end in ends)


def _without_more(body: object) -> object:
    """Leave out what other resources a listing's example includes."""
    if not isinstance(body, dict):
        return body
    return {name: part for name, part in body.items() if name != "included"}


def _placed(body: Any, schema: Schema, way: tuple[str, ...], item: Item) -> Any:  # noqa: ANN401
    """Put an item into an answer, with what else must stand there."""
    if not way:
        return item
    if way[0] == "*":
        return [_placed(None, resolved(schema.get("l")), way[1:], item)]
    outer = body if isinstance(body, dict) else {}
    kept = {name: outer[name] for name in schema.get("r", ()) if name in outer}
    part = resolved(schema.get("p", {}).get(way[0]))
    return {**kept, way[0]: _placed(outer.get(way[0]), part, way[1:], item)}


def _written(entry: Mapping[str, Any], body: object) -> Answer:
    if "body" not in entry:
        return Answer(entry["status"], content_type=entry.get("type", "text/plain"))
    answer = json_answer(entry["status"], body)
    return Answer(answer.status, answer.body, entry.get("type", "application/json"))


@cache
def described_services() -> Mapping[str, DescribedService]:
    """Return the services by the paths under which they create."""
    return MappingProxyType(
        {
            path: DescribedService(kind)
            for path, kind in described_kinds().items()
            if "*" not in kind.given and "create" in kind.ways
        }
    )


def described_handlers(
    taken: Collection[tuple[str, str]],
) -> Mapping[tuple[str, str], Handler]:
    """Return the handlers of all kinds of which no operation is taken by another service."""
    found: dict[tuple[str, str], Handler] = {}
    for service in described_services().values():
        handlers = dict(_handlers(service))
        if not any(address in taken for address in handlers):
            found.update(handlers)
    return MappingProxyType(found)


def described_readers(
    taken: Collection[tuple[str, str]],
) -> Mapping[str, Handler]:
    """Return what finds one resource by its path, or refuses it, by the path's template."""
    handlers = described_handlers(taken)
    found = {
        service.kind.item: service.find
        for service in described_services().values()
        if tuple(service.kind.operations["create"].split(" ")) in handlers
    }
    return MappingProxyType(found)


def _handlers(service: DescribedService) -> Iterable[tuple[tuple[str, str], Handler]]:
    serve: Mapping[str, Handler] = {
        "create": service.create,
        "list": service.list_all,
        "get": service.read,
        "put": partial(service.change, role="put"),
        "patch": partial(service.change, role="patch"),
        "delete": service.delete,
    }
    for role, name in service.kind.operations.items():
        if role in service.kind.ways or role in {"delete", "put", "patch"}:
            method, _, path = name.partition(" ")
            yield (method, path), serve[role]
    for name, other in service.kind.makers.items():
        method, _, path = name.partition(" ")
        yield (method, path), partial(service.make_elsewhere, name=name, other=other)
    for name, other in service.kind.acts.items():
        method, _, path = name.partition(" ")
        yield (method, path), partial(service.act, name=name, other=other)
