"""Find a redirect's address in text that a mail program, a chat program or a person has changed."""

from __future__ import annotations

import binascii
import re
from base64 import urlsafe_b64decode
from itertools import chain
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterator

_QUOTES: Final = (
    ("'", "'"),
    ('"', '"'),
    ("`", "`"),
    ("<", ">"),
    ("(", ")"),
    ("“", "”"),
    ("«", "»"),
)
_INVISIBLE: Final = "\u00a0\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
# Other entities are not decoded, because `&copy=` may be a parameter.
_AMPERSAND: Final = re.compile("&(?:amp|#0*38|#x0*26);", re.IGNORECASE)
# Quoted-printable (RFC 2045 section 6.7) writes each `=` as `=3D`, and breaks lines after an `=`.
_SOFT_BREAK: Final = re.compile(r"=[ \t]*\r?\n")
_QUOTED_PRINTABLE: Final = re.compile(r"[^=]*(?:=[0-9A-F]{2}[^=]*)+")
_LINE_BREAK: Final = re.compile(r"[ \t]*[\r\n]+[> \t]*")
# The beginning of a redirect that has no sentence or link markup around it.
_PLAIN: Final = re.compile(r"https?:|[/?&]|[\w.~-]{1,60}=", re.IGNORECASE)
_ADDRESS: Final = re.compile(r"https?://[^\s<>\"`|\[\]\\^{}]{1,16384}", re.IGNORECASE)
_BRACKETS: Final = {")": "(", "]": "[", ">": "<"}
_MARKS: Final = ".,;:!*"
# A dot at the end of one of these values may be an attack; otherwise, a person ended a sentence.
_EXACT: Final = re.compile(r"[?&](?:domain|site|iss|code)=[^&]*\Z")
_PROOFPOINT_2: Final = re.compile(r"https?-3A", re.IGNORECASE)
_PROOFPOINT_3: Final = re.compile(r"/v3/__(.+?)__;([A-Za-z0-9_=-]*)!!")
_RUN: Final = re.compile(r"\*\*([A-Za-z0-9_-])|\*")
_RUN_LENGTHS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_BASE64_OF_HTTP: Final = re.compile(r"aHR0c[A-Za-z0-9_+/=-]{8,16384}")
_SEGMENT: Final = re.compile(r"/(https?%3A%2F%2F[^/?#]{8,16384})", re.IGNORECASE)


def without_quotes(text: str) -> str:
    """Return text without the spaces and pairs of quotes around it."""
    text = text.strip()
    while len(text) > 1 and (text[0], text[-1]) in _QUOTES:
        text = text[1:-1].strip()
    return text


def plain_address(text: str) -> str:
    """Return the address that a text contains, without quotes, line breaks or link markup.

    The function understands Markdown, HTML, wiki brackets and a sentence before the address. It
    removes punctuation from the end, unless it may belong to a value that must be exact.
    """
    named = text.lstrip().startswith("<")
    text = _on_one_line(without_quotes(text))
    text = _AMPERSAND.sub("&", text.partition("|")[0] if named else text)
    if not _PLAIN.match(text):
        return _linked(text)
    return text if _EXACT.search(text) else _without_end(text)


def typed_address(text: str) -> str:
    """Return a pasted address without invisible characters, trailing words or a full stop."""
    text = without_quotes(text.strip(_INVISIBLE + " \t\r\n"))
    text = _on_one_line(text)
    address, *words = text.split(" ")
    if words and _PLAIN.match(address) and not any("=" in word for word in words):
        text = address
    return _without_end(text) if _PLAIN.match(text) else text


def _on_one_line(text: str) -> str:
    joined = _SOFT_BREAK.sub("", text)
    if "=" not in joined or ("=3D" in joined and _QUOTED_PRINTABLE.fullmatch(joined)):
        text = re.sub("=([0-9A-F]{2})", lambda found: chr(int(found[1], 16)), joined)
    return _LINE_BREAK.sub("", text)


def carried_address(text: str) -> str:
    """Return the redirect inside a link from a mail filter or a chat, or an empty string.

    The link may contain the redirect percent-encoded in its path, in base64, or in the format of
    Proofpoint's versions 2 and 3.
    """
    if found := _PROOFPOINT_3.search(text):
        return _without_runs(found[1], found[2])
    if "state=" in text:
        return ""
    return next((each for each in chain(_decoded(text)) if "state=" in each), "")


def _decoded(text: str) -> Iterator[str]:
    if found := _SEGMENT.search(text):
        yield unquote(found[1])
    for piece in re.split(r"[?&]", text):
        value = piece.partition("=")[2]
        if _PROOFPOINT_2.match(value):
            yield unquote(value.replace("-", "%").replace("_", "/"))
        elif found := _BASE64_OF_HTTP.fullmatch(unquote(value)):
            yield _base64(found[0]).decode("ascii", "replace")


def _without_runs(address: str, encoded: str) -> str:
    """Return the address in a Proofpoint version 3 link, which moves some characters to its end."""
    moved = iter(_base64(encoded).decode("utf-8", "replace"))

    def put_back(found: re.Match[str]) -> str:
        length = 2 + _RUN_LENGTHS.index(found[1]) if found[1] else 1
        return "".join(next(moved, "") for _ in range(length))

    return _RUN.sub(put_back, address)


def _base64(text: str) -> bytes:
    plain = text.rstrip("=").replace("+", "-").replace("/", "_")
    try:
        return urlsafe_b64decode(plain + "=" * (-len(plain) % 4))
    except binascii.Error:
        return b""


def _linked(text: str) -> str:
    """Return the address that is most likely the redirect, from a sentence or link markup."""
    addresses = [_without_end(address) for address in _ADDRESS.findall(text)]
    answers = (each for each in addresses if "state" in each)
    return next(answers, addresses[0] if addresses else text)


def _without_end(text: str) -> str:
    """Return an address without the punctuation that ends the sentence or bracket around it."""
    while text:
        last = text[-1]
        opens = _BRACKETS.get(last)
        alone = opens is not None and text.count(last) > text.count(opens)
        if not alone and last not in _MARKS:
            break
        text = text[:-1]
    return text
