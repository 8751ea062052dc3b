"""Mask people and organizations in reports: e-mail addresses, and values with telltale names."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_EMAIL: Final = re.compile(
    r"(?<![\w.+%-])[\w.+%-]{1,254}?(?:@|%40)[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"
    r"|(?<=[\w.+%-]{64})@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"
)
_NAMES: Final = (
    "dd_org_name|dd_oid|org|org_id|org_name|org_uuid|organization|public_id|user|user_id|user_name|"
    "username|user_uuid|handle|email|full_name|first_name|last_name|created_by|modified_by"
)
# Text that contains none of these, in lower case, doesn't name anybody.
_HINTS: Final = (
    *(
        "dd_o",
        "org",
        "public_id",
        "public id",
        "publicid",
        "user",
        "handle",
        "mail",
        "full",
        "name",
    ),
    *("created", "modified", "person"),
)
_WORDS: Final = rf"(?:{_NAMES.replace('_', '[_ ]?')}|e-mail|person)"
_COLUMN: Final = re.compile(rf"^{_WORDS}$", re.IGNORECASE)
_QUOTE: Final = r"[\"']|&quot;|&#x27;|&#39;"
_PATTERNS: Final = (
    # JSON and Python, in text or in HTML
    re.compile(rf"((?:{_QUOTE})(?:{_NAMES})(?:{_QUOTE})\s*:\s*)({_QUOTE})(?:(?!\2)[^\\]|\\.)*\2?"),
    # the parameters of a URL or a form, and pairs in a log or a call: user="alice"
    re.compile(rf"(\b(?:{_NAMES})=)([\"']?)(?!<)(?:(?<=\")[^\"\n]*|(?<=')[^'\n]*|[^&\s\"']+)\2?"),
    # a row of a card or a table, in HTML and as text
    re.compile(rf"(<t[hd][^<>]*>\s*{_WORDS}\s*</t[hd]>\s*<td[^<>]*>)()[^<]*", re.IGNORECASE),
    re.compile(rf"(^[ \t]*{_WORDS}[ \t]{{2,}})()\S.*$", re.IGNORECASE | re.MULTILINE),
)


def mask_people(text: str) -> str:
    """Return text without e-mail addresses and without the names of users and organizations.

    Names are found in JSON, in URLs and in two-column tables. In running text, a name can't be
    distinguished from other words.
    """
    folded = text.lower()
    if any(hint in folded for hint in _HINTS):
        for pattern in _PATTERNS:
            text = pattern.sub(_masked, text)
    return _EMAIL.sub("(e-mail)", text) if "@" in text or "%40" in text else text


def _masked(found: re.Match[str]) -> str:
    """Mask a value, but not its field's name or its quotes; a word in brackets is safe in HTML."""
    return f"{found[1]}{found[2]}(masked){found[2]}"


def mask_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a table row with people masked; columns named after people are masked completely."""
    return {name: _value(str(name), value) for name, value in row.items()}


def mask_values(value: Any) -> Any:  # noqa: ANN401 - JSON
    """Return a JSON value with people masked in its strings; field names don't change."""
    if isinstance(value, str):
        return mask_people(value)
    if isinstance(value, (list, tuple)):
        return [mask_values(item) for item in value]
    return {n: mask_values(v) for n, v in value.items()} if isinstance(value, dict) else value


def _value(name: str, value: Any) -> Any:  # noqa: ANN401 - JSON
    if value and _COLUMN.match(name):
        return "(masked)"
    if isinstance(value, dict):
        return mask_row(value)
    return [_value("", item) for item in value] if isinstance(value, list) else mask_values(value)
