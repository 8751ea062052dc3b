"""One service for all lists of members, such as a role's users or a list's dashboards.

If a body gives only a member's type and id, the member is a reference: the list shows the resource
itself if the sandbox stores it. Other bodies create new members, often several in one call.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import unquote

from ddoauth_kit.sandbox.clock import START
from ddoauth_kit.sandbox.facts.catalogue import catalogue
from ddoauth_kit.sandbox.facts.described_answers import documents
from ddoauth_kit.sandbox.facts.described_schemas import inner, operation_schemas, resolved
from ddoauth_kit.sandbox.resources.answer_parts import (
    all_at,
    first_at,
    is_said,
    put_at,
    with_item,
    written,
)
from ddoauth_kit.sandbox.resources.described_ids import is_uuid_text
from ddoauth_kit.sandbox.resources.described_refusals import checked_body, refusal
from ddoauth_kit.sandbox.resources.described_resource import Composer
from ddoauth_kit.sandbox.resources.org_people import admin_of, permission, role_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from ddoauth_kit.sandbox.facts.described_schemas import DescribedMembers, MemberCall, Schema
    from ddoauth_kit.sandbox.http.messages import Answer, Incoming
    from ddoauth_kit.sandbox.resources.create_read_update_delete import Change, Handler
    from ddoauth_kit.sandbox.state.created_resources import Item, Shelf
    from ddoauth_kit.sandbox.state.orgs import Org
    from ddoauth_kit.sandbox.state.state import Twin

_REFERENCE = frozenset({"id", "type"})
# The permissions that recordings show for newly created roles.
_OF_NEW_ROLES = (
    "dashboards_read",
    "monitors_read",
    "apm_read",
    "incident_read",
    "rum_apps_read",
    "notebooks_read",
    "slos_read",
    "ci_visibility_read",
)


@dataclass(frozen=True)
class MembersService:
    """List, add and remove the members below one path."""

    members: DescribedMembers

    def handlers(self) -> Iterator[tuple[tuple[str, str], Handler]]:
        """Yield the handlers with their methods and paths."""
        if self.members.listing is not None:
            yield _address(self.members.listing[0]), self.list_all
        if self.members.reading is not None:
            yield _address(self.members.reading[0]), self.read
        for name, call in self.members.adds.items():
            yield _address(name), partial(self.add, name=name, call=call)
        for name, call in self.members.removes.items():
            yield _address(name), partial(self.remove, name=name, call=call)

    def list_all(self, twin: Twin, incoming: Incoming, org: Org) -> Answer:
        """Show all members."""
        name, way = self._shown_by()
        items = self._shelf(twin, org, incoming.path).all()
        return self._answer(name, way, items, twin)

    def read(self, twin: Twin, incoming: Incoming, org: Org) -> Answer:
        """Show one member."""
        name, way = self.members.reading or self._shown_by()
        path, _, wanted = incoming.path.rpartition("/")
        return self._answer(name, way, [self._get(twin, org, path, unquote(wanted), name)], twin)

    def add(
        self, twin: Twin, incoming: Incoming, org: Org, *, name: str, call: MemberCall
    ) -> Change:
        """Check new members, and return the function that adds them."""
        path, named = self._place(incoming, name)
        body = checked_body(incoming, name) if operation_schemas(name).body is not None else {}
        sent = [one if isinstance(one, dict) else {} for one in all_at(body, call.given)]
        if named is not None:
            self._check_form(named, name)
            sent = [{**one, "id": named} for one in sent or [{}]]
        shelf = self._shelf(twin, org, path)
        if self.members.removes and any(_is_there(one, shelf) for one in sent):
            raise refusal("id-taken", 409, "One or more of them exist already", at=name)
        found = [self._known(twin, org, one, name) for one in sent]

        def make() -> Answer:
            made = [
                dict(known) if known is not None else self._new(twin, one, name, call, named)
                for one, known in zip(sent, found, strict=True)
            ]
            if incoming.method == "PUT" and named is None and "*" in call.given:
                shelf.remove([item["id"] for item in shelf.all()])
            for item in made:
                shelf.add(item)
            is_whole = call.way == self._shown_by()[1] and "*" not in call.given and sent
            is_reference = all(one.keys() <= _REFERENCE for one in sent)
            shown = shelf.all() if is_whole and is_reference else made
            return self._answer(name, call.way, shown, twin)

        return make

    def remove(
        self, twin: Twin, incoming: Incoming, org: Org, *, name: str, call: MemberCall
    ) -> Change:
        """Find members, and return the function that removes them."""
        path, named = self._place(incoming, name)
        sent: list[Item] = [{"id": named}] if named is not None else []
        if named is None:
            sent = all_at(checked_body(incoming, name), call.given)
        gone = [self._get(twin, org, path, str(one.get("id")), name) for one in sent]
        shelf = self._shelf(twin, org, path)

        def make() -> Answer:
            shelf.remove({item["id"] for item in gone})
            is_whole = call.way == self._shown_by()[1]
            return self._answer(name, call.way, shelf.all() if is_whole else sent, twin)

        return make

    def _check_form(self, named: str, name: str) -> None:
        """Refuse an id that is not a UUID if the ids in the examples are UUIDs."""
        listed, way = self._shown_by()
        examples = all_at(documents()[listed].get("body"), (*way, "id"))
        is_uuid = self._variable().endswith("uuid") or all(map(is_uuid_text, examples))
        if is_uuid and not self._variable().endswith("key") and not is_uuid_text(named):
            words = f'invalid parameter "{self._variable()}" in "path"'
            raise refusal("malformed-id", 400, words, at=name)

    def _place(self, incoming: Incoming, name: str) -> tuple[str, str | None]:
        """Return the path of the list, and the member named in the path, if any."""
        if name.partition(" ")[2] == self.members.path:
            return incoming.path, None
        path, _, named = incoming.path.rpartition("/")
        return path, unquote(named)

    def _shelf(self, twin: Twin, org: Org, path: str) -> Shelf:
        return twin.kept.shelf(
            f"members {path}",
            org=org,
            key=lambda item: str(item["id"]),
            samples=lambda: self._samples(twin, org, path),
        )

    def _samples(self, twin: Twin, org: Org, path: str) -> Iterable[Item]:
        """Yield the initial members; most lists below a resource start empty."""
        own = _FROM_START.get(self.members.path)
        if own is not None:
            yield from own(twin, org, path)
        elif "{" not in self.members.path:
            name, way = self._shown_by()
            composer = Composer(twin.mint, START, label=f"{path} {org.id}")
            for item in all_at(documents()[name].get("body"), way):
                if isinstance(item, dict) and item.get("id") is not None:
                    filled: Item = composer.filled(self._schema(name, way), item)
                    yield {**filled, "id": str(item["id"])}

    def _get(self, twin: Twin, org: Org, path: str, wanted: str, name: str) -> Item:
        shelf = self._shelf(twin, org, path)
        named = (item for item in shelf.all() if self._is_called(item, wanted))
        found = shelf.find(wanted) or next(named, None)
        if found is None:
            raise refusal("unknown-id", 404, "Not found", at=name)
        return found

    def _is_called(self, item: Item, wanted: str) -> bool:
        """Return whether the field with the name of the path's variable has the given value."""
        attributes = item.get("attributes")
        return isinstance(attributes, dict) and attributes.get(self._variable()) == wanted

    def _variable(self) -> str:
        names = [*self.members.adds, *self.members.removes]
        return next((n.rpartition("{")[2][:-1] for n in names if n.endswith("}")), "")

    def _known(self, twin: Twin, org: Org, sent: Item, name: str) -> Item | None:
        """Return the stored resource that a reference names, or refuse if it doesn't exist."""
        if not {"id"} <= sent.keys() <= _REFERENCE:
            return None
        kind = str(sent.get("type") or self._type())
        known = _find(twin, org, kind, sent["id"]) or _find(twin, org, self._type(), sent["id"])
        if known is None and kind in _STORED:
            raise refusal("unknown-id", 404, f"{kind} {sent['id']} not found", at=name)
        return known

    def _type(self) -> str:
        """Return the JSON:API type of the listed members."""
        name, way = self._shown_by()
        kinds = resolved(self._schema(name, way).get("p", {}).get("type")).get("e")
        return str(kinds[0]) if kinds else ""

    def _new(self, twin: Twin, sent: Item, name: str, call: MemberCall, named: str | None) -> Item:
        listed, way = self._shown_by()
        shown = self._schema(listed, way)
        settable = inner(operation_schemas(name).body or {"t": "a"}, call.given)
        example = first_at(documents()[listed].get("body"), way) or {}
        given = _as_resource(sent, shown)
        composer = Composer(twin.mint, twin.clock.now(), label=self.members.path)
        item = composer.compose(shown, settable, given, example)
        fresh = sent.get("id") or twin.mint.next_uuid(self.members.path)
        if named is not None:
            _tell_name(item, self._variable(), named)
        return {**item, "id": str(fresh)}

    def _shown_by(self) -> tuple[str, tuple[str, ...]]:
        """Return the operation that shows members, and their place in its response."""
        shown = self.members.listing or self.members.reading
        return shown if shown is not None else ("", ())

    def _schema(self, name: str, way: tuple[str, ...]) -> Schema:
        return inner(operation_schemas(name).answer or {"t": "a"}, way)

    def _answer(
        self, name: str, way: tuple[str, ...] | None, items: list[Item], twin: Twin
    ) -> Answer:
        entry = documents()[name]
        body = entry.get("body")
        if way is None:
            return written(name, entry, body)
        composer = Composer(twin.mint, twin.clock.now(), label=self.members.path)
        schema, example = self._schema(name, way), first_at(body, way)
        shown = [composer.completed(schema, item, example) for item in items]
        if "*" not in way:
            answer = operation_schemas(name).answer or {}
            return written(name, entry, with_item(body, answer, way, shown[0]))
        outer = body if isinstance(body, dict) else {}
        told = {"total": len(items)} if "total" in outer else {}
        kept = {part: value for part, value in outer.items() if part != "included"}
        return written(name, entry, put_at({**kept, **told}, way[:-1], shown))


