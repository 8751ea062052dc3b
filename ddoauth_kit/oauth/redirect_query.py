"""Find a redirect's query in anything that a server passes or a person pastes.

Only the query matters. A server behind a proxy may see a different scheme, host, port or path from
the browser, and a mail filter wraps the address in one of its own.
"""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from ddoauth_kit.oauth.pasted_address import carried_address, plain_address

MOST_PARAMETERS: Final = 50
_WRAPPERS: Final = 4
_AS_IT_IS: Final = re.compile(r"[^?]*\?[\w.-]{1,20}=https?://[^?&]*(\?.*state=.*)", re.DOTALL)


def redirect_pairs(text: str) -> list[tuple[str, str]]:
    """Return the parameters of a redirect: a URL, a path with a query, or a query alone.

    Empty parts are skipped, and a part without `=` has an empty value. The text may have quotes or
    link markup around it, contain `&amp;` instead of `&`, or be a link that contains the redirect.

    Raises:
        ValueError: the text is not a URL, has no parameters, or has more than 50.
    """
    address = plain_address(text)
    for _ in range(_WRAPPERS):
        inner = carried_address(address) or _wrapped(address)
        if not inner:
            break
        address = inner
    return _pairs(address)


def _pairs(text: str) -> list[tuple[str, str]]:
    query = urlsplit(text).query if "?" in text else text.partition("#")[0]
    pieces = [piece for piece in query.split("&") if piece]
    if pieces and not any("=" in piece for piece in pieces):
        raise ValueError("no parameter has a value")
    return parse_qsl("&".join(pieces), keep_blank_values=True, max_num_fields=MOST_PARAMETERS)


def _wrapped(address: str) -> str:
    """Return the URL in one of a link's parameters if the link itself is not a redirect.

    Some links contain the URL unencoded, so its other parameters look like the link's own.
    """
    if found := _AS_IT_IS.match(address):
        return found[1]
    pairs = _pairs(address)
    if any(name in {"state", "code", "error"} for name, _ in pairs):
        return ""
    carried = (value for _, value in pairs if "?" in value and "state" in value)
    return next(carried, "")
