"""Recognize values that a person has allowed, with a reason, in a comment or a list.

    key = "..."  # ddoauth: allow (documented example)

Each line in a list has a fingerprint and a reason; `ddoauth scan` prints the fingerprints. Comments
and lists never contain a value, and they can't hide a secret that is known in memory.
"""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import pbkdf2_hmac
from typing import TYPE_CHECKING, Final

from ddoauth_kit.errors import InputError
from ddoauth_kit.printable import quoted_path

if TYPE_CHECKING:
    from pathlib import Path

FILE: Final = ".ddoauth-allow"
_PRAGMA: Final = re.compile(
    r"ddoauth:[ \t]{0,4}allow[ \t]{0,4}[(:-][ \t]{0,4}\w[^\n]{2,}", re.IGNORECASE
)
_FINGERPRINT: Final = re.compile(r"([0-9a-f]{16})[ \t]+(\S.*)")
_ROUNDS: Final = 20_000


@lru_cache(maxsize=4096)
def fingerprint(value: str) -> str:
    """Return 16 digits that identify a value; the hash is slow so that guessing is expensive."""
    salt = b"ddoauth scan"
    return pbkdf2_hmac("sha256", value.encode("utf-8", "replace"), salt, _ROUNDS, dklen=8).hex()


def is_allowed_line(line: str) -> bool:
    """Return whether a line has a comment that allows its values and gives a reason."""
    return "ddoauth" in line and _PRAGMA.search(line) is not None


def read_allowed(path: Path) -> frozenset[str]:
    """Read the fingerprints in a list; skip blank lines and lines that begin with `#`.

    Raises:
        InputError: `bad_allow_list`, if a line lacks a fingerprint or a reason.
    """
    try:
        lines = path.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        what = f"The list {quoted_path(path)} cannot be read: {type(error).__name__}."
        raise InputError("bad_allow_list", what) from None
    found = set()
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        entry = _FINGERPRINT.fullmatch(line.strip())
        if entry is None:
            what = (
                f"Line {number} of {quoted_path(path)} is not a fingerprint followed by a reason."
            )
            raise InputError("bad_allow_list", what)
        found.add(entry[1])
    return frozenset(found)