def _address(name: str) -> tuple[str, str]:
    method, _, path = name.partition(" ")
    return method, path


def _is_there(sent: Item, shelf: Shelf) -> bool:
    """Return whether a new member (not a reference) equals an existing one."""
    is_new = "id" not in sent and bool({"attributes", "relationships"} & sent.keys())
    return is_new and any(is_said(item, sent) for item in shelf.all())


def _as_resource(sent: Item, shown: Schema) -> Item:
    """Return a body as a resource if the members that it creates are shown as resources."""
    if "attributes" not in shown.get("p", {}) or {"attributes", "relationships"} & sent.keys():
        return sent
    meta = sent.get("metadata")
    own = {name: part for name, part in sent.items() if name not in _REFERENCE}
    return {**sent, "attributes": {**own, **(meta if isinstance(meta, dict) else {})}}


def _tell_name(item: Item, variable: str, named: str) -> None:
    """Also write the id from a path to the places where a member repeats it."""
    attributes, links = item.get("attributes"), item.get("relationships")
    if isinstance(attributes, dict) and variable in attributes:
        attributes[variable] = named
    noun = variable.rpartition("_")[0]
    if isinstance(links, dict) and isinstance(links.get(noun), dict):
        end = links[noun].get("data")
        links[noun] = {"data": {**(end if isinstance(end, dict) else {}), "id": named}}


