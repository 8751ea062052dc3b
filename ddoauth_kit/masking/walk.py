"""Search text through all its encodings, and report positions in the original text.

Masking and scanning share this code. It decodes, in any order and nesting: escapes of JSON and
JavaScript, URL encoding, HTML references and inline tags, terminal codes, base64 and hex of text,
UTF-16, gzip and zip. Depth and size are bounded, and the time is linear.
"""

from __future__ import annotations

import html
import json
import re
import string
from base64 import a85encode, b64encode, b85encode
from binascii import Error as NotBase64
from binascii import a2b_base64
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import chain, islice
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, quote_plus

from ddoauth_kit.masking.containers import TooLargeError, is_packed, members, readable_text
from ddoauth_kit.masking.layers import LAYERS, Layer, unescaped
from ddoauth_kit.masking.patterns import Find, finds
from ddoauth_kit.masking.runs import CharacterClass, one_byte_each
from ddoauth_kit.masking.spelled import LettersAlone, spelled_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ddoauth_kit.secret import Secret

DEPTH: Final = 6
ENCODED: Final = "<encoded_secret>"
# How many characters are read in total: a constant, a multiple of the length, and packed ones.
_ROOM: Final = 256 * 1024
_PASSES: Final = 8
_UNPACKED: Final = 8 * 1024 * 1024
_FEWEST: Final = 4
_INNER: Final = 8
_SHORTEST_SHAPE: Final = 12
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
_IN_BASE64: Final = CharacterClass(string.ascii_letters + string.digits + "+/-_")
_IN_HEX: Final = CharacterClass(string.hexdigits)
_SHORTEST_WORD: Final = 14
_SHORTEST_HEX: Final = 40
_LONG_WORD: Final = 16 * 1024
_ALWAYS: Final = 24


@dataclass(slots=True, eq=False)
class _Reading:
    """A text, its decoded parts, and the matches in it."""

    text: str
    steps: list[_Step] = field(default_factory=list)
    is_deep: bool = False
    found: list[Find] | None = None


@dataclass(frozen=True, slots=True)
class _Step:
    """What part of a text decodes to: through a layer, or as a word with several readings."""

    begin: int
    end: int
    said: tuple[_Reading, ...]
    layer: Layer | None = None


class _Readings:
    """Decode text round by round, the least nested parts first, with a limit on the work."""

    def __init__(self, text: str, depth: int) -> None:
        self.root = _Reading(text)
        self._known: dict[str, _Reading] = {text: self.root}
        self._new = [self.root]
        self._room = _ROOM + _PASSES * len(text)
        self._unpacked = _UNPACKED
        for _ in range(depth):
            level, self._new = self._new, []
            for reading in level:
                self._read(reading)

    def _read(self, reading: _Reading) -> None:
        text, steps = reading.text, reading.steps
        reading.is_deep = not text.isascii()
        for layer in LAYERS:
            for begin, end, decoded in layer.parts(text):
                reading.is_deep = True
                if (inner := self._reading(decoded)) is not None:
                    steps.append(_Step(begin, end, (inner,), layer))
        ascii_text = one_byte_each(text)
        for begin, end, data in _words(text, ascii_text):
            reading.is_deep = True
            if said := tuple(self._of_bytes(data)):
                steps.append(_Step(begin, end, said))
        for begin, end, spelled in spelled_words(text, ascii_text):
            texts = self._readings(spelled) if isinstance(spelled, str) else self._of_bytes(spelled)
            if said := tuple(texts):
                steps.append(_Step(begin, end, said))

    def _of_bytes(self, data: bytes) -> Iterator[_Reading]:
        if not is_packed(data):
            yield from self._readings(readable_text(data))
            return
        try:
            for member in members(data, room=max(0, self._unpacked)):
                text = member.text if member.is_text else readable_text(member.text.encode())
                self._unpacked -= len(text)
                self._room += _PASSES * len(text)
                yield from self._readings(text, member.name)
        except (TooLargeError, ValueError):
            return

    def _readings(self, *texts: str) -> Iterator[_Reading]:
        for text in texts:
            if (reading := self._reading(text)) is not None:
                yield reading

    def _reading(self, text: str) -> _Reading | None:
        """Return a text's reading; new readings are created only while there is room for them."""
        if len(text) < _FEWEST:
            return None
        known = self._known.get(text)
        if known is None and len(text) <= self._room:
            self._room -= len(text)
            known = self._known[text] = _Reading(text)
            self._new.append(known)
        return known


