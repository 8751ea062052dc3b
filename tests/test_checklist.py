"""Each item of the security checklist has a test, and the page on security says which."""

from __future__ import annotations

import re

from support.checklist import ITEMS, LISTENER, PAGE, marked_files, page
from support.places import KIT


def test_every_item_has_a_test() -> None:
    """All are carried; those of the listener as soon as there is one."""
    exempt = frozenset() if (KIT / "oauth" / "callback" / "listener.py").exists() else LISTENER
    assert len(ITEMS) >= 42
    assert set(ITEMS) - exempt <= set(marked_files())


def test_no_test_carries_an_unknown_item() -> None:
    """A misspelt item would count for nothing."""
    assert set(marked_files()) <= set(ITEMS)


def test_the_page_is_up_to_date() -> None:
    """The table is what `python -m support.checklist` would write."""
    assert PAGE.read_text("utf-8") == page()


def test_the_page_says_what_is_promised_and_what_not() -> None:
    """It has promises, limits, the figures of long trials, and a way to report."""
    heads = re.findall(r"^## (.+)$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert heads == [
        "What the kit promises",
        "The checklist",
        "Long trials",
        "What the kit does not promise",
        "Report",
    ]