def _find(twin: Twin, org: Org, kind: str, wanted: str) -> Item | None:
    own = next((item for item in _own(twin, org, kind) if item["id"] == wanted), None)
    return own or twin.kept.find(kind, wanted, org=org)


def _own(twin: Twin, org: Org, kind: str) -> Iterator[Item]:
    """Yield the resources of a kind that an org has before any call."""
    if kind == "users":
        yield admin_of(twin, org)
    elif kind == "roles":
        yield role_of(twin, org)
    elif kind == "permissions":
        yield from (permission(twin, name) for name in catalogue().descriptions)


def _users_of(twin: Twin, org: Org, path: str) -> Iterator[Item]:
    if path.split("/")[-2] == role_of(twin, org)["id"]:
        yield admin_of(twin, org)


def _permissions_of(twin: Twin, org: Org, path: str) -> Iterator[Item]:
    is_admins = path.split("/")[-2] == role_of(twin, org)["id"]
    known = catalogue()
    for name in known.descriptions if is_admins else _OF_NEW_ROLES:
        if known.sources.get(name) == "spec":
            yield permission(twin, name)


# The kinds for which the sandbox stores all of an org's resources.
_STORED = frozenset({"permissions", "roles", "users"})
_FROM_START: Mapping[str, Callable[[Twin, Org, str], Iterable[Item]]] = MappingProxyType(
    {
        "/api/v2/roles/{role_id}/users": _users_of,
        "/api/v2/roles/{role_id}/permissions": _permissions_of,
    }
)
