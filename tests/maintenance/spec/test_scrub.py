"""Examples lose what could be someone's."""

from __future__ import annotations

import re

import pytest

from ddoauth_kit.maintenance.spec.scrub import scrubbed


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("jane.doe@datadoghq.com", "jane.doe@example.com"),
        ("see https://app.datadoghq.com/monitors/1?a=b", "see https://example.com/monitors/1?a=b"),
        ("00000000-0000-0000-0000-000000000000", "5a4db0c5-0000-4000-8000-000000000000"),
        ("plain text", "plain text"),
        ("@type:action", "@type:action"),
        (7, 7),
        (None, None),
    ],
)
def test_addresses_are_no_ones(value: object, expected: object) -> None:
    """Mailboxes and hosts are example.com's, all else is as it was."""
    assert scrubbed(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        "0123456789abcdef0123456789abcdef",
        "a" * 40,
        "x_0123456789abcdef0123456789abcdef01",
        "AKIA" + "IOSFODNN7EXAMPLE",
        "gh" + "p_16C7e42F292c6912E7710c838347Ae178B4a",
        "eyJ" + "hbGciOiJIUzI1NiJ9.e30.abc",
        "-----BEGIN" + " PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----",
        "wJalrXUtnFEMI1K7MDENGbPxRfiCYEXAMPLEKEY",
    ],
)
def test_what_looks_like_a_secret_is_marked(value: str) -> None:
    """It is replaced by the sandbox's own mark, the same one each time."""
    marked = scrubbed({"id": value})["id"]
    assert re.search(r"sandbox-[0-9a-f]{8}", marked)
    assert value not in marked
    assert scrubbed([value]) == [marked]


@pytest.mark.parametrize("name", ["api_key", "client_secret", "password", "token", "private_key"])
def test_fields_that_hold_secrets_are_marked(name: str) -> None:
    """This holds for any value."""
    assert scrubbed({name: "short"}) == {name: f"sandbox-{name.replace('_', '-')}"}


def test_tags_are_no_secrets() -> None:
    """A field called key holds all kinds of things."""
    assert scrubbed({"key": "env", "tag_key": "team"}) == {"key": "env", "tag_key": "team"}