class Walk:
    """Find known values and all shapes in text, however deeply they are encoded.

    `keep` contains values that the user marked as not secret. A known value is found even so.
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
            for encoded in _base85(value):
                self._plain.setdefault(encoded, told)
            if " " in value:
                self._plain.setdefault(value.replace(" ", "+"), told)
        self._deep: dict[str, tuple[str, int]] | None = None
        self._bare: dict[str, tuple[str, int]] | None = None
        self._alone: LettersAlone | None = None

    def finds(self, text: str, *, depth: int = DEPTH) -> list[Find]:
        """Return the matches in text, in order, with overlapping ones merged."""
        if len(text) < _SHORTEST_SHAPE:
            return merged(self._known(text, self._plain))
        return self._finds(_Readings(text, depth).root)

    def known(self, text: str) -> list[Find]:
        """Return the matches of known values, without decoding anything."""
        return self._known(text, self._plain)

    def joined(self, text: str) -> list[Find]:
        """Return the matches in text whose spaces were removed: known values and known prefixes."""
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

    def _finds(self, reading: _Reading) -> list[Find]:
        if reading.found is None:
            reading.found = []  # text that decodes to itself ends here
            reading.found = merged([*self._plainly(reading), *self._decoded(reading)])
        return reading.found

    def _plainly(self, reading: _Reading) -> Iterator[Find]:
        text = reading.text
        yield from self._known(text, self._plain)
        yield from self._shaped(text)
        if self._secrets and len(text) >= _SHORTEST_SHAPE:
            yield from self._by_letters(text)
        if reading.is_deep:
            yield from self._known(text, self._forms())

    def _decoded(self, reading: _Reading) -> Iterator[Find]:
        for step in reading.steps:
            if step.layer is not None:
                inner = [found for said in step.said for found in self._finds(said)]
                if inner:
                    yield from step.layer.placed(reading.text, step.begin, step.end, inner)
                continue
            for found in islice(chain.from_iterable(map(self._finds, step.said)), 1):
                shown = found.shown if found.known else ENCODED
                yield replace(found, begin=step.begin, end=step.end, shown=shown)

    def _by_letters(self, text: str) -> list[Find]:
        if self._alone is None:
            self._alone = LettersAlone({s.reveal(): str(s) for s in self._secrets})
        return [_known_find(*span) for span in self._alone.spans(text)]

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


def _words(text: str, ascii_text: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Yield the start, end and possible text of each word that may be base64 or hex."""
    done = 0
    for begin, _ in _IN_BASE64.runs(ascii_text, _SHORTEST_WORD):
        word = _BASE64.match(text, begin) if begin >= done else None
        if word is None:
            continue
        done = word.end()
        if _is_encoded(word[0]):
            for data in _base64_bytes(word[0]):
                yield *word.span(), data
            if "\n" in word[0]:
                yield from _lines_of(word)
    for begin, _ in _IN_HEX.runs(ascii_text, _SHORTEST_HEX):
        prefixed = text[max(0, begin - 2) : begin].lower() == "0x"
        word = _HEX.match(text, begin - 2 * prefixed)
        if word is not None:
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
    """Return the values in every notation that can be found without decoding, longest first."""
    forms: dict[str, str] = {}
    for secret in secrets:
        value = secret.reveal()
        written = (value,) if _UNCHANGED.fullmatch(value) else _notations(value)
        forms.update((form, str(secret)) for form in written if len(form) >= _FEWEST)
    return sorted(forms.items(), key=lambda form: -len(form[0]))


def merged(found: list[Find]) -> list[Find]:
    """Return matches in order; merge overlapping ones, with the longest one's placeholder."""
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
    """Return whether a word may be text in base64, rather than just a long word."""
    if not word.strip(string.hexdigits):
        return False  # read as hex
    if word.islower() or word.isupper():
        return False  # base64 of text has letters of both cases
    return len(word) >= _ALWAYS or not word.istitle()


def _base64_bytes(word: str) -> Iterator[bytes]:
    """Decode a base64 word, starting at each of its first four characters.

    Text in front of the base64, such as a name and an underscore, may have become part of the word.
    A long word is decoded from a later character only if its beginning is then readable text.
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
    """Return the encoded forms of a value that decoding does not undo."""
    raw = value.encode("utf-8", "surrogateescape")
    forms = {raw.hex(), raw.hex().upper(), raw.decode("utf-8", "replace"), raw.decode("latin-1")}
    forms |= {value.replace(" ", "+"), *_base64(raw)}
    decoded = value
    for _ in range(2):
        decoded = unescaped(decoded)
        forms |= {decoded, decoded.replace(" ", "+")}
    return tuple(sorted((f for f in forms if len(f) >= _FEWEST and f != value), key=len))


def _notations(value: str) -> frozenset[str]:
    """Return a value as it appears in code, JSON, HTML and URLs, to find it without decoding."""
    safe = value.encode("utf-8", "replace").decode()
    forms = {value, repr(value)[1:-1], json.dumps(value)[1:-1], html.escape(value)}
    forms |= {json.dumps(value, ensure_ascii=False)[1:-1], html.escape(value, quote=False)}
    forms |= {quote(safe), quote(safe, safe=""), quote_plus(safe)}
    return frozenset(forms | set(_base64(value.encode("utf-8", "replace"))))


def _base85(value: str) -> Iterator[str]:
    raw = value.encode("utf-8", "surrogateescape")
    if len(raw) >= _INNER:
        yield from (encode(raw).decode("ascii") for encode in (a85encode, b85encode))


def _base64(value: bytes) -> Iterator[str]:
    """Yield the strings that any base64 text contains if it encodes this value.

    There is one string for each of the three possible offsets. The characters at both ends depend
    on the neighbours and are left out (RFC 4648 section 4).
    """
    for before in range(3):
        whole = b64encode(b"x" * before + value).rstrip(b"=").decode("ascii")
        inner = whole[-(-before * 4 // 3) : (before + len(value)) * 4 // 3]
        if len(inner) >= _INNER:  # shorter ones occur in any text
            yield inner
            yield inner.translate(str.maketrans("+/", "-_"))
