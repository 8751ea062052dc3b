"""Search a text through all its encodings, and report positions in the text itself.

Masking and scanning share this code. It decodes, in any order and nesting: escapes of JSON and
JavaScript, URL encoding, HTML references and inline tags, terminal codes, base64 and hex of text,
UTF-16, gzip and zip. Depth and size are bounded, and the time is linear.
"""

from __future__ import annotations

import html
import json
import re
import string
import unicodedata
from base64 import b64encode
from binascii import Error as NotBase64
from binascii import a2b_base64
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain, islice
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, quote_plus

from ddoauth_kit.masking.containers import TooLargeError, is_packed, members, readable_text
from ddoauth_kit.masking.patterns import Find, finds
from ddoauth_kit.masking.spelled import (
    LOOKALIKES,
    LettersAlone,
    plain_letters,
    spelled_words,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ddoauth_kit.secret import Secret

DEPTH: Final = 6
ENCODED: Final = "<encoded_secret>"
_ROOM: Final = 8 * 1024 * 1024
_FEWEST: Final = 4
_INNER: Final = 8
_SHORTEST_SHAPE: Final = 12
# Characters that no terminal and no browser shows: controls, joiners, directions, selectors, tags.
_INVISIBLE: Final = (
    r"\x00-\x08\x0e-\x1a\x1c-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    r"\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb"
    r"\U000e0000-\U000e0fff"
)
TERMINAL: Final = (
    r"(?:(?:\x1b\[|\x9b)[0-?]{0,64}[ -/]{0,8}[@-~]"
    r"|\x1b(?:\][^\x07\x1b]{0,2048}(?:\x07|\x1b\\)?|[ -/]{1,4}[0-~]|[0-Z\\^-~])"
    rf"|[{_INVISIBLE}])+"
)
_ESCAPES: Final = re.compile(
    r"(?P<percent>(?:%(?:[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}))+)"
    r"|(?P<slash>(?:\\(?:u{1,8}[0-9a-fA-F]{4}|[ux]\{[0-9a-fA-F]{1,6}\}|x[0-9a-fA-F]{2}|U[0-9a-fA-F]{8}"
    r"|00[0-9a-fA-F]{4}|0?[0-7]{3}|[0-9a-fA-F]{2} |N\{[A-Z][A-Z0-9 -]{1,60}\}|[nrtbf\"'`/\\]))+)"
    r"|(?P<html>(?:&(?:#[0-9]{1,12};?|#[xX][0-9a-fA-F]{1,12};?|[A-Za-z]{2,8};))+)"
    rf"|(?P<terminal>{TERMINAL})"
)
_ESCAPED: Final = re.compile(rf"[%\\&\x1b{_INVISIBLE}]")
_NOT_PLAIN: Final = re.compile(rf"\\(?![nrtbf\"'`/\\])|[\x1b{_INVISIBLE}]")
_SLASHED: Final = re.compile(
    r"\\(?:(?:u{1,8}([0-9a-fA-F]{4})|[ux]\{([0-9a-fA-F]{1,6})\}|x([0-9a-fA-F]{2})|U([0-9a-fA-F]{8})"
    r"|00([0-9a-fA-F]{4})|([0-9a-fA-F]{2}) )|(?P<octal>0?[0-7]{3})|N\{(?P<named>[^}]+)\}"
    r"|(?P<letter>.))"
)
_PRINTABLE: Final = re.compile(r"(?P<printable>(?:=[0-9A-F]{2})+)|=[ \t]{0,8}\r?\n")
_IS_PRINTABLE: Final = re.compile(r"=3D|=[ \t]{0,8}\r?\n|(?:=[0-9A-F]{2}){6}")
_PERCENT: Final = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_PERCENT_U: Final = re.compile(r"%u([0-9A-Fa-f]{4})")
# Unicode's invisible tags, each of which stands for one of ASCII's printable characters.
_NO_TAG: Final = re.compile(r"[^\U000e0020-\U000e007e]+")
_TAGS: Final = {0xE0000 + n: n for n in range(0x20, 0x7F)}
_LETTERS: Final = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
INLINE: Final = re.compile(
    r"(?:</?(?:abbr|a|bdi|bdo|big|b|code|del|em|font|ins|i|kbd|mark|q|samp|small|span|strike|"
    r"strong|sub|sup|s|tspan|tt|u|var|wbr)(?=[\s/>])[^<>]{0,400}>"
    r"|<!--[^<>]{0,400}-->|<!\[CDATA\[|\]\]>)+",
    re.IGNORECASE,
)
_TAGGED: Final = re.compile(r"</|<wbr|<!|\]\]>", re.IGNORECASE)
_BASE64: Final = re.compile(
    r"(?<![A-Za-z0-9+/_-])(?:(?:[A-Za-z0-9+/]{32,100}\r?\n[ \t]{0,16}){1,100000}"
    r"[A-Za-z0-9+/]{1,100}"
    r"|[A-Za-z0-9+/_-]{14,})={0,2}"
)
_UNCHANGED: Final = re.compile(r"[A-Za-z0-9._~-]+")
_HEX: Final = re.compile(r"(?<![0-9A-Za-z])(?:0[xX])?(?:[0-9a-fA-F]{2}){20,}(?![0-9A-Za-z])")
_LINES: Final = re.compile(r"\s+")
_LINE: Final = re.compile(r"\S+")
_MOST_LINES: Final = 1000
_SHORT: Final = 12
_LONG_WORD: Final = 16 * 1024
_ALWAYS: Final = 24


_Seen = dict[str, list[Find]]
_Layered = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class _Layer:
    """Hold a text with one layer decoded, and map each piece to its span in the original."""

    text: str
    inner: list[int]
    outer: list[tuple[int, int, bool]]

    def placed(self, found: Find) -> Find:
        """Return a find with its position in the encoded text."""
        return replace(found, begin=self._place(found.begin), end=self._place(found.end - 1, 1))

    def _place(self, position: int, more: int = 0) -> int:
        number = bisect_right(self.inner, position) - 1
        begin, end, literal = self.outer[number]
        return begin + position - self.inner[number] + more if literal else (end if more else begin)


class Walk:
    """Find known values and all shapes in texts, however deeply they are encoded.

    `keep` contains values that the user declared not to be secret. A known value is found
    nevertheless.
    """

    def __init__(
        self, secrets: tuple[Secret, ...] = (), *, keep: frozenset[str] = frozenset()
    ) -> None:
        self._keep = keep
        self._plain: dict[str, tuple[str, int]] = {}
        self._secrets = [s for s in secrets if len(s.reveal()) >= _FEWEST]
        for secret in self._secrets:
            value = secret.reveal()
            told = (str(secret), len(value))
            self._plain.setdefault(value, told)
            if " " in value:
                self._plain.setdefault(value.replace(" ", "+"), told)
        self._deep: dict[str, tuple[str, int]] | None = None
        self._bare: dict[str, tuple[str, int]] | None = None
        self._alone: LettersAlone | None = None

    def finds(self, text: str, *, depth: int = DEPTH) -> list[Find]:
        """Return the finds in a text, in order, with overlapping ones merged."""
        if len(text) < _SHORTEST_SHAPE:
            return merged(self._known(text, self._plain))
        return merged(self._finds(text, depth, {}, [_ROOM + 4 * len(text)]))

    def known(self, text: str) -> list[Find]:
        """Return the positions of known values, without decoding anything."""
        return self._known(text, self._plain)

    def joined(self, text: str) -> list[Find]:
        """Return the finds in a text without spaces: known values and known prefixes."""
        forms = self._bare_forms()
        return merged([*self._known(text, forms), *finds(text, joined=True)])

    def _bare_forms(self) -> dict[str, tuple[str, int]]:
        """Return the values in each notation, with spaces removed."""
        if self._bare is None:
            self._bare = {
                bare: (str(secret), len(secret.reveal()))
                for secret in self._secrets
                for form in _notations(secret.reveal())
                if len(bare := "".join(form.split())) >= _INNER
            }
        return self._bare

    def _finds(self, text: str, depth: int, seen: _Seen, room: list[int]) -> list[Find]:
        if text not in seen:
            room[0] -= len(text)
            enough = len(text) >= _FEWEST and room[0] >= 0
            seen[text] = self._found(text, depth, seen, room) if enough else []
        return seen[text]

    def _found(self, text: str, depth: int, seen: _Seen, room: list[int]) -> list[Find]:
        found = [*self._known(text, self._plain), *self._shaped(text)]
        if self._secrets and len(text) >= _SHORTEST_SHAPE:
            found += self._by_letters(text)
        if not depth:
            return found
        deeper = False
        for layer in _LAYERS:
            decoded = layer(text)
            if decoded is not None and decoded != text:
                deeper = True
                if inner := self._finds(decoded, depth - 1, seen, room):
                    mapped = _layer_of(text, layer)
                    found += [mapped.placed(each) for each in inner]
        words = list(_words(text))
        if deeper or words or not text.isascii():
            found += self._known(text, self._forms())
        for begin, end, said in chain(words, spelled_words(text)):
            one = next(self._said(said, depth, seen, room), None)
            if one is not None:
                found.append(replace(one, begin=begin, end=end))
        return found

    def _by_letters(self, text: str) -> list[Find]:
        if self._alone is None:
            self._alone = LettersAlone({s.reveal(): str(s) for s in self._secrets})
        return [_known_find(*span) for span in self._alone.spans(text)]

    def _said(self, said: str | bytes, depth: int, seen: _Seen, room: list[int]) -> Iterator[Find]:
        for text in (said,) if isinstance(said, str) else _texts(said, room):
            for inner in self._finds(text, depth - 1, seen, room):
                yield inner if inner.known else replace(inner, shown=ENCODED)

    def _known(self, text: str, forms: dict[str, tuple[str, int]]) -> list[Find]:
        found = []
        for form, (shown, length) in forms.items():
            at = text.find(form)
            while at >= 0:
                found.append(
                    Find(
                        at, at + len(form), shown, f"the value of {shown}", known=True, rank=length
                    )
                )
                at = text.find(form, at + len(form))
        return found

    def _shaped(self, text: str) -> Iterator[Find]:
        for found in finds(text):
            if text[found.begin : found.end] not in self._keep:
                yield found

    def _forms(self) -> dict[str, tuple[str, int]]:
        if self._deep is None:
            self._deep = {
                form: (str(secret), len(secret.reveal()))
                for secret in self._secrets
                for form in _encodings(secret.reveal())
                if form not in self._plain
            }
        return self._deep


def _words(text: str) -> Iterator[tuple[int, int, bytes]]:
    """Yield the begin, end and possible text of each word that may be base64 or hex."""
    for word in _BASE64.finditer(text):
        if _is_encoded(word[0]):
            for data in _base64_bytes(word[0]):
                yield *word.span(), data
            if "\n" in word[0]:
                yield from _lines_of(word)
    for word in _HEX.finditer(text):
        digits = word[0].removeprefix("0x").removeprefix("0X")
        yield *word.span(), bytes.fromhex(digits)


def _lines_of(word: re.Match[str]) -> Iterator[tuple[int, int, bytes]]:
    """Yield each line of a word with several lines, because each line may be a separate word."""
    lines = list(islice(_LINE.finditer(word[0]), _MOST_LINES + 1))
    if len(lines) <= _MOST_LINES:
        for line in lines:
            for data in _base64_bytes(line[0]):
                yield word.start() + line.start(), word.start() + line.end(), data


def _known_find(begin: int, end: int, shown: str) -> Find:
    return Find(begin, end, shown, f"the value of {shown}", known=True, rank=end - begin)


def known_forms(secrets: Iterable[Secret]) -> list[tuple[str, str]]:
    """Return values in every notation that can be found without decoding, the longest first."""
    forms: dict[str, str] = {}
    for secret in secrets:
        value = secret.reveal()
        written = (value,) if _UNCHANGED.fullmatch(value) else _notations(value)
        forms.update((form, str(secret)) for form in written if len(form) >= _FEWEST)
    return sorted(forms.items(), key=lambda form: -len(form[0]))


def merged(found: list[Find]) -> list[Find]:
    """Return finds in order; the longest of overlapping finds stands for all of their text."""
    kept: list[Find] = []
    for each in sorted(found, key=lambda f: (f.begin, -f.end)):
        if kept and each.begin < kept[-1].end:
            last = kept[-1]
            best = max((last, each), key=lambda f: (f.known, f.rank, f.end - f.begin))
            best = (
                last
                if (best.end - best.begin, best.known) == (last.end - last.begin, last.known)
                else best
            )
            kept[-1] = replace(best, begin=last.begin, end=max(last.end, each.end))
        else:
            kept.append(each)
    return kept


def _is_encoded(word: str) -> bool:
    """Return whether a word may be base64 of text, and not just a long word."""
    if not word.strip(string.hexdigits):
        return False  # read as hex
    if word.islower() or word.isupper():
        return False  # base64 of text has letters of both cases
    return len(word) >= _ALWAYS or not word.istitle()


def _texts(data: bytes, room: list[int]) -> Iterator[str]:
    if is_packed(data):
        try:
            for member in members(data, room=max(0, room[0])):
                yield member.text if member.is_text else readable_text(member.text.encode())
                if member.name:
                    yield member.name
        except (TooLargeError, ValueError):
            return
    elif text := readable_text(data):
        yield text


def _unescaped(text: str) -> str | None:
    if not _ESCAPED.search(text):
        return None
    # A run of backslashes is long where a text was escaped many times, and pairs are plain.
    if "%" in text or "&" in text or _NOT_PLAIN.search(text.replace("\\\\", "")):
        return _ESCAPES.sub(_decoded, text)
    # What JSON does to most texts is undone faster one escape at a time.
    text = text.replace("\\\\", "\0")
    for letter in "nrtbf\"'`/":
        text = text.replace(f"\\{letter}", _LETTERS.get(letter, letter))
    return text.replace("\0", "\\")


def _untagged(text: str) -> str | None:
    if "<" not in text and "]]>" not in text:
        return None
    return INLINE.sub("", text) if _TAGGED.search(text) else None


def _unprinted(text: str) -> str | None:
    if "=" not in text or not _IS_PRINTABLE.search(text):
        return None
    return _PRINTABLE.sub(_decoded, text)


def _plainly(text: str) -> str | None:
    return None if text.isascii() else plain_letters(text)


_LAYERS: Final[tuple[_Layered, ...]] = (_unescaped, _untagged, _unprinted, _plainly)
_PATTERNS: Final[dict[_Layered, re.Pattern[str]]] = {
    _unescaped: _ESCAPES,
    _untagged: INLINE,
    _unprinted: _PRINTABLE,
    _plainly: LOOKALIKES,
}


def _layer_of(text: str, decode: _Layered) -> _Layer:
    """After a find, decode again and record where each piece came from."""
    pattern = _PATTERNS[decode]
    parts: list[str] = []
    inner: list[int] = []
    outer: list[tuple[int, int, bool]] = []
    length = position = 0

    def add(piece: str, begin: int, end: int, *, literal: bool) -> None:
        nonlocal length
        if piece:
            parts.append(piece)
            inner.append(length)
            outer.append((begin, end, literal))
            length += len(piece)

    for found in pattern.finditer(text):
        add(text[position : found.start()], position, found.start(), literal=True)
        piece = plain_letters(found[0]) if pattern is LOOKALIKES else _decoded(found)
        add(piece, *found.span(), literal=False)
        position = found.end()
    add(text[position:], position, len(text), literal=True)
    return _Layer("".join(parts), inner, outer)


def _decoded(found: re.Match[str]) -> str:
    """Decode one match; cache the results of short ones, which can't contain a secret."""
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
    """Return a text with surrogate pairs combined."""
    if not any("\ud800" <= c <= "\udfff" for c in text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _base64_bytes(word: str) -> Iterator[bytes]:
    """Decode a base64 word, starting at each of its first four characters.

    Text before it, such as a name and an underscore, may have become part of the word. A long word
    is decoded from another place only if its beginning then is readable text.
    """
    plain = _LINES.sub("", word).rstrip("=").replace("-", "+").replace("_", "/")
    for start in range(4):
        piece = plain[start:]
        if len(piece) % 4 == 1:
            piece = piece[:-1]
        if start and len(piece) > _LONG_WORD:
            head = a2b_base64(piece[:1024])
            if not readable_text(head) and not is_packed(head):
                continue
        try:
            yield a2b_base64(piece + "=" * (-len(piece) % 4))
        except NotBase64:
            continue


@lru_cache(maxsize=512)
def _encodings(value: str) -> tuple[str, ...]:
    """Return the forms of a value that decoding a text does not restore."""
    raw = value.encode("utf-8", "surrogateescape")
    forms = {raw.hex(), raw.hex().upper(), raw.decode("utf-8", "replace"), raw.decode("latin-1")}
    forms |= {value.replace(" ", "+"), *_base64(raw)}
    decoded = value
    for _ in range(2):
        decoded = _unescaped(decoded) or decoded
        forms |= {decoded, decoded.replace(" ", "+")}
    return tuple(sorted((f for f in forms if len(f) >= _FEWEST and f != value), key=len))


def _notations(value: str) -> frozenset[str]:
    """Return a value as code, JSON, HTML and URLs write it, for texts that can't be decoded."""
    safe = value.encode("utf-8", "replace").decode()
    forms = {value, repr(value)[1:-1], json.dumps(value)[1:-1], html.escape(value)}
    forms |= {json.dumps(value, ensure_ascii=False)[1:-1], html.escape(value, quote=False)}
    forms |= {quote(safe), quote(safe, safe=""), quote_plus(safe)}
    return frozenset(forms | set(_base64(value.encode("utf-8", "replace"))))


def _base64(value: bytes) -> Iterator[str]:
    """Yield the strings that any base64 text contains if it encodes this value.

    There is one string for each of the three possible offsets. The characters at both ends depend
    on the neighbours and are left out (RFC 4648 section 4).
    """
    for before in range(3):
        whole = b64encode(b"x" * before + value).rstrip(b"=").decode("ascii")
        inner = whole[-(-before * 4 // 3) : (before + len(value)) * 4 // 3]
        if len(inner) >= _INNER:  # shorter ones are in any text
            yield inner
            yield inner.translate(str.maketrans("+/", "-_"))
