"""The ids of a resource kind: checking their format, and creating new ones."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ddoauth_kit.sandbox.facts.described_schemas import resolved

if TYPE_CHECKING:
    from ddoauth_kit.sandbox.facts.described_schemas import DescribedKind, Schema
    from ddoauth_kit.sandbox.state.mint import Mint

# The ids that probes use when nothing should be found.
NOBODYS = frozenset({"0", "00000000-0000-0000-0000-000000000000", "ddoauth-probe-nonexistent"})
# The description has examples of UUIDs whose first part is too short.
_UUID = re.compile(r"[0-9a-f]{4,8}(-[0-9a-f]{4}){3,4}-[0-9a-f]{12}", re.IGNORECASE)
_FEWEST_SIGNS = 6


def is_uuid_text(value: object) -> bool:
    """Return whether a value is the text form of a UUID."""
    return isinstance(value, str) and _UUID.fullmatch(value) is not None


def has_form(kind: DescribedKind, wanted: str) -> bool:
    """Return whether an id is in a kind's format: a number, a UUID, or any text."""
    form = kind.form
    if isinstance(form, int) or (form and form.isdecimal() and len(form) >= _FEWEST_SIGNS):
        return wanted.isdecimal()
    is_uuid = form is not None and (not form or is_uuid_text(form))
    return not is_uuid or is_uuid_text(wanted)


def minted(kind: DescribedKind, mint: Mint, shown: Schema) -> object:
    """Return a new id in the described format."""
    if isinstance(kind.form, int):
        number = mint.next_number(kind.path)
        told = resolved(shown.get("p", {}).get(kind.key))
        return str(number) if told["t"] == "s" else number
    fresh = mint.next_uuid(kind.path)
    return _like(kind.form, fresh) if kind.form else fresh


def _like(form: str, fresh: str) -> str:
    """Write an id in the style of an example's: digits for digits, and letters for letters."""
    signs = fresh.replace("-", "") * (len(form) // 32 + 1)
    if _UUID.fullmatch(form) or len(re.findall(r"[0-9a-zA-Z]", form)) < _FEWEST_SIGNS:
        return fresh
    is_hex = re.fullmatch(r"[0-9a-f-]+", form) is not None and not form.isdecimal()
    return "".join(_sign(old, new, is_hex=is_hex) for old, new in zip(form, signs, strict=False))


def _sign(old: str, new: str, *, is_hex: bool) -> str:
    if not old.isalnum() or is_hex:
        return new if old.isalnum() else old
    if old.isdigit():
        return str(int(new, 16) % 10)
    letter = chr(ord("a") + int(new, 16))
    return letter.upper() if old.isupper() else letter
