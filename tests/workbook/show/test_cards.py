"""Cards show a value's fields, in text and in HTML, and escape what comes from outside."""

from __future__ import annotations

import pytest

from ddoauth_kit.errors import ApiError
from ddoauth_kit.sites import DATADOG_SITES
from ddoauth_kit.workbook.show.cards import Skipped, as_html, as_text, rows


def test_error_card() -> None:
    """An error shows what happened, what the server said, what to try next, and its code."""
    error = ApiError("not_found", "The call was refused (404).", said=("<b>gone</b>",))
    assert [name for name, _ in rows(error)] == [
        "what happened",
        "what the server said",
        "what to try next",
        "code",
    ]
    assert "<b>" not in as_html(error)
    assert "&lt;b&gt;gone" in as_html(error)


def test_text_is_aligned_and_wrapped() -> None:
    """Text cards keep to 88 columns and indent what they wrap."""
    lines = as_text(Skipped("word " * 40)).splitlines()
    assert max(map(len, lines)) <= 88
    assert all(line.startswith(" " * len("skipped  ")) for line in lines[1:])


def test_site_card_names_every_host() -> None:
    """A site's card lists the hosts that Datadog documents for it."""
    assert "http-intake.logs.us3.datadoghq.com" in as_text(DATADOG_SITES.named("us3"))


def test_unknown_values_have_no_card() -> None:
    """A value without a card is an error of the caller, not an empty table."""
    with pytest.raises(TypeError, match="no card for int"):
        rows(1)
