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
KINDS: Final = ("refresh_token", "api_key")
_SECRET_NAME: Final = re.compile(
    r"SECRET|TOKEN|PASSWORD|PASSWD|CREDENTIAL"
    r"|(?:^|_)(?:API|APP|APPLICATION|ACCESS|PRIVATE|AUTH|ENCRYPTION)_?KEY",
    re.IGNORECASE,
)
_LOCATION: Final = re.compile(r"(?:_FILE|_PATH|_URL|_DIR|_SOCK)$", re.IGNORECASE)


def environment_secrets(environ: Mapping[str, str] = os.environ) -> tuple[Secret, ...]:
    """Return the values of all variables whose names say that they are secret.

    `DD_API_KEY`, `DD_APP_KEY` and the kit's own are among them, and so is the token of a CI
    service. Values of fewer than eight characters guard nothing and would only garble texts.
    """
    return tuple(
        Secret(value.strip(), label=name)
        for name, value in environ.items()
        if _SECRET_NAME.search(name)
        and not _LOCATION.search(name)
        and len(value.strip()) >= SHORTEST
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
