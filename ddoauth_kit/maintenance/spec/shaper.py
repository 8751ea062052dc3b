"""Fit a value to a schema: keep the valid parts of an example and make up the rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ddoauth_kit.maintenance.spec.leaves import leaf
from ddoauth_kit.maintenance.spec.schemas import MISSING, Schemas, by_hand, kind

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_ITEMS: Final = 3
_DEEPEST_OPTIONAL: Final = 6
_MAY_BE_EMPTY: Final = {"errors", "warnings"}


@dataclass(frozen=True)
class Shaper:
    """Creates values for the schemas in one document.

    With `full`, lists are never empty and made-up values include optional fields; otherwise, only
    required fields are added to an example.
    """

    schemas: Schemas
    full: bool

    def shape(
        self,
        schema: dict[str, Any],
        given: object = MISSING,
        *,
        name: str = "value",
        trail: tuple[str, ...] = (),
    ) -> Any:  # noqa: ANN401 - JSON is anything
        """Return a valid value that is as close to the given one as the schema allows.

        `trail` names the enclosing schemas, which limits recursion.
        """
        made = by_hand(schema)
        if made is not MISSING:
            return made
        trail = (*trail, schema.get("$ref", name))
        flat = self.schemas.flat(schema)
        if given is MISSING and "example" in flat:
            given = flat["example"]
        if given is None and self.schemas.fits(schema, None):
            return None
        if "oneOf" in flat or "anyOf" in flat:
            return self._variant(flat, given, name=name, trail=trail)
        return self._plain(flat, given, name=name, trail=trail)

    def _plain(
        self, flat: dict[str, Any], given: object, *, name: str, trail: tuple[str, ...]
    ) -> object:
        wanted = kind(flat)
        if wanted == "object":
            return self._object(flat, given, trail=trail)
        if wanted == "array":
            return self._array(flat, given, name=name, trail=trail)
        if given is not MISSING and self.schemas.fits(flat, given):
            return given
        return leaf(flat, name=name)

    def _array(
        self, flat: dict[str, Any], given: object, *, name: str, trail: tuple[str, ...]
    ) -> list[object]:
        items = flat.get("items", {})
        parts = given[:MOST_ITEMS] if isinstance(given, list) else []
        shaped: list[object] = [self.shape(items, part, name=name, trail=trail) for part in parts]
        least: int = flat.get("minItems", 0)
        wanted = least or (self.full and name not in _MAY_BE_EMPTY)
        if not shaped and wanted and not self._recurs(items, trail):
            shaped = [self.shape(items, name=name, trail=trail)]
        return shaped + shaped[:1] * (least - len(shaped))

    def _object(
        self, flat: dict[str, Any], given: object, *, trail: tuple[str, ...]
    ) -> dict[str, object]:
        example = given if isinstance(given, dict) else {}
        others = flat.get("additionalProperties", True)
        if not flat.get("properties") and others is True:
            return dict(example)
        shaped = {}
        for name, part in self._wanted(flat, given, trail=trail):
            value = self.shape(part, example.get(name, MISSING), name=name, trail=trail)
            if name in flat.get("required", []) or self.schemas.fits(part, value):
                shaped[name] = value
        if isinstance(others, dict):
            extra = {key: example[key] for key in example if key not in flat.get("properties", {})}
            if not extra and not shaped and self.full and not self._recurs(others, trail):
                extra = {"sandbox": MISSING}
            for name, part in extra.items():
                shaped[name] = self.shape(others, part, name=name, trail=trail)
        return shaped

    def _wanted(
        self, flat: dict[str, Any], given: object, *, trail: tuple[str, ...]
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        example = given if isinstance(given, dict) else {}
        required = flat.get("required", [])
        # A response has few fields of its own, which callers want; deeper ones come from examples.
        invents = self.full and (len(trail) == 1 if example else len(trail) < _DEEPEST_OPTIONAL)
        empty = self.full and given is MISSING and not required
        for name, part in flat.get("properties", {}).items():
            invented = invents or (empty and self._is_leaf(part))
            if name in required or name in example or (invented and not self._recurs(part, trail)):
                yield name, part

    def _is_leaf(self, schema: dict[str, Any]) -> bool:
        return kind(self.schemas.flat(schema)) not in {"object", "array", ""}

    def _recurs(self, schema: dict[str, Any], trail: tuple[str, ...]) -> bool:
        inner = schema.get("items", schema)
        return schema.get("$ref") in trail or inner.get("$ref") in trail

    def _variant(
        self, flat: dict[str, Any], given: object, *, name: str, trail: tuple[str, ...]
    ) -> object:
        variants = flat.get("oneOf") or flat["anyOf"]
        near = [variant for variant in variants if self.schemas.fits(variant, given)]
        tries = [(variant, given) for variant in near or variants if given is not MISSING]
        fresh = [v for v in variants if v.get("$ref") not in trail] or variants
        for variant, example in (*tries, *((variant, MISSING) for variant in fresh)):
            shaped = self.shape(variant, example, name=name, trail=trail)
            if self.schemas.fits(flat, shaped):
                return shaped
        return self.shape(fresh[0], name=name, trail=trail)
