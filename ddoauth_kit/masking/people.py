"""Mask people and organizations in what a report shows: e-mails, and values under telling names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_EMAIL: Final = re.compile(r"[\w.+%-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+")
_NAMES: Final = (
    "dd_org_name|dd_oid|org|org_id|org_name|org_uuid|organization|public_id|user|user_id|user_name|"
    "username|user_uuid|handle|email|full_name|first_name|last_name|created_by|modified_by"
)
_WORDS: Final = rf"(?:{_NAMES.replace('_', '[_ ]?')}|e-mail|person)"
_COLUMN: Final = re.compile(rf"^{_WORDS}$", re.IGNORECASE)
_QUOTE: Final = r"[\"']|&quot;|&#x27;|&#39;"
_PATTERNS: Final = (
    # JSON and Python, in text or in HTML
    re.compile(rf"((?:{_QUOTE})(?:{_NAMES})(?:{_QUOTE})\s*:\s*)({_QUOTE})(?:(?!\2)[^\\]|\\.)*\2?"),
    # the parameters of a URL or a form
    re.compile(rf"(\b(?:{_NAMES})=)()(?!<)[^&\s\"']+"),
    # a row of a card or of a table, in HTML and as text
    re.compile(rf"(<t[hd][^>]*>\s*{_WORDS}\s*</t[hd]>\s*<td[^>]*>)()[^<]*", re.IGNORECASE),
    re.compile(rf"(^[ \t]*{_WORDS}[ \t]{{2,}})()\S.*$", re.IGNORECASE | re.MULTILINE),
)


def mask_people(text: str) -> str:
    """Return a text without e-mail addresses, and without users and organizations that are named.

    Named are values in JSON, in URLs and in two-column tables. A name in running prose cannot be
    told from any other word.
    """
    for pattern in _PATTERNS:
        text = pattern.sub(_masked, text)
    return _EMAIL.sub("(e-mail)", text)


def _masked(found: re.Match[str]) -> str:
    """Keep the name and the quotes; a word in brackets is safe in HTML, too."""
    return f"{found[1]}{found[2]}(masked){found[2]}"


def mask_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a table's row with people masked, whole columns by their names."""
    return {name: _value(name, value) for name, value in row.items()}


def _value(name: str, value: Any) -> Any:  # noqa: ANN401 - JSON
    if value and _COLUMN.match(name):
        return "(masked)"
    return mask_people(value) if isinstance(value, str) else value
