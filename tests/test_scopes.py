"""Scopes are split, known and compared as RFC 6749 means them."""

from __future__ import annotations

import pytest

from ddoauth_kit.scopes import GrantedScopes, known_scopes, parse_scopes


@pytest.mark.parametrize(
    ("text", "scopes"),
    [
        ("", ()),
        ("  ", ()),
        ("events_read", ("events_read",)),
        ("b a  b\nc", ("b", "a", "c")),
    ],
)
def test_parse_keeps_order_without_duplicates(text: str, scopes: tuple[str, ...]) -> None:
    """A space-delimited text becomes distinct names in their order."""
    assert parse_scopes(text) == scopes


def test_partner_scopes_are_known() -> None:
    """The catalogue contains the public scopes and those that only partners get."""
    assert {"events_read", "timeseries_query", "api_keys_write", "mcp_read"} <= known_scopes()
    assert "read_everything" not in known_scopes()


@pytest.mark.checklist("C14")
def test_a_narrower_grant_is_reported() -> None:
    """Scopes requested but not granted are named, and so are scopes granted but not requested."""
    scopes = GrantedScopes(requested=("a", "b", "c"), granted=("b", "d"))
    assert scopes.withheld == ("a", "c")
    assert scopes.unasked == ("d",)


def test_membership_means_granted() -> None:
    """`in` asks for what was granted, not for what was wanted."""
    scopes = GrantedScopes(requested=("a",), granted=("b",))
    assert "b" in scopes
    assert "a" not in scopes
