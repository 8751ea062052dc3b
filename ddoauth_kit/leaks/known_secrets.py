"""Collect the secrets that this process can know, so that they can be found and masked."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from ddoauth_kit.leaks.secret_names import is_secret_name
from ddoauth_kit.masking.patterns import is_placeholder
from ddoauth_kit.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


SHORTEST: Final = 8
_SHORTEST_PASSWORD: Final = 6
_LONG_ENOUGH: Final = 12
_OURS: Final = ("DD_", "DATADOG_", "DDOAUTH_")
_PASSWORD: Final = re.compile(r"PASS(?:WORD|WD|PHRASE|CODE)?$", re.IGNORECASE)
_ADDRESS: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,20}://")
_USER_PART: Final = re.compile(r"://([^\s/?#@:]{0,256})(?::([^\s/?#@]{1,512}))?@")
_PATH: Final = re.compile(r"(?:~|\.{1,2}|[A-Za-z]:)?[/\\][\w .@~-]+(?:[/\\][\w .@~-]*)*")
_USER_LENGTH: Final = 20


def environment_secrets(environ: Mapping[str, str] = os.environ) -> tuple[Secret, ...]:
    """Return the values of all environment variables whose names mark them as secret.

    These include `DD_API_KEY`, `DD_APP_KEY` and the kit's own variables, if they have at least
    eight characters. Other values, such as a CI service's token, count if they contain a digit, or
    have at least twelve characters and are not a lower-case word; a password needs six characters.
    Paths and addresses do not count, but the password in an address does, whatever the variable's
    name (`HTTPS_PROXY`, `DATABASE_URL`).
    """
    found: dict[Secret, None] = {}
    for name, value in environ.items():
        for secret in _secrets(name, value.strip()):
            found.setdefault(secret)
    return tuple(found)


def _secrets(name: str, value: str) -> Iterator[Secret]:
    if _ADDRESS.match(value):
        yield from _of_address(name, value)
    elif is_secret_name(name) and _guards(name, value) and not _is_path(value):
        yield Secret(value, label=name)


def _of_address(name: str, value: str) -> Iterator[Secret]:
    """Yield the password in an address, both as written and decoded."""
    found = _USER_PART.search(value)
    if found is None:
        return
    user, password = found.groups()
    if password and len(password) >= _SHORTEST_PASSWORD and not is_placeholder(password):
        yield from (
            Secret(text, label=name) for text in dict.fromkeys((password, unquote(password)))
        )
    elif not password and len(user) >= _USER_LENGTH:
        yield Secret(user, label=name)


def _guards(name: str, value: str) -> bool:
    if is_placeholder(value):
        return False
    if name.upper().startswith(_OURS):
        return len(value) >= SHORTEST
    if _PASSWORD.search(name):
        return len(value) >= _SHORTEST_PASSWORD
    digit = any(character.isdigit() for character in value)
    return len(value) >= SHORTEST and (
        digit or (len(value) >= _LONG_ENOUGH and not value.islower())
    )


def _is_path(value: str) -> bool:
    """Return whether a value is a path: it exists, or has several parts or a file extension."""
    if not _PATH.fullmatch(value):
        return False
    parts = [part for part in re.split(r"[/\\]", value) if part]
    return len(parts) > 1 or "." in parts[-1] or os.path.exists(value)  # noqa: PTH110 - never raises an error
