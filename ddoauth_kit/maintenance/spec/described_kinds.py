"""Find the operations that create, read, list, change and delete one kind of resource."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from ddoauth_kit.maintenance.spec.bodies import plain
from ddoauth_kit.maintenance.spec.compact_schemas import CompactSchemas
from ddoauth_kit.maintenance.spec.described_members import erasers, members
from ddoauth_kit.maintenance.spec.described_operations import places
from ddoauth_kit.maintenance.spec.described_shapes import (
    Shape,
    answer_schema,
    answer_shape,
    body_shape,
    json_schema,
    request_schema,
)
from ddoauth_kit.maintenance.spec.schemas import Schemas
from ddoauth_kit.maintenance.spec.scrub import scrubbed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ddoauth_kit.maintenance.spec.described_operations import SchemaPlace
    from ddoauth_kit.maintenance.spec.described_shapes import Properties
    from ddoauth_kit.maintenance.spec.source import Spec

_ITEM_METHODS: Final = ("GET", "PUT", "PATCH", "DELETE")
_ITEM_ROLES: Final = ("get", "put", "patch", "delete")
_WAYS: Final = (("data",), ())
_NAMES_OF_IDS: Final = ("id", "public_id", "uuid", "name", "handle", "key", "slug")


def schemas_document(spec: Spec) -> dict[str, Any]:
    """Return a spec's kinds, and the schemas of its operations' bodies and responses."""
    compact = CompactSchemas()
    found = {
        f"{place.method} {place.path}": place
        for place in places(spec)
        if place.scope_sets or place.takes_api_key
    }
    kinds = dict(_kinds(found))
    _add_others(kinds, found)
    settings = dict(_settings(found, kinds))
    lists = dict(members(found, {*_served(kinds), *_written(settings)}))
    shown = {name for entry in lists.values() for name in entry["removes"]}
    operations = {
        name: _operation(compact, place, is_shown=place.method != "DELETE" or name in shown)
        for name, place in found.items()
    }
    return {
        "spec": spec.name,
        "kinds": dict(sorted(kinds.items())),
        "settings": settings,
        "members": lists,
        "operations": {name: entry for name, entry in sorted(operations.items()) if entry},
        "schemas": compact.found,
    }


def _served(kinds: Mapping[str, dict[str, Any]]) -> Iterator[str]:
    """Yield the operations of the kinds whose resources are created and shown one by one."""
    for kind in kinds.values():
        if "*" not in kind["given"] and "create" in kind["ways"]:
            for part in ("makers", "acts", "erasers"):
                yield from kind.get(part, {})
            yield from kind["operations"].values()


def _written(settings: Mapping[str, dict[str, Any]]) -> Iterator[str]:
    for path, entry in settings.items():
        yield from (f"GET {path}", f"DELETE {path}", *entry["writes"])


def _operation(compact: CompactSchemas, place: SchemaPlace, *, is_shown: bool) -> dict[str, Any]:
    entry: dict[str, Any] = {}
    if request_schema(place):
        entry["body"] = compact.add(place, request_schema(place))
    if answer_schema(place) and is_shown:
        entry["answer"] = compact.add(place, answer_schema(place))
    if _says_texts(place):
        entry["errors"] = "texts"
    if any(place.resolve(p)["name"] == "include" for p in place.operation.get("parameters", [])):
        entry["includes"] = True
    return entry


def _says_texts(place: SchemaPlace) -> bool:
    """Return whether the errors in the response to a bad request are strings, not objects."""
    answer = place.operation["responses"].get("400")
    if answer is None:
        return place.path.startswith("/api/v1/")
    schemas = Schemas(place.document)
    errors = schemas.flat(json_schema(place.resolve(answer))).get("properties", {}).get("errors")
    if errors is None:
        return place.path.startswith("/api/v1/")
    return bool(schemas.flat(schemas.flat(errors).get("items", {})).get("type") == "string")


def _kinds(found: Mapping[str, SchemaPlace]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, place in found.items():
        if place.method not in {"POST", "PUT"} or not request_schema(place):
            continue
        collection = place.path
        if place.method == "PUT" and (collection.endswith("}") or f"POST {collection}" in found):
            continue
        item = _item_path(collection, found)
        if item is not None:
            kind = _kind(name, item, found)
            if kind is not None:
                yield collection, kind


def _settings(
    found: Mapping[str, SchemaPlace], kinds: Mapping[str, dict[str, Any]]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield settings that one path reads and writes as a whole, and that can't be created."""
    owned = {name for kind in kinds.values() for name in kind["operations"].values()}
    for path in sorted({place.path for place in found.values()}):
        reading = found.get(f"GET {path}")
        if reading is None or f"GET {path}" in owned:
            continue
        for way in _WAYS:
            named = _named(reading, way)
            writes = [
                name
                for name in (f"{method} {path}" for method in ("PATCH", "POST", "PUT"))
                if name in found
                and named
                and _named(found[name], way) == named
                and request_schema(found[name])
                and _changed_way(found[name], Shape((), {})) == way
            ]
            if writes:
                yield path, {"way": list(way), "writes": writes}
                break


