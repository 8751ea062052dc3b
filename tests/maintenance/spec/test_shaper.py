"""Values follow their schema, as close to the example as it allows."""

from __future__ import annotations

from typing import Any

import pytest

from ddoauth_kit.maintenance.spec.schemas import MISSING, Schemas
from ddoauth_kit.maintenance.spec.shaper import Shaper

TEXT = {"type": "string"}
CAT = {"type": "object", "required": ["kind"], "properties": {"kind": {"enum": ["cat"]}}}
DOG = {"type": "object", "required": ["kind"], "properties": {"kind": {"enum": ["dog"]}}}
NODE = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": TEXT,
        "children": {"type": "array", "items": {"$ref": "#/components/schemas/Node"}},
    },
}
DOCUMENT = {"components": {"schemas": {"Cat": CAT, "Dog": DOG, "Node": NODE}}}
PET = {"oneOf": [{"$ref": "#/components/schemas/Cat"}, {"$ref": "#/components/schemas/Dog"}]}


def shape(schema: dict[str, Any], given: object = MISSING, *, full: bool = True) -> Any:
    """Shape one value and insist that it fits."""
    schemas = Schemas(DOCUMENT)
    shaped = Shaper(schemas, full=full).shape(schema, given)
    assert schemas.fits(schema, shaped)
    return shaped


@pytest.mark.parametrize(
    ("schema", "given", "expected"),
    [
        (TEXT, "as given", "as given"),
        (TEXT, 7, "sandbox-value"),
        ({"enum": ["a", "b"]}, "b", "b"),
        ({"enum": ["a", "b"]}, "c", "a"),
        ({"type": "integer", "minimum": 3}, 1, 3),
        ({"type": "number"}, 2, 2),
        ({"type": "boolean"}, "yes", False),
        ({"type": "string", "nullable": True}, None, None),
        (TEXT, None, "sandbox-value"),
        ({"type": "string", "pattern": "^[0-9]+$"}, "x", "1"),
        ({"type": "string", "minLength": 20}, "x", "sandbox-valuexxxxxxx"),
        ({"type": "array", "items": TEXT}, [], ["sandbox-value"]),
        ({"type": "array", "items": TEXT}, ["a", "b", "c", "d"], ["a", "b", "c"]),
        ({"type": "array", "items": TEXT, "minItems": 2}, ["a"], ["a", "a"]),
        ({"type": "object"}, {"free": [1]}, {"free": [1]}),
        ({"type": "object", "additionalProperties": TEXT}, {"a": "b"}, {"a": "b"}),
        ({"type": "object", "additionalProperties": TEXT}, {}, {"sandbox": "sandbox-sandbox"}),
        (PET, {"kind": "dog"}, {"kind": "dog"}),
        (PET, {"kind": "cow"}, {"kind": "cat"}),
        (
            {"allOf": [CAT], "properties": {"age": {"type": "integer"}}},
            {},
            {"kind": "cat", "age": 1},
        ),
    ],
)
def test_examples_are_kept_or_mended(
    schema: dict[str, Any], given: object, expected: object
) -> None:
    """Valid parts of an example are kept, invalid ones are made up, and no list is left empty."""
    assert shape(schema, given) == expected


def test_fields_that_the_schema_lacks_are_left_out() -> None:
    """An example's own inventions do not travel."""
    assert shape(NODE, {"name": "a", "made_up": 1}, full=False) == {"name": "a"}


def test_required_fields_are_added() -> None:
    """Without `full` they are all that is added."""
    assert shape(NODE, {}, full=False) == {"name": "sandbox-name"}


def test_recursion_ends() -> None:
    """A tree without an example has one level of what is optional."""
    ref = {"$ref": "#/components/schemas/Node"}
    assert shape(ref) == {"name": "sandbox-name"}
    tree = {"name": "a", "children": [{"name": "b", "children": [{"name": "c"}]}]}
    assert shape(ref, tree) == tree


def test_an_optional_field_that_cannot_fit_is_left_out() -> None:
    """A missing value is better than one that nothing can read."""
    unreadable = {"type": "boolean", "maxLength": 5}
    schema = {"type": "object", "properties": {"name": TEXT, "flag": unreadable}}
    assert shape(schema, {"name": "a", "flag": True}) == {"name": "a"}


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "integer"}, True),
        ({"type": "string", "format": "uuid"}, "x"),
        ({"type": "string", "format": "date-time"}, "yesterday"),
        ({"type": "string", "maxLength": 1}, "ab"),
        ({"type": "integer", "maximum": 1}, 2),
        ({"type": "array", "items": TEXT}, [1]),
        ({"type": "array", "maxItems": 1}, [1, 2]),
        (CAT, {}),
        (CAT, {"kind": "dog"}),
        ({"type": "object", "additionalProperties": False}, {"a": 1}),
        (PET, {"kind": "cow"}),
        ({"oneOf": [TEXT, TEXT]}, "fits both"),
        (TEXT, None),
    ],
)
def test_wrong_values_do_not_fit(schema: dict[str, Any], value: object) -> None:
    """As strictly as the official client reads."""
    assert not Schemas(DOCUMENT).fits(schema, value)
