"""Read values that are spelled out one character at a time, or in a rare notation for bytes.

The notations are lists of characters, of their numbers or of their hex digits, base32, and letters
that only look like ASCII.
"""

from __future__ import annotations

import re
import unicodedata
from base64 import b32decode
from binascii import Error as NotBase32
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Final

from ddoauth_kit.masking.runs import CharacterClass

if TYPE_CHECKING:
    from collections.abc import Iterator

_SHORTEST: Final = 24
_BLOCK: Final = 4096
_FEWEST_LETTERS: Final = 12
_FEWEST_WORDS: Final = 16
_FEWEST_DIGITS: Final = 8
_CHARACTERS: Final = re.compile(r"(?<!\w)\w(?:[\s,;|:'\"\-\[\]]{1,8}\w){15,}(?!\w)", re.ASCII)
_NUMBERS: Final = re.compile(r"(?<![\w.])\d{2,3}(?:[\s,;]{1,6}\d{2,3}){15,}(?![\w.])", re.ASCII)
_HEX_BYTES: Final = re.compile(
    r"(?<!\w)(?:0x)?[0-9a-fA-F]{2}(?:[\s,:;\-]{1,6}(?:0x)?[0-9a-fA-F]{2}){15,}(?!\w)", re.ASCII
)
_BASE32: Final = re.compile(r"(?<![A-Za-z0-9])[A-Z2-7]{24,}={0,6}(?![A-Za-z0-9])")
# Each character's class: part of a word, a separator, or anything else.
_CLASSES: Final = bytes(
    ord("w")
    if (chr(n).isalnum() and n < 0x80) or n == ord("_")  # noqa: PLR2004 - ASCII
    else ord("s" if chr(n) in " \t\n\r\v\f,;|:'\"-[]" else "o")
    for n in range(256)
)
_IN_A_ROW: Final = (b"wswswswswsws", b"wwswwswwswwswwsww")
_IN_BASE32: Final = CharacterClass("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
_HEX_BYTE: Final = re.compile(r"(?:0x)?([0-9a-fA-F]{2})")
_SEPARATORS: Final = {ord(c): None for c in " \t\n\r\v\f,;|:'\"-[]"}
_APART: Final = re.compile(r"[\s,;]")
# Full-width, circled and mathematical letters, which NFKC converts to plain ones.
LOOKALIKES: Final = re.compile("[\u2460-\u24ff\ufe50-\ufe6f\uff01-\uff5e\U0001d400-\U0001d7ff]+")
_LONGEST_NUMBER: Final = 400
_NO_DIGITS: Final = bytes(n for n in range(256) if not chr(n).isdecimal() or n > 0x7F)  # noqa: PLR2004
_OTHERS: Final = bytes(n for n in range(256) if not chr(n).isalnum() or n > 0x7F)  # noqa: PLR2004


def spelled_words(text: str, ascii_text: bytes) -> Iterator[tuple[int, int, str | bytes]]:
    """Yield the start, end and decoded text of each word that is spelled out in a text.

    `ascii_text` is the result of `runs.one_byte_each` for the text.
    """
    if len(text) < _SHORTEST:
        return
    yield from _in_base32(text, ascii_text)
    for begin, end in _with_short_words(ascii_text):
        yield from _spelled(text, begin, end)


def _spelled(text: str, begin: int, end: int) -> Iterator[tuple[int, int, str | bytes]]:
    for found in _CHARACTERS.finditer(text, begin, end):
        said = found[0].translate(_SEPARATORS)
        if not said.isdigit() and not said.isalpha():
            yield *found.span(), said
    for found in _NUMBERS.finditer(text, begin, end):
        numbers = [int(each) for each in _APART.split(found[0]) if each]
        if all(n <= 0xFF for n in numbers):  # noqa: PLR2004 - a byte
            yield *found.span(), bytes(numbers)
    for found in _HEX_BYTES.finditer(text, begin, end):
        yield *found.span(), bytes.fromhex("".join(_HEX_BYTE.findall(found[0])))


def _with_short_words(text: bytes) -> Iterator[tuple[int, int]]:
    """Yield the parts of a text in which six consecutive words are short; most text has none."""
    classes = text.translate(_CLASSES)
    if not _has_short_words(classes):
        return
    begin = end = -1
    for block in range(0, len(classes), _BLOCK):
        if not _has_short_words(classes[block : block + _BLOCK]):
            continue
        if block > end:
            if end >= 0:
                yield begin, end
            begin = max(0, block - _BLOCK)
        end = block + 2 * _BLOCK
    if end >= 0:
        yield begin, min(end, len(classes))


def _has_short_words(classes: bytes) -> bool:
    for _ in range(3):
        classes = classes.replace(b"ss", b"s")
    if _IN_A_ROW[0] in classes:
        return True
    classes = classes.replace(b"www", b"ww").replace(b"www", b"ww")
    return _IN_A_ROW[1] in classes


def _in_base32(text: str, ascii_text: bytes) -> Iterator[tuple[int, int, bytes]]:
    for begin, _ in _IN_BASE32.runs(ascii_text, _SHORTEST):
        found = _BASE32.match(text, begin)
        word = found[0].rstrip("=") if found else ""
        if found is None or not word.strip(word[0]):
            continue
        try:
            yield *found.span(), b32decode(word + "=" * (-len(word) % 8))
        except NotBase32:
            continue


def plain_letters(text: str) -> str:
    """Replace letters that look like ASCII letters with those letters."""
    return LOOKALIKES.sub(lambda found: unicodedata.normalize("NFKC", found[0]), text)


def letters_alone(text: str) -> bytes:
    """Return only the ASCII letters and digits in text, in lower case."""
    if text.isascii():
        return text.encode().lower().translate(None, _OTHERS)
    return plain_letters(text).encode("ascii", "ignore").lower().translate(None, _OTHERS)


@lru_cache(maxsize=1024)
def _letters_in(character: str) -> int:
    return len(letters_alone(character))


class LettersAlone:
    """Find known values by their letters and digits alone, whatever comes between them.

    This includes values whose bytes are written as numbers, in any base that memory dumps use.
    """

    def __init__(self, values: dict[str, str]) -> None:
        """Prepare to find these values, each of which has its own placeholder."""
        alone = {letters_alone(value): shown for value, shown in values.items()}
        self._values = {
            letters: shown
            for letters, shown in alone.items()
            if len(letters) >= (_FEWEST_WORDS if letters.isalpha() else _FEWEST_LETTERS)
        }
        self._long = {
            value: shown for value, shown in values.items() if len(value) >= _FEWEST_LETTERS
        }

    @cached_property
    def _numbers(self) -> dict[bytes, str]:
        return {
            digits: shown for value, shown in self._long.items() for digits in _in_numbers(value)
        }

    def spans(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Yield the start, end and placeholder of each value in a text."""
        letters = letters_alone(text)
        present = [item for item in self._values.items() if item[0] in letters]
        if len(letters.translate(None, _NO_DIGITS)) >= _FEWEST_DIGITS:
            present += [item for item in self._numbers.items() if item[0] in letters]
        if not present:
            return
        places = [i for i, c in enumerate(text) for _ in range(_letters_in(c))]
        for value, shown in present:
            at = letters.find(value)
            while at >= 0:
                yield places[at], places[at + len(value) - 1] + 1, shown
                at = letters.find(value, at + len(value))


_DIGITS: Final = tuple(
    tuple(format(byte, form).encode() for byte in range(256))
    for form in ("02x", "d", "o", "03o", "08b")
)


def _in_numbers(value: str) -> Iterator[bytes]:
    """Yield the bytes of a value as numbers in base 16, 10, 8 and 2, and as a single number."""
    for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
        raw = value.encode(encoding, "replace")
        for digits in _DIGITS:
            yield b"".join(map(digits.__getitem__, raw))
    # Python refuses to convert a number with more than 4,300 digits to a string.
    if len(value) <= _LONGEST_NUMBER:
        yield str(int.from_bytes(value.encode("utf-8", "replace"))).encode()
