"""Read what a store holds: to move it into a secret manager, or to mask it."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import asdict
from typing import TYPE_CHECKING

from ddoauth_kit.errors import InputError
from ddoauth_kit.store.slots import Slot

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ddoauth_kit.secret import Secret
    from ddoauth_kit.store.slots import Store

KINDS = ("refresh_token", "api_key")


def export_secrets(store: Store, *, to: int | Path, slots: Iterable[Slot] | None = None) -> int:
    """Write secrets in clear text, one JSON object a line, and return how many they were.

    `to` is an open file descriptor that is no terminal, or the path of a new file, made with mode
    0600. Each object has the fields of `Slot` and `secret`. All slots that the store lists are
    written unless `slots` names some; what the environment holds is not the store's to move.

    Raises:
        InputError: `bad_export`, or `not_stored` for a store that cannot be read.
    """
    chosen = store.slots() if slots is None else tuple(slots)
    pairs = [(slot, store.get(slot)) for slot in chosen]
    lines = [
        json.dumps({**asdict(slot), "secret": secret.reveal()}) + "\n"
        for slot, secret in pairs
        if secret is not None
    ]
    file, ours = _opened(to)
    try:
        with os.fdopen(file, "w", encoding="utf-8", closefd=ours) as opened:
            opened.writelines(lines)
    except OSError as error:
        raise InputError("bad_export", f"The export broke off: {error.strerror}.") from None
    return len(lines)


def _opened(to: int | Path) -> tuple[int, bool]:
    """Return a descriptor, and whether it is ours to close."""
    if isinstance(to, int):
        if os.isatty(to):
            raise InputError("bad_export", "A terminal shows secrets to whoever looks.")
        return to, False
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    try:
        return os.open(to, flags, 0o600), True
    except OSError as error:
        raise InputError("bad_export", f"{to} cannot be made: {error.strerror}.") from None


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
