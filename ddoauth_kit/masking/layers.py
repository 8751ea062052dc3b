"""Undo one layer of encoding in text, and say where each decoded part came from.

The layers are escapes of every kind (in JSON, JavaScript, URLs, HTML and terminals), inline tags,
quoted-printable, and letters that only look like ASCII letters.
"""

from __future__ import annotations

import html
import re
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Final

from ddoauth_kit.masking.runs import any_of, around
from ddoauth_kit.masking.spelled import LOOKALIKES, plain_letters

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ddoauth_kit.masking.patterns import Find

# Characters that terminals and browsers don't show: controls, joiners, directions, selectors, tags.
_INVISIBLE: Final = (
    r"\x00-\x08\x0e-\x1a\x1c-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    r"\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb"
    r"\U000e0000-\U000e0fff"
)
_CONTROL: Final = r"[0-?]{0,64}[ -/]{0,8}[@-~]"
_AFTER_ESC: Final = (
    rf"(?:\[{_CONTROL}|\][^\x07\x1b]{{0,2048}}(?:\x07|\x1b\\)?|[ -/]{{1,4}}[0-~]|[0-Z\\^-~])"
)
TERMINAL: Final = rf"(?:\x1b{_AFTER_ESC}|\x9b{_CONTROL}|[{_INVISIBLE}])+"
_AFTER_PERCENT: Final = r"(?:[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4})"
_AFTER_SLASH: Final = (
    r"(?:u{1,8}[0-9a-fA-F]{4}|[ux]\{[0-9a-fA-F]{1,6}\}|x[0-9a-fA-F]{2}|U[0-9a-fA-F]{8}"
    r"|00[0-9a-fA-F]{4}|0?[0-7]{3}|[0-9a-fA-F]{2} |N\{[A-Z][A-Z0-9 -]{1,60}\}|[nrtbf\"'`/\\])"
)
_AFTER_AND: Final = r"(?:#[0-9]{1,12};?|#[xX][0-9a-fA-F]{1,12};?|[A-Za-z]{2,8};)"
# A pattern that begins with one class of characters is searched for much faster than others.
_ESCAPES: Final = re.compile(
    rf"[%\\&\x1b{_INVISIBLE}](?:"
    rf"(?<=%)(?P<percent>{_AFTER_PERCENT}(?:%{_AFTER_PERCENT})*)"
    rf"|(?<=\\)(?P<slash>{_AFTER_SLASH}(?:\\{_AFTER_SLASH})*)"
    rf"|(?<=&)(?P<html>{_AFTER_AND}(?:&{_AFTER_AND})*)"
    rf"|(?P<terminal>(?:(?<=\x1b){_AFTER_ESC}|(?<=\x9b){_CONTROL}|(?<=[{_INVISIBLE}]))"
    rf"(?:{TERMINAL})?))"
)
_NOT_PLAIN: Final = re.compile(rf"[\\\x1b{_INVISIBLE}](?:(?<!\\)|(?![nrtbf\"'`/\\]))")
_SLASHED: Final = re.compile(
    r"\\(?:(?:u{1,8}([0-9a-fA-F]{4})|[ux]\{([0-9a-fA-F]{1,6})\}|x([0-9a-fA-F]{2})|U([0-9a-fA-F]{8})"
    r"|00([0-9a-fA-F]{4})|([0-9a-fA-F]{2}) )|(?P<octal>0?[0-7]{3})|N\{(?P<named>[^}]+)\}"
    r"|(?P<letter>.))"
)
_PRINTABLE: Final = re.compile(r"(?P<printable>(?:=[0-9A-F]{2})+)|=[ \t]{0,8}\r?\n")
_SOFT: Final = re.compile(r"=(?:[0-9A-F]{2}|[ \t]{0,8}\r?\n)")
_IS_PRINTABLE: Final = re.compile(r"=(?:3D|[ \t]{0,8}\r?\n|[0-9A-F]{2}(?:=[0-9A-F]{2}){5})")
_PERCENT: Final = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_PERCENT_U: Final = re.compile(r"%u([0-9A-Fa-f]{4})")
# Unicode's invisible tags, each of which stands for a printable ASCII character.
_NO_TAG: Final = re.compile(r"[^\U000e0020-\U000e007e]+")
_TAGS: Final = {0xE0000 + n: n for n in range(0x20, 0x7F)}
_LETTERS: Final = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
INLINE: Final = re.compile(
    r"</?(?:abbr|a|bdi|bdo|big|b|code|del|em|font|ins|i|kbd|mark|q|samp|small|span|strike|"
    r"strong|sub|sup|s|tspan|tt|u|var|wbr)(?=[\s/>])[^<>]{0,400}>"
    r"|<!--[^<>]{0,400}-->|<!\[CDATA\[|\]\]>",
    re.IGNORECASE,
)
_TAGGED: Final = re.compile(r"<(?:/|wbr|!)|\]\]>", re.IGNORECASE)
_SHORT: Final = 12
# Long text is read again only around the parts that a layer changes, up to the next space on each
# side.
_WHOLE: Final = 4096
_AROUND: Final = 1024
_WIDEST: Final = 16 * 1024
_EDGE: Final = 400
_BLANK: Final = re.compile(r"\s")


