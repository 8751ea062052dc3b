"""Recognize the names of variables and parameters that contain a secret."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from ddoauth_kit.masking.patterns import ABOUT, OURS, field_label, words_of

_SECRET_WORDS: Final = frozenset(
    {
        *("secret", "secrets", "token", "password", "passwd", "passphrase", "passcode"),
        *("credential", "credentials", "pat"),
    }
)
_KEY_OWNERS: Final = frozenset(
    {
        *("api", "app", "application", "access", "private", "auth", "encryption", "secret"),
        *("signing", "master"),
    }
)
_TOKEN_OWNERS: Final = frozenset(
    {"access", "refresh", "id", "auth", "api", "bearer", "client", "dd", "datadog"}
)
_COUNTED: Final = frozenset(
    {
        *("page", "next", "previous", "prev", "continuation", "sync", "cursor", "start", "end"),
        *("pad", "eos", "bos", "unk", "mask", "cls", "sep", "special", "max", "min", "stop"),
    }
)


@lru_cache(maxsize=4096)
def is_secret_name(name: str) -> bool:
    """Return whether a variable or parameter with this name contains a secret.

    This includes names that don't count for fields, such as `GITHUB_TOKEN` and `DD_PAT`. It
    excludes counts and cursors, such as `MAX_TOKENS` and `PAGE_TOKEN`, and names that only describe
    a secret, such as `TOKEN_URL`.
    """
    if OURS.match(name) or field_label(name):
        return True
    words = words_of(name)
    if not words or words[-1] in ABOUT or (words[-1] == "manager"):
        return False
    for before, word in zip(["", *words], words, strict=False):
        if word in _SECRET_WORDS and before not in _COUNTED:
            return True
        if word in {"key", "keys"} and before in _KEY_OWNERS:
            return True
        if word == "tokens" and before in _TOKEN_OWNERS:
            return True
    return bool(re.search(r"(?:secret|password|apikey|appkey)s?$", "".join(words)))
