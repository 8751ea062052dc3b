"""The kinds of resources in the API description, and the schemas for their bodies.

A schema is a small object. `t` is its type, as one letter: `o`bject, `l`ist, `s`tring, `i`nteger,
`n`umber, `b`oolean, `a`ny or `v`ariants. `p` contains its properties, `r` the required ones, `l`
the schema of a list's items, `m` the schema of the values in an object with arbitrary names, `v`
its variants, `e` its allowed values, `f` its format, `d` its default, `x` a value within its
limits, and `k` the minimum number of items in a list. `0` means that null is allowed, and `w` that
only the server writes it. A number stands for the schema at that position in the file's list. A
schema also stores two results that are derived from it on first use: `fields`, its properties with
each number replaced by its schema, and `plans`, the rules for creating resources from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ddoauth_kit.sandbox.facts.entries import Entries, NumberedEntries, parts

if TYPE_CHECKING:
    from collections.abc import Mapping

Schema = dict[str, Any]
_ANY: Schema = {"t": "a"}


@dataclass(frozen=True)
class Elsewhere:
    """An operation at another path that creates or changes a kind's resources."""

    given: tuple[str, ...]
    way: tuple[str, ...]


@dataclass(frozen=True)
class Eraser:
    """An operation that deletes many resources of a kind, and the place of its ids and response."""

    ids: tuple[str, ...]
    way: tuple[str, ...] | None


@dataclass(frozen=True)
class MemberCall:
    """An operation that adds or removes members, and their place in its body and response."""

    given: tuple[str, ...]
    way: tuple[str, ...] | None


@dataclass(frozen=True)
class DescribedMembers:
    """A list of members below a path; `listing` and `reading` name operations and paths."""

    path: str
    listing: tuple[str, tuple[str, ...]] | None
    reading: tuple[str, tuple[str, ...]] | None
    adds: Mapping[str, MemberCall]
    removes: Mapping[str, MemberCall]


@dataclass(frozen=True)
class DescribedKind:
    """One kind: its paths, its place in bodies and responses, and the format of its ids."""

    path: str
    item: str
    key: str
    given: tuple[str, ...]
    operations: Mapping[str, str]
    ways: Mapping[str, tuple[str, ...]]
    changes: Mapping[str, tuple[str, ...]]
    form: str | int | None
    makers: Mapping[str, Elsewhere]
    acts: Mapping[str, Elsewhere]
    erasers: Mapping[str, Eraser]

    @property
    def parameter(self) -> str:
        """Return the name of the variable at the end of an item's path."""
        return self.item.rpartition("{")[2][:-1]


@dataclass(frozen=True)
class DescribedSettings:
    """Settings that one path reads and writes as a whole, and their place in bodies."""

    path: str
    way: tuple[str, ...]
    writes: tuple[str, ...]


@dataclass(frozen=True)
class OperationSchemas:
    """The schemas of one operation; `errors_are_texts` gives the format of errors.

    `takes_include` tells whether its query lists related resources to include.
    """

    body: Schema | None
    answer: Schema | None
    errors_are_texts: bool
    takes_include: bool


@dataclass(frozen=True)
class _Document:
    kinds: Entries
    settings: Entries
    members: Entries
    operations: Entries
    schemas: NumberedEntries


@cache
def _document() -> _Document:
    found = parts("schemas.json")
    return _Document(
        kinds=Entries(found["kinds"]),
        settings=Entries(found["settings"]),
        members=Entries(found["members"]),
        operations=Entries(found["operations"]),
        schemas=NumberedEntries(found["schemas"]),
    )


@cache
def described_kinds() -> Mapping[str, DescribedKind]:
    """Return the kinds, keyed by the path that creates them; the first call reads the file."""
    return MappingProxyType({path: _kind(path, e) for path, e in _document().kinds.items()})


@cache
def described_settings() -> Mapping[str, DescribedSettings]:
    """Return the settings, keyed by path."""
    return MappingProxyType(
        {
            path: DescribedSettings(path, tuple(entry["way"]), tuple(entry["writes"]))
            for path, entry in _document().settings.items()
        }
    )


@cache
def described_members() -> Mapping[str, DescribedMembers]:
    """Return the lists of members, keyed by path."""
    return MappingProxyType(
        {
            path: DescribedMembers(
                path=path,
                listing=_shown(entry.get("list")),
                reading=_shown(entry.get("get")),
                adds=_calls(entry["adds"]),
                removes=_calls(entry["removes"]),
            )
            for path, entry in _document().members.items()
        }
    )


def _shown(entry: Mapping[str, Any] | None) -> tuple[str, tuple[str, ...]] | None:
    return (entry["name"], tuple(entry["way"])) if entry is not None else None


def _calls(entries: Mapping[str, Any]) -> Mapping[str, MemberCall]:
    return {
        name: MemberCall(given=tuple(entry["given"]), way=_way(entry))
        for name, entry in entries.items()
    }


def _way(entry: Mapping[str, Any]) -> tuple[str, ...] | None:
    return tuple(entry["way"]) if "way" in entry else None


def _kind(path: str, entry: Mapping[str, Any]) -> DescribedKind:
    return DescribedKind(
        path=path,
        item=entry["item"],
        key=entry["key"],
        given=tuple(entry["given"]),
        operations=entry["operations"],
        ways={role: tuple(way) for role, way in entry["ways"].items()},
        changes={role: tuple(way) for role, way in entry.get("changes", {}).items()},
        form=entry.get("form"),
        makers=_elsewhere(entry.get("makers", {})),
        acts=_elsewhere(entry.get("acts", {})),
        erasers={
            name: Eraser(ids=tuple(call["ids"]), way=_way(call))
            for name, call in entry.get("erasers", {}).items()
        },
    )


def _elsewhere(entries: Mapping[str, Any]) -> Mapping[str, Elsewhere]:
    return {
        name: Elsewhere(given=tuple(entry["given"]), way=tuple(entry["way"]))
        for name, entry in entries.items()
    }


@cache
def operation_schemas(address: str) -> OperationSchemas:
    """Return the schemas of the operation with this method and path."""
    entry = _document().operations.get(address, {})
    return OperationSchemas(
        body=resolved(entry["body"]) if "body" in entry else None,
        answer=resolved(entry["answer"]) if "answer" in entry else None,
        errors_are_texts=entry.get("errors") == "texts",
        takes_include="includes" in entry,
    )


def resolved(schema: Schema | int | None) -> Schema:
    """Return the schema that a number refers to."""
    if schema is None:
        return _ANY
    found: Schema = _document().schemas[schema] if isinstance(schema, int) else schema
    return found


def fields(schema: Schema) -> Mapping[str, Schema]:
    """Return the schemas of an object's properties."""
    found: dict[str, Schema] | None = schema.get("fields")
    if found is None:
        found = {name: resolved(part) for name, part in schema.get("p", {}).items()}
        schema["fields"] = found
    return found


def inner(schema: Schema, way: tuple[str, ...]) -> Schema:
    """Return the schema at a path of names, where `*` stands for an item of a list."""
    for name in way:
        schema = resolved(schema.get("l") if name == "*" else schema.get("p", {}).get(name))
    return schema
