"""Read every stored secret, so that it can be found and masked."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ddoauth_kit.binder import on_binder
from ddoauth_kit.errors import InputError
from ddoauth_kit.masking.redaction import labelled_secrets
from ddoauth_kit.store import FileStore, KeyringStore
from ddoauth_kit.store.choice import KINDS, files_folder, wanted_kind
from ddoauth_kit.store.environment import EnvironmentFirst
from ddoauth_kit.store.keyrings import usable_keyring

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ddoauth_kit.secret import Secret
    from ddoauth_kit.store import Store

_SECRET_FIELD: Final = re.compile(r"token|secret|key|password|verifier|\bcode\b", re.IGNORECASE)


def stored_secrets(store: Store) -> tuple[Secret, ...]:
    """Return every secret in a store, including those inside records.

    Stored values are returned even if an environment variable overrides them. Unreadable slots are
    skipped.
    """
    return read_stores([store]).secrets


@dataclass(frozen=True, slots=True)
class StoredSecrets:
    """The secrets from several stores, and a description of everything that could not be read."""

    secrets: tuple[Secret, ...]
    unread: tuple[str, ...] = ()


def secrets_of_this_user(environ: Mapping[str, str] = os.environ) -> StoredSecrets:
    """Return the secrets in the stores that a lab could use, without creating a store."""
    try:
        return read_stores(_existing_stores(environ))
    except InputError as error:
        return StoredSecrets((), unread=(error.what,))


def _existing_stores(environ: Mapping[str, str]) -> tuple[Store, ...]:
    """Return the stores that may contain this user's secrets, without creating any.

    Files are included even if a keyring works now, because they may date from a time when it
    didn't. The keyring is included unless `DDOAUTH_STORE` names another kind.

    Raises:
        InputError: `unknown_store`, `bad_store_folder`, `unsafe_store` or `not_stored`.
    """
    if on_binder(environ):
        return ()
    found: list[Store] = []
    wanted, _ = wanted_kind(environ)
    folder, _ = files_folder(environ)
    if folder is not None and folder.is_dir():
        found.append(FileStore(folder))
    if wanted == KINDS[0] and (backend := usable_keyring()[0]) is not None:
        found.append(KeyringStore(backend))
    return tuple(found)


def read_stores(stores: Iterable[Store]) -> StoredSecrets:
    """Read every slot that these stores list; report unreadable slots by name."""
    found: dict[Secret, None] = {}
    unread: dict[str, None] = {}
    for store in stores:
        beneath = store.beneath if isinstance(store, EnvironmentFirst) else store
        try:
            slots = beneath.slots()
        except InputError as error:
            unread[error.what] = None
            continue
        for slot in slots:
            try:
                secret = beneath.get(slot)
            except InputError as error:
                unread[error.what] = None
                continue
            found.update(dict.fromkeys(_with_inner(secret) if secret is not None else ()))
    return StoredSecrets(tuple(found), tuple(unread))


def _with_inner(secret: Secret) -> Iterator[Secret]:
    """Yield a secret and, if it is a JSON record, the values of its secret fields."""
    yield secret
    try:
        record = json.loads(secret.reveal())
    except (ValueError, RecursionError):
        return
    yield from labelled_secrets(record, _label)


def _label(name: str, _: str) -> str:
    return name if _SECRET_FIELD.search(name) else ""
