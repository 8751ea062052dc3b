"""Gather the secrets that this process can know of, so that they can be looked for and masked."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from ddoauth_kit.errors import InputError
from ddoauth_kit.secret import Secret
from ddoauth_kit.store import Slot

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ddoauth_kit.store import Store

SHORTEST: Final = 8
LONG_ENOUGH: Final = 12
KINDS: Final = ("refresh_token", "api_key")
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


def stored_secrets(
    store: Store, *, sites: Iterable[str], client_ids: Iterable[str]
) -> tuple[Secret, ...]:
    """Return what a store holds for these sites and clients; nothing where it cannot be read."""
    found = []
    client_ids = tuple(client_ids)
    for slot in (Slot(k, site, c) for site in sites for c in client_ids for k in KINDS):
        with suppress(InputError):
            found.append(store.get(slot))
    return tuple(secret for secret in found if secret is not None)


def _guards(name: str, value: str) -> bool:
    if name.upper().startswith(_OURS):
        return len(value) >= SHORTEST
    return len(value) >= LONG_ENOUGH and any(character.isdigit() for character in value)
