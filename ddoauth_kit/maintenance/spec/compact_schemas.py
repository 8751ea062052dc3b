"""Write compact schemas of bodies and responses, with constraints but without descriptions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from ddoauth_kit.maintenance.spec.leaves import leaf
from ddoauth_kit.maintenance.spec.schemas import Schemas, kind

if TYPE_CHECKING:
    from ddoauth_kit.maintenance.spec.described_operations import SchemaPlace

_LETTERS: Final = {
    "object": "o",
    "array": "l",
    "string": "s",
    "integer": "i",
    "number": "n",
    "boolean": "b",
    "": "a",
}
# The official client checks these in answers, too, so such values have an example.
_LIMITS: Final = {"pattern", "minLength", "maxLength", "minimum", "maximum"}


@dataclass
class CompactSchemas:
    """Collects schemas in a list, where a number refers to the schema at that position.

    The letters are those in `sandbox/facts/described_schemas.py`.
    """

    found: list[Any] = field(default_factory=list)
    _places: dict[tuple[int, str], int] = field(default_factory=dict)

    def add(self, place: SchemaPlace, schema: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
        """Return a schema's number, or the schema itself if it has no name."""
        reference = schema.get("$ref")
        if reference is None:
            return self._written(place, schema)
        name = (id(place.document), reference)
        if name not in self._places:
            self._places[name] = len(self.found)
            self.found.append(None)
            self.found[self._places[name]] = self._written(place, schema)
        return self._places[name]

    def _written(self, place: SchemaPlace, schema: dict[str, Any]) -> dict[str, Any]:
        flat = Schemas(place.document).flat(schema)
        written: dict[str, Any] = {"t": _LETTERS[kind(flat)]}
        variants = flat.get("oneOf") or flat.get("anyOf")
        if variants:
            written = {"t": "v", "v": [self.add(place, variant) for variant in variants]}
        if flat.get("properties"):
            written["p"] = {n: self.add(place, part) for n, part in flat["properties"].items()}
        if flat.get("required"):
            written["r"] = sorted(set(flat["required"]))
        if "items" in flat:
            written["l"] = self.add(place, flat["items"])
        if isinstance(flat.get("additionalProperties"), dict):
            written["m"] = self.add(place, flat["additionalProperties"])
        renamed = {"enum": "e", "format": "f", "default": "d", "nullable": "0", "readOnly": "w"}
        for name, letter in renamed.items():
            if flat.get(name) not in (None, False):
                written[letter] = flat[name]
        if written["t"] in "sin" and "enum" not in flat and flat.keys() & _LIMITS:
            written["x"] = leaf(flat, name="value")
        if flat.get("minItems"):
            written["k"] = flat["minItems"]
        return written
