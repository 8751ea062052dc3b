"""Gather the secrets that this process can know of, so that they can be looked for and masked."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from ddoauth_kit.secret import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping


SHORTEST: Final = 8
LONG_ENOUGH: Final = 12
_SECRET_NAME: Final = re.compile(
    r"SECRET|TOKEN|PASSWORD|PASSWD|CREDENTIAL"
    r"|(?:^|_)(?:API|APP|APPLICATION|ACCESS|PRIVATE|AUTH|ENCRYPTION)_?KEY",
    re.IGNORECASE,
)
_OURS: Final = ("DD_", "DATADOG_", "DDOAUTH_")
_LOCATION: Final = re.compile(r"(?:_FILE|_PATH|_URL|_DIR|_SOCK)$", re.IGNORECASE)


def environment_secrets(environ: Mapping[str, str] = os.environ) -> tuple[Secret, ...]:
    """Return the values of all variables whose names say that they are secret.

    `DD_API_KEY`, `DD_APP_KEY` and the kit's own are among them, if they have eight characters or
    more. Of others, such as the token of a CI service, it takes twelve and a digit: a variable may
    have such a name and hold an ordinary word.
    """
    named = ((name, value.strip()) for name, value in environ.items() if _SECRET_NAME.search(name))
    return tuple(
        Secret(value, label=name)
        for name, value in named
        if not _LOCATION.search(name) and _guards(name, value)
    )


def _guards(name: str, value: str) -> bool:
    if name.upper().startswith(_OURS):
        return len(value) >= SHORTEST
    return len(value) >= LONG_ENOUGH and any(character.isdigit() for character in value)
