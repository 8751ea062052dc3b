"""Find the query of a redirect in whatever a server hands over or a person pastes.

The query alone carries the answer. A server behind a proxy sees another scheme, host, port or path
than the browser did, and a mail filter wraps the address in one of its own.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qsl, urlsplit

MOST_PARAMETERS: Final = 50
_QUOTES: Final = (
    ("'", "'"),
    ('"', '"'),
    ("`", "`"),
    ("<", ">"),
    ("(", ")"),
    ("“", "”"),
    ("«", "»"),
)
_WRAPPERS: Final = 3
# No other entity is read: `&copy=` may be a parameter.
_AMPERSAND: Final = re.compile("&(?:amp|#0*38|#x0*26);", re.IGNORECASE)


def redirect_pairs(text: str) -> list[tuple[str, str]]:
    """Return the parameters of a redirect: of a URL, of a path with a query, or of a query alone.

    Blank pieces are skipped, and a piece without `=` has an empty value. Quotes around the text,
    `&amp;` for `&`, and a link that carries the redirect in a parameter are read through.

    Raises:
        ValueError: the text is not a URL, has no parameter, or has more than 50.
    """
    pairs = _pairs(_plain(text))
    for _ in range(_WRAPPERS):
        wrapped = _wrapped(pairs)
        if not wrapped:
            break
        pairs = _pairs(wrapped)
    return pairs


def without_quotes(text: str) -> str:
    """Return a text without surrounding spaces and pairs of quotes."""
    text = text.strip()
    while len(text) > 1 and (text[0], text[-1]) in _QUOTES:
        text = text[1:-1].strip()
    return text


def _plain(text: str) -> str:
    text = without_quotes(text)
    return _AMPERSAND.sub("&", text)


def _pairs(text: str) -> list[tuple[str, str]]:
    query = urlsplit(text).query if "?" in text else text.partition("#")[0]
    pieces = [piece for piece in query.split("&") if piece]
    if pieces and not any("=" in piece for piece in pieces):
        raise ValueError("no parameter has a value")
    return parse_qsl("&".join(pieces), keep_blank_values=True, max_num_fields=MOST_PARAMETERS)


def _wrapped(pairs: list[tuple[str, str]]) -> str:
    """Return the URL that a link carries in one of its parameters, if it says nothing itself."""
    if any(name in {"state", "code", "error"} for name, _ in pairs):
        return ""
    carried = (value for _, value in pairs if "?" in value and "state" in value)
    return next(carried, "")
