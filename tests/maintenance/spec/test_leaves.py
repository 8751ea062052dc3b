"""Made-up single values follow the rules of their schema."""

from __future__ import annotations

from typing import Any

import pytest

from ddoauth_kit.maintenance.spec.leaves import leaf
from ddoauth_kit.maintenance.spec.schemas import Schemas


@pytest.mark.parametrize(
    ("flat", "name", "expected"),
    [
        ({"type": "string"}, "team_name", "sandbox-team-name"),
        ({"type": "string"}, "user_email", "ada@example.com"),
        ({"type": "string", "format": "date-time"}, "at", "2026-01-01T00:00:00+00:00"),
        ({"type": "string", "format": "date"}, "day", "2026-01-01"),
        ({"type": "string", "maxLength": 4}, "name", "sand"),
        ({"type": "string", "pattern": "^#[0-9a-f]{6}$"}, "color", "#632ca6"),
        ({"type": "integer"}, "created_at", 1767225600),
        ({"type": "integer"}, "count", 1),
        ({"type": "integer", "maximum": 0}, "count", 0),
        ({"type": "integer", "minimum": 5}, "count", 5),
        ({"type": "number", "minimum": 2, "maximum": 3}, "count", 2.0),
        ({"type": "boolean"}, "enabled", False),
        ({"enum": ["b", "a"]}, "kind", "b"),
        ({}, "anything", "sandbox-anything"),
    ],
)
def test_values_are_plausible(flat: dict[str, Any], name: str, expected: object) -> None:
    """By type, format and name, the same each time, and valid."""
    assert leaf(flat, name=name) == expected
    assert Schemas({}).fits(flat, expected)


def test_uuids_differ_by_name() -> None:
    """They are valid, and alike for alike names."""
    flat = {"type": "string", "format": "uuid"}
    first, second = leaf(flat, name="a_id"), leaf(flat, name="b_id")
    assert first != second
    assert first == leaf(flat, name="a_id")
    assert Schemas({}).fits(flat, first)
