"""A body is checked as described, and for what recordings show refused beyond that."""

from __future__ import annotations

import pytest

from ddoauth_kit.sandbox.resources.body_fields import InvalidBodyError
from ddoauth_kit.sandbox.resources.described_body import (
    SenselessBodyError,
    check_body,
    is_backwards,
)

NAMED = {"t": "o", "p": {"name": {"t": "s"}, "user_ids": {"t": "l", "l": {"t": "s"}}}}
TYPES = {"t": "l", "l": {"t": "s", "e": ["logs", "metrics"]}}
ATTRIBUTES = {**NAMED, "r": ["name"], "p": {**NAMED["p"], "types": TYPES}}
BODY = {"t": "o", "p": {"data": {"t": "o", "p": {"attributes": ATTRIBUTES}}}}


@pytest.mark.parametrize(
    "body",
    [
        {"name": "shop"},
        {"data": {"attributes": {"name": ""}}},
        {"data": {"attributes": {"name": "shop", "types": ["logs", "logs"]}}},
        {"data": {"attributes": {"name": "shop", "from": 20, "to": 10}}},
    ],
)
def test_senseless_bodies(body: object) -> None:
    """Missing data, an empty required text, a repeated value or a backward time span is refused."""
    with pytest.raises(SenselessBodyError):
        check_body(BODY, body)


def test_lists_of_ids_say_something() -> None:
    """A required list of ids must contain one; other required lists may be empty."""
    schema = {"t": "o", "p": {"public_ids": {"t": "l"}, "tags": {"t": "l"}}, "r": ["tags"]}
    check_body(schema, {"tags": []})
    with pytest.raises(SenselessBodyError):
        check_body({**schema, "r": ["public_ids"]}, {"public_ids": []})


def test_what_is_described_passes() -> None:
    """A body of the described form passes, and one that lacks a required field does not."""
    check_body(BODY, {"data": {"attributes": {"name": "shop", "types": ["logs", "metrics"]}}})
    with pytest.raises(InvalidBodyError, match=r"required field: data\.attributes\.name"):
        check_body(BODY, {"data": {"attributes": {}}})


def test_spans() -> None:
    """Numbers and words tell which end comes first; unlike ends are not compared."""
    assert is_backwards("now", "now-15m")
    assert is_backwards(20, 10)
    assert not is_backwards("now-15m", "now")
    assert not is_backwards(10, 20)
    assert not is_backwards("now", 10)
