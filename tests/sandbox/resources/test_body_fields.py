"""Checks accept what they say, and a body is refused with the name of its bad field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from ddoauth_kit.sandbox.resources import body_fields as fields
from ddoauth_kit.sandbox.resources.body_fields import InvalidBodyError, checked, too_deep

if TYPE_CHECKING:
    from collections.abc import Callable

POINT = fields.shaped({"x": fields.whole}, required=("x",))


@pytest.mark.parametrize(
    ("check", "good", "bad"),
    [
        (fields.text, ["", "a"], [None, 1, []]),
        (fields.name, ["a"], ["", "  ", None]),
        (fields.flag, [True, False], [0, 1, "true", None]),
        (fields.whole, [0, -1, 2**63 - 1], [True, 1.0, 2**63, -(2**63) - 1, "1"]),
        (fields.number, [0, 1.5], [True, "1", None, 10**400]),
        (fields.thing, [{}], [[], "", None]),
        (fields.one_of("a"), ["a"], ["b", None, ["a"], {}]),
        (fields.maybe(fields.text), [None, "a"], [1]),
        (fields.many(fields.text), [[], ["a"]], [["a", 1], "a", {}]),
        (fields.many(fields.text, least=1), [["a"]], [[]]),
        (POINT, [{"x": 1}, {"x": 1, "y": "free"}], [{}, {"x": "1"}, [], None]),
        (fields.mapped(POINT), [{}, {"p": {"x": 1}}], [{"p": 1}, []]),
    ],
)
def test_checks(check: Callable[[object], bool], good: list[Any], bad: list[Any]) -> None:
    """Each check accepts the valid values and none of the invalid ones."""
    assert [value for value in good if not check(value)] == []
    assert [value for value in bad if check(value)] == []


def test_known_fields_are_kept() -> None:
    """Unknown fields are dropped, so they can't overwrite the sandbox's values."""
    body = {"name": "a", "id": 5}
    assert checked(body, {"name": fields.text}, required=("name",)) == {"name": "a"}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ([], "must be a JSON object"),
        ({}, "Missing required field 'name'"),
        ({"name": None}, "'name' is invalid"),
        ({"name": "a", "size": "b"}, "'size' is invalid"),
    ],
)
def test_bad_bodies_say_why(body: object, words: str) -> None:
    """The refusal names the first bad field."""
    with pytest.raises(InvalidBodyError, match=words):
        checked(body, {"name": fields.text, "size": fields.whole}, required=("name",))


def test_depth_is_bounded() -> None:
    """Sixty levels pass, and more would at last break the writer of JSON."""
    deep: Any = 1
    for _ in range(fields.DEEPEST - 1):
        deep = [deep]
    assert not too_deep(deep)
    assert too_deep([{"a": deep}])
    with pytest.raises(InvalidBodyError, match="nested too deeply"):
        checked({"name": [deep]}, {})