@dataclass(frozen=True, slots=True)
class _Mapped:
    """Where each part of decoded text starts, and its span before decoding."""

    inner: list[int]
    outer: list[tuple[int, int, bool]]

    def placed(self, found: Find) -> Find:
        """Return a match with its position in the text before decoding."""
        return found.at(self._place(found.begin), self._place(found.end - 1, 1))

    def _place(self, position: int, more: int = 0) -> int:
        number = bisect_right(self.inner, position) - 1
        begin, end, literal = self.outer[number]
        return begin + position - self.inner[number] + more if literal else (end if more else begin)


@dataclass(frozen=True, slots=True)
class Layer:
    """Undo one kind of encoding.

    Text that contains none of `marks`, or nothing that matches `sign`, does not use this encoding.
    `decode` changes the text where `pattern` matches. `place` matches in the same places but is
    faster.
    """

    pattern: re.Pattern[str]
    decode: Callable[[str], str]
    place: re.Pattern[str]
    sign: re.Pattern[str]
    marks: tuple[str, ...] = ("",)

    def parts(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Yield the start, end and new text of each part of a text that changes."""
        if not any_of(self.marks, text) or not self.sign.search(text):
            return
        for begin, end in self._changing(text):
            part = text[begin:end]
            decoded = self.decode(part)
            if decoded != part:
                yield begin, end, decoded

    def _changing(self, text: str) -> Iterator[tuple[int, int]]:
        if len(text) <= _WHOLE:
            yield 0, len(text)
            return

        def following(position: int) -> tuple[int, int] | None:
            found = self.place.search(text, position)
            return found.span() if found else None

        first = last = 0
        for begin, end in around(text, following, before=_AROUND, after=_AROUND):
            widened = _blank_before(text, begin)
            if widened > last:
                if last:
                    yield first, last
                first = widened
            last = _blank_after(text, end)
        if last:
            yield first, last

    def placed(self, text: str, begin: int, end: int, inner: list[Find]) -> Iterator[Find]:
        """Yield the matches in a decoded part with their positions in the text.

        Matches at an end where the text was cut are left out, because they were already found in
        the text itself, where the characters around them are visible.
        """
        mapped = _mapped(text[begin:end], self.pattern)
        for found in map(mapped.placed, inner):
            early = begin and found.end <= _EDGE
            late = end < len(text) and found.begin >= end - begin - _EDGE
            if not early and not late:
                yield found.at(found.begin + begin, found.end + begin)


def _blank_before(text: str, place: int) -> int:
    lowest = max(0, place - _WIDEST)
    if not lowest and place < _AROUND:
        return 0
    return max(lowest, *(text.rfind(blank, lowest, place) + 1 for blank in (" ", "\n")))


def _blank_after(text: str, place: int) -> int:
    found = _BLANK.search(text, place, place + _WIDEST)
    return found.start() if found else min(len(text), place + _WIDEST)


def unescaped(text: str) -> str:
    """Undo one level of escapes."""
    # A run of backslashes is long if text was escaped many times, and pairs are easy to undo.
    if "%" in text or "&" in text or _NOT_PLAIN.search(text.replace("\\\\", "")):
        return _ESCAPES.sub(_decoded, text)
    # JSON's usual escapes are undone faster one at a time.
    text = text.replace("\\\\", "\0")
    for letter in "nrtbf\"'`/":
        text = text.replace(f"\\{letter}", _LETTERS.get(letter, letter))
    return text.replace("\0", "\\")


def _mapped(text: str, pattern: re.Pattern[str]) -> _Mapped:
    """Decode again, and record where each part came from; this is necessary only after a match."""
    inner: list[int] = []
    outer: list[tuple[int, int, bool]] = []
    length = position = 0

    def add(piece: str, begin: int, end: int, *, literal: bool) -> None:
        nonlocal length
        if piece:
            inner.append(length)
            outer.append((begin, end, literal))
            length += len(piece)

    for found in pattern.finditer(text):
        add(text[position : found.start()], position, found.start(), literal=True)
        piece = plain_letters(found[0]) if pattern is LOOKALIKES else _decoded(found)
        add(piece, *found.span(), literal=False)
        position = found.end()
    add(text[position:], position, len(text), literal=True)
    return _Mapped(inner, outer)


def _decoded(found: re.Match[str]) -> str:
    """Decode one match; cache the results for short ones, which can't contain a secret."""
    text = found[0]
    decode = _decoded_once if len(text) <= _SHORT else _decode
    return decode(found.lastgroup, text)


def _decode(kind: str | None, text: str) -> str:
    if kind == "percent":
        return _PERCENT_U.sub(lambda one: chr(int(one[1], 16)), _percent(text))
    if kind == "printable":
        return bytes.fromhex(text.replace("=", "")).decode("utf-8", "replace")
    if kind == "slash":
        if text.count("\\\\") * 2 == len(text):
            return text[::2]
        return _paired("".join(_SLASHED.sub(_character, text)))
    if kind == "terminal":
        return "" if text.isascii() else _NO_TAG.sub("", text).translate(_TAGS)
    return html.unescape(text) if kind == "html" else ""


_decoded_once: Final = lru_cache(maxsize=4096)(_decode)


def _percent(text: str) -> str:
    return _PERCENT.sub(
        lambda run: bytes.fromhex(run[0].replace("%", "")).decode("utf-8", "replace"), text
    )


def _character(found: re.Match[str]) -> str:
    if letter := found["letter"]:
        return _LETTERS.get(letter, letter)
    if name := found["named"]:
        try:
            return unicodedata.lookup(name)
        except KeyError:
            return ""
    octal = found["octal"]
    digits = octal or next(filter(None, found.groups()), "0")
    number = int(digits, 8 if octal else 16)
    return chr(number) if number < 0x110000 else ""  # noqa: PLR2004 - Unicode ends there


def _paired(text: str) -> str:
    """Return text with the halves of surrogate pairs joined."""
    if not any("\ud800" <= c <= "\udfff" for c in text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


LAYERS: Final = (
    Layer(_ESCAPES, unescaped, _ESCAPES, _ESCAPES),
    Layer(INLINE, partial(INLINE.sub, ""), INLINE, _TAGGED, ("<", "]]>")),
    Layer(_PRINTABLE, partial(_PRINTABLE.sub, _decoded), _SOFT, _IS_PRINTABLE, ("=",)),
    Layer(LOOKALIKES, plain_letters, LOOKALIKES, LOOKALIKES),
)
