"""Each verdict has its own words, and readable colours."""

from __future__ import annotations

import pytest

from ddoauth_kit.probing.verdict import MEANINGS, Verdict
from ddoauth_kit.workbook.verdicts.words_and_colours import GRAVITY, MARKS, Colours


@pytest.mark.parametrize("verdict", Verdict)
def test_contrast_is_enough(verdict: Verdict) -> None:
    """In light and dark, words have a contrast of at least 4.5 to 1 (WCAG 2.2, 1.4.3)."""
    assert MARKS[verdict].light.contrast >= 4.5
    assert MARKS[verdict].dark.contrast >= 4.5


def test_contrast_is_computed_as_the_standard_says() -> None:
    """Black on white is 21; #777777 on white is 4.48, the usual example of not quite enough."""
    assert Colours("#000000", "#ffffff").contrast == pytest.approx(21)
    assert Colours("#ffffff", "#777777").contrast == pytest.approx(4.48, abs=0.005)


def test_no_verdict_depends_on_colour() -> None:
    """No two verdicts share a word, and each word of the narrow columns fits."""
    marks = MARKS.values()
    for words in (
        {mark.short for mark in marks},
        {mark.name for mark in marks},
    ):
        assert len(words) == len(Verdict)
    assert max(len(mark.short) for mark in marks) <= 4
    assert {verdict: mark.meaning for verdict, mark in MARKS.items()} == MEANINGS
    assert set(GRAVITY) == set(Verdict)
