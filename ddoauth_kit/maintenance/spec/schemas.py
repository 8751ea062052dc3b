"""Read schemas: follow references, merge `allOf`, and check whether a value fits."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from ddoauth_kit.maintenance.spec.additions import BY_HAND

if TYPE_CHECKING:
    from collections.abc import Callable

_KINDS: Final[dict[str, type | tuple[type, ...]]] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
}

_READERS: Final[dict[str, Callable[[str], object]]] = {
    "uuid": UUID,
    "date-time": datetime.fromisoformat,
    "date": datetime.fromisoformat,
}


class _Missing:
    """A marker for a missing value."""


MISSING: Final = _Missing()


@dataclass(frozen=True)
class Schemas:
    """Reads schemas in the document that their references point into."""

    document: dict[str, Any]

    def flat(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Return a schema with its references followed and its `allOf` merged."""
        while "$ref" in schema:
            kind, name = schema["$ref"].split("/")[2:]
            schema = self.document["components"][kind][name]
        merged = {name: value for name, value in schema.items() if name != "allOf"}
        for part in map(self.flat, schema.get("allOf", [])):
            properties = {**part.get("properties", {}), **merged.get("properties", {})}
            required = [*part.get("required", []), *merged.get("required", [])]
            merged = {**part, **merged, "properties": properties, "required": required}
        return merged

    def fits(self, schema: dict[str, Any], value: object) -> bool:
        """Return whether a value is valid, as strictly as the official client checks it."""
        made = by_hand(schema)
        if made is not MISSING:
            return bool(value == made)
        flat = self.flat(schema)
        if value is None:
            return bool(flat.get("nullable")) or flat.keys() <= {"description", "example"}
        variants = flat.get("oneOf") or flat.get("anyOf")
        if variants:
            return sum(self.fits(variant, value) for variant in variants) == 1
        if "enum" in flat and value not in flat["enum"]:
            return False
        return _is_kind(flat, value) and self._content_fits(flat, value)

    def _content_fits(self, flat: dict[str, Any], value: object) -> bool:
        if isinstance(value, dict):
            return self._object_fits(flat, value)
        if isinstance(value, list):
            most = flat.get("maxItems", len(value))
            items = flat.get("items", {})
            return flat.get("minItems", 0) <= len(value) <= most and all(
                self.fits(items, item) for item in value
            )
        if isinstance(value, str):
            return _text_fits(flat, value)
        return not isinstance(value, (int, float)) or _number_fits(flat, value)

    def _object_fits(self, flat: dict[str, Any], value: dict[str, Any]) -> bool:
        properties = flat.get("properties", {})
        others = flat.get("additionalProperties", True)
        if not set(flat.get("required", [])) <= value.keys():
            return False
        for name, part in value.items():
            if name in properties:
                good = self.fits(properties[name], part)
            else:
                good = self.fits(others, part) if isinstance(others, dict) else bool(others)
            if not good:
                return False
        return True


def by_hand(schema: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON is anything
    """Return the handmade value for a schema, if there is one."""
    return BY_HAND.get(schema.get("$ref", "").rpartition("/")[2], MISSING)


def kind(flat: dict[str, Any]) -> str:
    """Return the explicit or implied type of a flat schema; an empty string means any type."""
    if "type" in flat:
        return str(flat["type"])
    return "object" if "properties" in flat else "array" if "items" in flat else ""


def _is_kind(flat: dict[str, Any], value: object) -> bool:
    wanted = kind(flat)
    if isinstance(value, bool):
        # The client fails when it measures the length of a boolean for which the spec gives a
        # length.
        return wanted in {"boolean", ""} and "maxLength" not in flat
    return not wanted or isinstance(value, _KINDS[wanted])


def _number_fits(flat: dict[str, Any], value: float) -> bool:
    return bool(flat.get("minimum", value) <= value <= flat.get("maximum", value))


def _text_fits(flat: dict[str, Any], value: str) -> bool:
    if not flat.get("minLength", 0) <= len(value) <= flat.get("maxLength", len(value)):
        return False
    if "pattern" in flat and not re.search(flat["pattern"], value):
        return False
    reader = _READERS.get(flat.get("format", ""), str)
    try:
        reader(value)
    except ValueError:
        return False
    return True
