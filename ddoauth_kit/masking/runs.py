"""Find the few places in text that are worth a closer look, and skip the rest quickly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterable, Iterator

_IN, _OUT = b"x", b" "


class CharacterClass:
    """Find runs of ASCII characters of one class.

    Searching translated bytes is a hundred times as fast as a regular expression.
    """

    def __init__(self, members: str) -> None:
        """Take the characters of the class."""
        inside = members.encode("ascii")
        self._table: Final = bytes((_IN if n in inside else _OUT)[0] for n in range(256))

    def runs(self, text: bytes, least: int) -> Iterator[tuple[int, int]]:
        """Yield the start and end of each run of at least `least` characters in `one_byte_each`."""
        classes = text.translate(self._table)
        wanted = _IN * least
        begin = classes.find(wanted)
        while begin >= 0:
            end = classes.find(_OUT, begin)
            end = len(classes) if end < 0 else end
            yield begin, end
            begin = classes.find(wanted, end)


def one_byte_each(text: str) -> bytes:
    """Return text as bytes, one per character; characters outside ASCII become question marks."""
    return text.encode("ascii", "replace")


def around(
    text: str,
    following: Callable[[int], tuple[int, int] | None],
    *,
    before: int,
    after: int,
) -> Iterator[tuple[int, int]]:
    """Yield the start and end of the parts of a text around certain places, in order.

    `following` returns the start and end of the first place at or after a position. A part begins
    `before` characters before a place and ends at least `after` characters after it; parts that
    touch are merged. Places that are close together are not visited one by one.
    """
    place = following(0)
    while place is not None:
        begin = max(0, place[0] - before)
        reached = place[0]
        while place is not None and place[0] <= reached + before:
            near = max(place[1], place[0] + after)
            reached = near + after
            place = following(near)
        yield begin, min(reached, len(text))


def lines_with(
    word: re.Pattern[str], text: str, *, before: int = 0, after: int = 0
) -> Iterator[tuple[int, int]]:
    """Yield the start and end of the lines that contain a word, in order; merge neighbours.

    The range begins with the line `before` characters before the word, and ends with the line
    `after` characters after it.
    """
    first = last = -1
    found = word.search(text)
    while found is not None:
        begin = text.rfind("\n", 0, max(0, found.start() - before)) + 1
        if begin > last:
            if last >= 0:
                yield first, last
            first = begin
        last = text.find("\n", min(len(text), found.end() + after))
        last = len(text) if last < 0 else last
        found = word.search(text, last)
    if last >= 0:
        yield first, last


def any_of(parts: Iterable[str], text: str) -> bool:
    """Return whether text contains at least one of several words."""
    for part in parts:  # noqa: SIM110 - a generator costs more than the search
        if part in text:
            return True
    return False