def _add_others(kinds: dict[str, dict[str, Any]], found: Mapping[str, SchemaPlace]) -> None:
    """Add operations at other paths that create or change a resource, found by their responses."""
    owned = {name for kind in kinds.values() for name in kind["operations"].values()}
    others = {
        name: place
        for name, place in found.items()
        if name not in owned and place.method in {"POST", "PUT", "PATCH"}
    }
    shown = {name: {way: _named(place, way) for way in _WAYS} for name, place in others.items()}
    for path, kind in kinds.items():
        many = dict(erasers(path, found))
        if many:
            kind["erasers"] = many
        names = {_named(found[kind["operations"][r]], w) for r, w in kind["ways"].items()} - {""}
        for name, place in others.items():
            way = next((way for way, each in shown[name].items() if each in names), None)
            if way is None:
                continue
            entry = {"way": list(way), "given": list(_changed_way(place, Shape((), {})))}
            if place.path.startswith(kind["item"] + "/"):
                kind.setdefault("acts", {})[name] = entry
            elif place.method == "POST" and "{" not in place.path + path and request_schema(place):
                kind.setdefault("makers", {})[name] = entry


def _named(place: SchemaPlace, way: Iterable[str]) -> str:
    """Return the name of the schema for the resource in a response, if the schema has a name."""
    schemas, schema = Schemas(place.document), answer_schema(place)
    for step in way:
        flat = schemas.flat(schema)
        schema = flat.get("items", {}) if step == "*" else flat.get("properties", {}).get(step, {})
    return f"{id(place.document)} {schema['$ref']}" if "$ref" in schema else ""


def _item_path(collection: str, found: Mapping[str, SchemaPlace]) -> str | None:
    """Return the path of a collection's items, if they can be read, changed or deleted."""
    wanted = re.compile(re.escape(collection) + r"/\{\w+\}$")
    paths = sorted({place.path for place in found.values() if wanted.match(place.path)})
    methods: tuple[str, ...] = ("GET", "DELETE")
    if f"POST {collection}/delete" in found:
        methods = ("GET", "DELETE", "PATCH")
    for path in paths:
        if any(f"{method} {path}" in found for method in methods):
            return path
    return None


def _kind(create: str, item: str, found: Mapping[str, SchemaPlace]) -> dict[str, Any] | None:
    place = found[create]
    given = body_shape(place, request_schema(place), like=None)
    parameter = item.rpartition("{")[2][:-1]
    operations = {
        "create": create,
        "list": _listing(place.path, found),
        **{m.lower(): f"{m} {item}" for m in _ITEM_METHODS if f"{m} {item}" in found},
    }
    ways = {}
    for role, name in operations.items():
        if name and role != "delete" and answer_schema(found[name]):
            ways[role] = answer_shape(found[name], given, listed=role == "list")
    if "list" in ways and "*" not in ways["list"].way:
        del ways["list"], operations["list"]
    shown = next(
        (ways[role] for role in ("get", "create", "put", "patch", "list") if role in ways), None
    )
    if shown is None:
        return None
    key = _key(parameter, shown.properties, given.properties)
    if key is None:
        return None
    entry: dict[str, Any] = {
        "item": item,
        "key": key,
        "given": list(given.way),
        "operations": {role: name for role, name in operations.items() if name},
        "ways": {role: list(shape.way) for role, shape in ways.items()},
    }
    changes = {
        role: list(_changed_way(found[operations[role]], given))
        for role in ("put", "patch")
        if role in operations and request_schema(found[operations[role]])
    }
    if changes:
        entry["changes"] = changes
    reader = next(found[operations[role]] for role in _ITEM_ROLES if role in operations)
    form = _form(parameter, key, shown.properties, reader)
    return {**entry, "form": form} if form is not None else entry


def _changed_way(place: SchemaPlace, given: Shape) -> tuple[str, ...]:
    return body_shape(place, request_schema(place), like=given.properties).way


def _listing(path: str, found: Mapping[str, SchemaPlace]) -> str:
    return f"GET {path}" if f"GET {path}" in found else ""


def _key(parameter: str, shown: Properties, given: Properties) -> str | None:
    """Return the name of the field that the path's variable stands for."""
    short = [parameter.rpartition("_")[2], parameter.partition("_")[2]]
    for name in (parameter, *short, *_NAMES_OF_IDS):
        if name in shown:
            return name
    return next((name for name in (parameter, *short) if name in given), None)


def _form(parameter: str, key: str, shown: Properties, place: SchemaPlace) -> object:
    """Return the format of an id: the schema's type and format, or an example."""
    flat = Schemas(place.document).flat(shown.get(key, {}))
    wanted = place.parameters("path").get(parameter, "")
    if flat.get("type") == "integer" or wanted.startswith("int"):
        return 0
    if parameter.endswith(("name", "handle")):
        return None
    if flat.get("format") == "uuid":
        return None if _is_text(place, parameter) else ""
    if _is_text(place, parameter):
        told = _example_of(place, parameter)
        return told if told.isdecimal() else None
    example = flat.get("example")
    return scrubbed(plain(example)) if isinstance(example, str) else ""


def _is_text(place: SchemaPlace, parameter: str) -> bool:
    """Return whether the described example of a path's variable is text, not a UUID."""
    example = _example_of(place, parameter)
    return bool(example) and re.fullmatch(r"[0-9a-fA-F-]{36}", example) is None


def _example_of(place: SchemaPlace, parameter: str) -> str:
    found = map(place.resolve, place.operation.get("parameters", []))
    named = next((entry for entry in found if entry["name"] == parameter), {})
    schema = Schemas(place.document).flat(named.get("schema", {}))
    example = named.get("example", schema.get("example"))
    return example if isinstance(example, str) else ""
