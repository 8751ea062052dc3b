"""Build the smallest body that the API description allows for an operation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ddoauth_kit.sandbox.facts.described_schemas import operation_schemas, resolved

if TYPE_CHECKING:
    from ddoauth_kit.sandbox.facts.described_schemas import Schema

PLAIN: dict[str, Any] = {"s": "x", "i": 1, "n": 1, "b": True, "a": {}}


def smallest_body(address: str) -> Any:
    """Return a body with only the fields that an operation requires."""
    schema = operation_schemas(address).body
    return {} if schema is None else smallest(schema)


def smallest(schema: Schema) -> Any:
    """Return the smallest value of a schema."""
    if schema.get("e"):
        return schema["e"][0]
    if schema["t"] == "v":
        return smallest(resolved(schema["v"][0]))
    if schema["t"] == "l":
        return [smallest(resolved(schema.get("l")))] * max(1, schema.get("k", 0))
    if schema["t"] == "o":
        properties = schema.get("p", {})
        return {name: smallest(resolved(properties.get(name))) for name in schema.get("r", ())}
    return PLAIN[schema["t"]]
