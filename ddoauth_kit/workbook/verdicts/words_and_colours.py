"""The words and colours of each verdict: the word carries the meaning, the colour repeats it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from ddoauth_kit.probing.verdict import MEANINGS, Verdict


@dataclass(frozen=True, slots=True)
class Colours:
    """The text and background colours as `#rrggbb`."""

    text: str
    ground: str

    @property
    def contrast(self) -> float:
        """Return the contrast ratio, 1 to 21 (WCAG 2.2, "contrast ratio"; text needs 4.5)."""
        dark, bright = sorted((_luminance(self.text), _luminance(self.ground)))
        return (bright + 0.05) / (dark + 0.05)


@dataclass(frozen=True, slots=True)
class Mark:
    """The appearance of a verdict.

    `short`, the mark, has at most four letters and is used if there is little room. `name`, the
    verdict's value with spaces, is used everywhere else.
    """

    short: str
    name: str
    meaning: str
    light: Colours
    dark: Colours


def _mark(verdict: Verdict, short: str, light: Colours, dark: Colours) -> Mark:
    name = verdict.replace("_", " ")
    return Mark(short, name, MEANINGS[verdict], light, dark)


MARKS: Final = {
    mark[0]: _mark(*mark)
    for mark in (
        (
            Verdict.CONFIRMED,
            "yes",
            Colours("#0b4f24", "#d3f0dc"),
            Colours("#b9f0cd", "#12432a"),
        ),
        (
            Verdict.LET_THROUGH,
            "let",
            Colours("#0b4663", "#d8ecf7"),
            Colours("#bfe3f7", "#123d54"),
        ),
        (
            Verdict.INCONCLUSIVE,
            "?",
            Colours("#5b4300", "#fff1c4"),
            Colours("#ffe79a", "#4d3c06"),
        ),
        (
            Verdict.REFUSED,
            "no",
            Colours("#ffffff", "#b3261e"),
            Colours("#ffffff", "#c62828"),
        ),
        (
            Verdict.NOT_OAUTH,
            "401",
            Colours("#6b2e00", "#ffdcc2"),
            Colours("#ffd0ad", "#5c2c0a"),
        ),
        (
            Verdict.NOT_ON_SITE,
            "n/a",
            Colours("#3f3a52", "#e4e1ec"),
            Colours("#d9d4e7", "#3a3648"),
        ),
        (
            Verdict.RATE_LIMITED,
            "429",
            Colours("#6a1236", "#f8d7e3"),
            Colours("#fbc6da", "#5a1834"),
        ),
        (
            Verdict.NO_OPERATION,
            "-",
            Colours("#46545b", "#eceff1"),
            Colours("#b6c3c9", "#2b3236"),
        ),
        (
            Verdict.NOT_TRIED,
            ".",
            Colours("#5d5646", "#f6f1e3"),
            Colours("#cfc7b4", "#38342a"),
        ),
        (
            Verdict.FAILED,
            "fail",
            Colours("#ffffff", "#6d1b7b"),
            Colours("#ffffff", "#8e24aa"),
        ),
    )
}
# A cancelled run lacks some rows; they get a word as well.
MISSING: Final = "missing"
# The most important verdicts come first, wherever verdicts are listed by weight.
GRAVITY: Final = (
    Verdict.REFUSED,
    Verdict.FAILED,
    Verdict.NOT_OAUTH,
    Verdict.RATE_LIMITED,
    Verdict.NOT_ON_SITE,
    Verdict.INCONCLUSIVE,
    Verdict.NOT_TRIED,
    Verdict.NO_OPERATION,
    Verdict.LET_THROUGH,
    Verdict.CONFIRMED,
)


def _luminance(colour: str) -> float:
    """Return the relative luminance of an sRGB colour (WCAG 2.2, "relative luminance")."""
    channels = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    linear = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)  # noqa: PLR2004 - the definition's
    return sum(
        weight * channel for weight, channel in zip((0.2126, 0.7152, 0.0722), linear, strict=True)
    )
