"""Choose the best store for secrets that works here, and say why better ones don't work."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ddoauth_kit.binder import NOTHING_KEPT, on_binder
from ddoauth_kit.errors import InputError
from ddoauth_kit.store.environment import EnvironmentFirst
from ddoauth_kit.store.files import FileStore, PrivateFolder, default_folder
from ddoauth_kit.store.keyrings import KeyringStore, usable_keyring
from ddoauth_kit.store.memory import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ddoauth_kit.store.slots import Store

KINDS: Final = ("keyring", "file", "memory")


@dataclass(frozen=True, slots=True)
class ChosenStore:
    """The chosen store; `reason` says why no better one was chosen, and is empty for the best."""

    store: Store
    reason: str = ""


def open_store(*, environ: Mapping[str, str] = os.environ) -> ChosenStore:
    """Choose the best store that works here: the keyring, or else files, or else memory.

    If `DDOAUTH_STORE` names one of them, better ones are not tried. In any case, values in the
    environment come first. On Binder, only memory is used, because the machine isn't yours.

    Raises:
        InputError: `unknown_store`.
    """
    if on_binder(environ):
        return ChosenStore(MemoryStore(), NOTHING_KEPT)
    wanted, reason = wanted_kind(environ)
    reasons = [reason] if reason else []
    for kind in KINDS[KINDS.index(wanted) : -1]:
        store, reason = _try(kind, environ)
        if store is not None:
            return ChosenStore(EnvironmentFirst(store, environ), "; ".join(reasons))
        reasons.append(reason)
    return ChosenStore(EnvironmentFirst(MemoryStore(), environ), "; ".join(reasons))


def wanted_kind(environ: Mapping[str, str]) -> tuple[str, str]:
    """Return the kind of store to try first, and the reason if it is not the best one."""
    wanted = environ.get("DDOAUTH_STORE", "").strip().lower()
    if wanted and wanted not in KINDS:
        raise InputError("unknown_store", f"DDOAUTH_STORE is {wanted[:40]!a}.")
    return wanted or KINDS[0], f"DDOAUTH_STORE says {wanted}" if wanted in KINDS[1:] else ""


def _try(kind: str, environ: Mapping[str, str]) -> tuple[Store | None, str]:
    """Return a store if it is usable, and the reason if it is not."""
    if kind == "file":
        return _files(environ)
    backend, reason = usable_keyring()
    if backend is None:
        return None, reason
    return KeyringStore(backend, folder=_lock_folder(environ)), ""


def _files(environ: Mapping[str, str]) -> tuple[Store | None, str]:
    folder, reason = files_folder(environ)
    if folder is None:
        return None, f"no files: {reason}"
    try:
        return FileStore(folder), ""
    except InputError as error:
        return None, f"no files: {error.what.rstrip('.')}"


def files_folder(environ: Mapping[str, str]) -> tuple[Path | None, str]:
    """Return the folder for files, or None and the reason why there is none."""
    if os.name != "posix":
        return None, "file modes don't protect files on this system"
    folder = default_folder(environ)
    return folder, "" if folder else "the environment names no home folder"


def _lock_folder(environ: Mapping[str, str]) -> Path | None:
    """Return a folder in which processes can wait for each other, or None if there is none."""
    folder, _ = files_folder(environ)
    if folder is not None:
        try:
            PrivateFolder(folder)
        except InputError:
            return None
    return folder
