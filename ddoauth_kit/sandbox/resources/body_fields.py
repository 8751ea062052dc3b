"""Check a body: its fields, their types, and which fields are required."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from ddoauth_kit.sandbox.state.created_resources import Item

    Check = Callable[[object], bool]
    Fields = Mapping[str, Check]

# The deepest of Datadog's own bodies, a dashboard of groups, has about fifteen levels.
DEEPEST = 60


class InvalidBodyError(ValueError):
    """A body that a service refuses; the message gives the reason."""


def checked(body: object, fields: Fields, *, required: Collection[str] = ()) -> Item:
    """Return the known fields of a body, or raise `InvalidBodyError` for the first bad one."""
    if not isinstance(body, dict):
        raise InvalidBodyError("The body must be a JSON object.")
    if too_deep(body):
        raise InvalidBodyError("The body is nested too deeply.")
    for name in required:
        if name not in body:
            raise InvalidBodyError(f"Missing required field '{name}'")
    for name, check in fields.items():
        if name in body and not check(body[name]):
            raise InvalidBodyError(f"The value provided for parameter '{name}' is invalid")
    return {name: body[name] for name in fields if name in body}


def too_deep(value: object) -> bool:
    """Return whether JSON is nested too deeply to write safely."""
    level = [value] if isinstance(value, (dict, list)) else []
    for _ in range(DEEPEST):
        level = [
            part
            for outer in level
            for part in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(part, (dict, list))
        ]
        if not level:
            return False
    return True


def text(value: object) -> bool:
    """Accept any string."""
    return isinstance(value, str)


def name(value: object) -> bool:
    """Accept a string that is not blank."""
    return isinstance(value, str) and bool(value.strip())


def flag(value: object) -> bool:
    """Accept true and false."""
    return isinstance(value, bool)


def whole(value: object) -> bool:
    """Accept a 64-bit integer; Python counts booleans as integers, but JSON does not."""
    return isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63


def number(value: object) -> bool:
    """Accept an integer or a float."""
    return whole(value) or isinstance(value, float)


def thing(value: object) -> bool:
    """Accept any object."""
    return isinstance(value, dict)


def one_of(*choices: str) -> Check:
    """Accept one of these values."""
    return lambda value: isinstance(value, str) and value in choices


def maybe(check: Check) -> Check:
    """Accept null as well."""
    return lambda value: value is None or check(value)


def many(check: Check, *, least: int = 0) -> Check:
    """Accept a list with at least this many values, if every value passes."""
    return lambda value: isinstance(value, list) and len(value) >= least and all(map(check, value))


def shaped(fields: Fields, *, required: Collection[str] = ()) -> Check:
    """Accept an object if its known fields pass."""

    def check(value: object) -> bool:
        return (
            isinstance(value, dict)
            and all(field in value for field in required)
            and all(test(value[field]) for field, test in fields.items() if field in value)
        )

    return check


def mapped(check: Check) -> Check:
    """Accept an object with any field names, if every value passes."""
    return lambda value: isinstance(value, dict) and all(map(check, value.values()))
