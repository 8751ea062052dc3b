"""Check a body against the API description: required fields, types and enum values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ddoauth_kit.sandbox.facts.described_schemas import fields, resolved
from ddoauth_kit.sandbox.resources.body_fields import InvalidBodyError, too_deep, whole

if TYPE_CHECKING:
    from collections.abc import Callable

    from ddoauth_kit.sandbox.facts.described_schemas import Schema

_NOUNS = {
    "o": "an object",
    "l": "a list",
    "s": "a string",
    "i": "an integer",
    "n": "a number",
    "b": "true or false",
}
_TESTS: dict[str, Callable[[object], bool]] = {
    "o": lambda value: isinstance(value, dict),
    "l": lambda value: isinstance(value, list),
    "s": lambda value: isinstance(value, str),
    "i": whole,
    "n": lambda value: isinstance(value, (int, float)) and not isinstance(value, bool),
    "b": lambda value: isinstance(value, bool),
}
_UNKNOWN: Schema = {"t": "a"}


class SenselessBodyError(InvalidBodyError):
    """A body that matches its schema but makes no sense to its service."""


def check_body(schema: Schema, body: object) -> None:
    """Raise `InvalidBodyError` for the first part of a body that its schema doesn't allow."""
    if too_deep(body):
        raise InvalidBodyError("The body is nested too deeply.")
    _check(schema, body, at="")
    if isinstance(body, dict) and body:
        _check_sense(schema, body, at="")


def _check_sense(schema: Schema, value: object, *, at: str) -> None:
    """Refuse values that schemas allow but that Datadog refused in recordings."""
    if isinstance(value, list):
        items = resolved(schema.get("l"))
        if "e" in items and len({*map(str, value)}) < len(value):
            raise SenselessBodyError(f"{at} must not name a value twice")
        for part in value:
            _check_sense(items, part, at=at)
    if not isinstance(value, dict):
        return
    properties = fields(schema)
    if not at and "data" in properties and "data" not in value:
        raise SenselessBodyError("Object must include `data` key.")
    for name in schema.get("r", ()):
        if value.get(name) in ("", []):
            _check_says_something(_under(at, name), value[name])
    _check_span(value, at=at)
    for name, part in value.items():
        if name in properties and isinstance(part, (dict, list)):
            _check_sense(properties[name], part, at=_under(at, name))


def _check_says_something(at: str, value: object) -> None:
    if value == "" and at.startswith("data.attributes."):
        raise SenselessBodyError(f"{at} is required and must not be empty")
    if value == [] and at.endswith(("_ids", "_uuids")):
        raise SenselessBodyError(f"{at} is required and must not be empty")


def _check_span(value: dict[str, Any], *, at: str) -> None:
    if "from" in value and is_backwards(value["from"], value.get("to")):
        raise SenselessBodyError(f"{_under(at, 'from')} must be before {_under(at, 'to')}")


def is_backwards(start: object, end: object) -> bool:
    """Return whether a time span, in numbers or forms like `now-15m`, ends before it starts."""
    if isinstance(start, str) and isinstance(end, str):
        return start == "now" and end.startswith("now-")
    numbers = [part for part in (start, end) if isinstance(part, (int, float))]
    return len(numbers) == 2 and numbers[0] > numbers[1] > 0  # noqa: PLR2004 - both ends


def allows(schema: Schema, value: object) -> bool:
    """Return whether a schema allows a value."""
    try:
        _check(schema, value, at="")
    except InvalidBodyError:
        return False
    return True


def _check(schema: Schema, value: object, *, at: str) -> None:
    if value is None and schema.get("0"):
        return
    if schema["t"] == "v":
        _check_variants(schema, value, at=at)
        return
    test = _TESTS.get(schema["t"])
    if test is not None and not test(value):
        raise InvalidBodyError(f"{at or 'The body'} must be {_NOUNS[schema['t']]}")
    if "e" in schema and value not in schema["e"]:
        choices = ", ".join(map(str, schema["e"]))[:300]
        raise InvalidBodyError(f"{at} has an invalid value, expected one of: {choices}")
    if isinstance(value, dict):
        _check_object(schema, value, at=at)
    elif isinstance(value, list) and "l" in schema:
        if len(value) < schema.get("k", 0):
            noun = "item" if schema["k"] == 1 else "items"
            raise InvalidBodyError(f"{at} must have at least {schema['k']} {noun}")
        items = resolved(schema["l"])
        for number, part in enumerate(value):
            _check(items, part, at=f"{at}[{number}]")


def _check_object(schema: Schema, value: dict[str, Any], *, at: str) -> None:
    properties = fields(schema)
    for name in schema.get("r", ()):
        if name not in value and not properties.get(name, _UNKNOWN).get("w"):
            raise InvalidBodyError(f"missing required field: {_under(at, name)}")
    others = resolved(schema["m"]) if "m" in schema else None
    for name, part in value.items():
        known = properties.get(name, others)
        if known is not None:
            _check(known, part, at=_under(at, name))


def _check_variants(schema: Schema, value: object, *, at: str) -> None:
    first: InvalidBodyError | None = None
    for variant in map(resolved, schema["v"]):
        try:
            _check(variant, value, at=at)
        except InvalidBodyError as error:
            first = first or error
        else:
            return
    if first is not None:
        raise InvalidBodyError(f"{at or 'The body'} fits no variant: {first}"[:500])


def _under(at: str, name: str) -> str:
    return f"{at}.{name}" if at else name
