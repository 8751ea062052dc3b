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
_COLUMN: Final = re.compile(rf"^(?:{_NAMES.replace('_', '[_ ]?')}|e-mail|person)$", re.IGNORECASE)
_QUOTED: Final = re.compile(rf"""(["'](?:{_NAMES})["']\s*:\s*)(["'])(?:(?!\2)[^\\]|\\.)*\2?""")
_FORM: Final = re.compile(rf"\b({_NAMES})=(?!<)[^&\s\"']+")


def mask_people(text: str) -> str:
    """Return a text without e-mail addresses, and without users and organizations in JSON or URLs.

    A name in running prose cannot be told from any other word.
    """
    text = _QUOTED.sub(r'\1"<masked>"', text)
    text = _FORM.sub(r"\1=<masked>", text)
    return _EMAIL.sub("<email>", text)


def mask_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a table's row with people masked, whole columns by their names."""
    return {name: _value(name, value) for name, value in row.items()}


def _value(name: str, value: Any) -> Any:  # noqa: ANN401 - JSON
    if value and _COLUMN.match(name):
        return "<masked>"
    return mask_people(value) if isinstance(value, str) else value
