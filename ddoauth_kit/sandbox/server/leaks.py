"""Find the sandbox's secrets in text that should not contain any, such as a log."""

from __future__ import annotations

import base64
import binascii
import re
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

KINDS: Mapping[str, str] = MappingProxyType(
    {
        "access": "access_token",
        "key": "api_key",
        "secret": "client_secret",
        "code": "code",
        "refresh": "refresh_token",
    }
)
_ISSUED = re.compile(r"sandbox-(access|key|secret|code|refresh)-[0-9a-f]+")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{24,}")


def leaked_kinds(text: str, *, issued: frozenset[str]) -> tuple[str, ...]:
    """Return the kinds of issued secrets in a string: plain, percent-encoded or in base64."""
    lengths = {secret.split("-")[1]: len(secret) for secret in issued}
    found: set[str] = set()
    for version in _versions(text):
        for match in _ISSUED.finditer(version):
            if match[0][: lengths.get(match[1], 0)] in issued:
                found.add(KINDS[match[1]])
    return tuple(sorted(found))


def _versions(text: str) -> Iterator[str]:
    once = unquote(text)
    yield text
    yield once
    yield unquote(once)
    for run in _BASE64.finditer(once):
        letters = run[0].replace("-", "+").replace("_", "/")
        # If the secret begins inside a longer run, only one of the four offsets shows it.
        for offset in range(4):
            yield _decoded(letters[offset:])


def _decoded(letters: str) -> str:
    whole = letters[: len(letters) // 4 * 4]
    rest = letters[len(whole) :]
    if len(rest) > 1:
        whole += rest + "=" * (4 - len(rest))
    try:
        return base64.b64decode(whole).decode("latin-1")
    except binascii.Error:
        return ""
