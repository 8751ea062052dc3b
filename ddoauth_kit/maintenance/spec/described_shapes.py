"""Find the place of a resource in operations' bodies and responses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ddoauth_kit.maintenance.spec.schemas import Schemas

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ddoauth_kit.maintenance.spec.described_operations import SchemaPlace

_REDIRECTS: Final = 300

Properties = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Shape:
    """A resource's place in a body, as a path of names in which `*` is an item of a list."""

    way: tuple[str, ...]
    properties: Properties


def request_schema(place: SchemaPlace) -> dict[str, Any]:
    """Return the schema of an operation's JSON body, or an empty one if it has no body."""
    body = place.resolve(place.operation.get("requestBody", {}))
    return json_schema(body)


def answer_schema(place: SchemaPlace) -> dict[str, Any]:
    """Return the schema of an operation's first success, or an empty one if it isn't JSON."""
    responses = {int(code): answer for code, answer in place.operation["responses"].items()}
    success = min(code for code in responses if code < _REDIRECTS)
    return json_schema(place.resolve(responses[success]))


def json_schema(holder: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON schema of a body or a response, or an empty one if it has none."""
    for media_type, media in holder.get("content", {}).items():
        if "json" in media_type:
            schema: dict[str, Any] = media.get("schema", {})
            return schema
    return {}


def body_shape(place: SchemaPlace, schema: dict[str, Any], *, like: Properties | None) -> Shape:
    """Return the resource's place in a body: the part most `like` it, or else `data`."""
    shapes = [s for s in shapes_of(place, schema) if "*" not in s.way or s.way == ("data", "*")]
    data = [shape for shape in shapes if shape.way[:1] == ("data",)]
    if data:
        return data[-1]
    if like is None or not shapes:
        return shapes[0] if shapes else Shape((), {})
    return max(shapes, key=lambda shape: _alike(shape, like))


def answer_shape(place: SchemaPlace, given: Shape | None, *, listed: bool) -> Shape:
    """Return the path to the resource in a response, whether it is alone or in a list."""
    shapes = [s for s in shapes_of(place, answer_schema(place)) if ("*" in s.way) == listed]
    if not listed:
        shapes = shapes or [*shapes_of(place, answer_schema(place))]
    data = [shape for shape in shapes if shape.way[:1] == ("data",)]
    if data:
        return data[0]
    if not shapes:
        return Shape((), {})
    like = given.properties if given is not None else {}
    return max(shapes, key=lambda shape: _alike(shape, like))


def _alike(shape: Shape, other: Properties) -> float:
    own = shape.properties.keys()
    return len(own & other.keys()) / (len(own | other.keys()) or 1)


def shapes_of(place: SchemaPlace, schema: dict[str, Any]) -> Iterator[Shape]:
    """Yield a resource's possible places: the whole body, a part of it, or an item of a list."""
    schemas = Schemas(place.document)
    flat = _first(schemas, schema)
    if flat.get("items"):
        yield Shape(("*",), _first(schemas, flat["items"]).get("properties", {}))
        return
    yield Shape((), flat.get("properties", {}))
    for name, part in flat.get("properties", {}).items():
        inner = _first(schemas, part)
        if inner.get("items"):
            properties = _first(schemas, inner["items"]).get("properties", {})
            yield Shape((name, "*"), properties)
        elif inner.get("properties"):
            yield Shape((name,), inner["properties"])


def _first(schemas: Schemas, schema: dict[str, Any]) -> dict[str, Any]:
    flat = schemas.flat(schema)
    variants = flat.get("oneOf") or flat.get("anyOf")
    if not variants:
        return flat
    properties: Properties = {}
    for variant in map(schemas.flat, variants):
        properties = {**variant.get("properties", {}), **properties}
    return {**flat, "properties": properties}
