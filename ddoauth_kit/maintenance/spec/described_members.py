"""Find the lists to which calls add members (references or resources) and remove them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from ddoauth_kit.maintenance.spec.described_shapes import (
    answer_schema,
    answer_shape,
    request_schema,
    shapes_of,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from ddoauth_kit.maintenance.spec.described_operations import SchemaPlace
    from ddoauth_kit.maintenance.spec.described_shapes import Shape

_ADDING: Final = ("POST", "PUT")
_ERASING: Final = re.compile(r"/(bulk[-_])?delete$")
_IDS: Final = re.compile(r"(_ids|Ids)$")


def members(
    found: Mapping[str, SchemaPlace], taken: Collection[str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the lists by path; `taken` are the operations of kinds and settings."""
    free = {name: place for name, place in found.items() if name not in taken}
    for path in sorted({place.path for place in free.values() if not place.path.endswith("}")}):
        entry = _entry(path, free)
        can_take = entry["removes"] or all(call["given"] for call in entry["adds"].values())
        can_show = ("get" in entry and "{" not in path) or (entry["removes"] and "list" in entry)
        if entry["adds"] and can_take and can_show:
            yield path, entry


def _entry(path: str, free: Mapping[str, SchemaPlace]) -> dict[str, Any]:
    entry: dict[str, Any] = {"adds": {}, "removes": {}}
    one = re.compile(re.escape(path) + r"/\{\w+\}$")
    for name, place in free.items():
        if place.path != path and not one.match(place.path):
            continue
        if place.method == "GET":
            if place.parameters("query"):
                continue
            role = "list" if place.path == path else "get"
            way = answer_shape(place, None, listed=role == "list").way
            if ("*" in way) == (role == "list"):
                entry[role] = {"name": name, "way": list(way)}
        elif _names_members(place, at=path):
            role = "removes" if place.method == "DELETE" else "adds"
            entry[role][name] = _ways(place)
    return entry


def _names_members(place: SchemaPlace, *, at: str) -> bool:
    """Return whether a call names the members, either in its path or by ids in its body."""
    if place.method not in {*_ADDING, "DELETE"}:
        return False
    if place.path != at:
        return True
    shape = _given(place)
    if shape is None:
        return False
    if "attributes" in shape.properties and "*" not in shape.way and place.method == "DELETE":
        return False
    shown = "data" in shape.way or "*" in shape.way or "*" in _shown(place)
    return shown and (place.method == "POST" or "id" in shape.properties)


def _ways(place: SchemaPlace) -> dict[str, Any]:
    shape = _given(place)
    ways: dict[str, Any] = {"given": list(shape.way) if shape is not None else []}
    if answer_schema(place):
        ways["way"] = list(_shown(place))
    return ways


def _shown(place: SchemaPlace) -> tuple[str, ...]:
    found = [shape.way for shape in shapes_of(place, answer_schema(place)) if shape.way]
    data = [way for way in found if way[0] == "data"]
    return (data or found or [()])[0] if answer_schema(place) else ()


def _given(place: SchemaPlace) -> Shape | None:
    if not request_schema(place):
        return None
    found = list(shapes_of(place, request_schema(place)))
    data = [shape for shape in found if shape.way[:1] == ("data",)]
    named = [shape for shape in found if "*" in shape.way and "id" in shape.properties]
    return (data or named or found)[-1 if data else 0]


def erasers(
    collection: str, found: Mapping[str, SchemaPlace]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the calls that delete many items of a collection, and the place of their ids."""
    for name, place in found.items():
        rest = place.path.removeprefix(collection)
        is_whole = place.method == "DELETE" and not rest
        if place.path.startswith(collection) and (is_whole or _ERASING.fullmatch(rest)):
            ids = _ids(place)
            if ids is not None:
                entry: dict[str, Any] = {"ids": ids}
                if answer_schema(place):
                    entry["way"] = list(_shown(place))
                yield name, entry


def _ids(place: SchemaPlace) -> list[str] | None:
    for shape in reversed(list(shapes_of(place, request_schema(place)))):
        if "*" in shape.way and "id" in shape.properties:
            return [*shape.way, "id"]
        for name in shape.properties:
            if _IDS.search(name):
                return [*shape.way, name, "*"]
        if "attributes" in shape.properties:
            inner = [s for s in shapes_of(place, shape.properties["attributes"]) if not s.way]
            names = [n for s in inner for n in s.properties if _IDS.search(n)]
            if names:
                return [*shape.way, "attributes", names[0], "*"]
    return None
