"""Check where secrets would be stored: in the keyring, the folder, or whatever overrides both."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ddoauth_kit.doctor.finding import Finding, Status, note, ok, problem, unknown
from ddoauth_kit.errors import InputError
from ddoauth_kit.printable import counted
from ddoauth_kit.store import FileStore, Slot, open_store, refuse_unwritable
from ddoauth_kit.store.files import default_folder
from ddoauth_kit.store.keyrings import usable_keyring

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from keyring.backend import KeyringBackend

_TRIAL = Slot("api_key", "us1", "doctor")


def check_keyring_and_store(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Try the store that would be used; a keyring counts as working only if the trial succeeds."""
    backend, reason = usable_keyring()
    stores = list(check_store(environ))
    yield _keyring(backend, reason, environ, works=stores[0].status is not Status.PROBLEM)
    yield from stores


def _keyring(
    backend: KeyringBackend | None, reason: str, environ: Mapping[str, str], *, works: bool
) -> Finding:
    if backend is None:
        instead = "files or memory are" if os.name == "posix" else "memory is"
        step = f"nothing to fix: {instead} used instead, but a desktop's keyring is safer"
        return note("keyring", reason, step)
    name = type(backend).__module__
    wanted = environ.get("DDOAUTH_STORE", "").strip()
    if wanted.lower() not in ("", "keyring"):
        return note("keyring", f"{name} is not asked, because DDOAUTH_STORE says {wanted}")
    if not works:
        return unknown("keyring", f"{name} could not be used", "do what the line `store` says")
    return ok("keyring", f"{name} answers")


def check_folder(environ: Mapping[str, str]) -> Finding:
    """Check the folder's owner and mode, but don't create a missing folder."""
    try:
        folder = default_folder(environ)
    except InputError as error:
        return problem("store folder", error.what, error.advice)
    if folder is None:
        return note(
            "store folder", ("the environment names no home folder"), "set DDOAUTH_STORE_FOLDER"
        )
    if not folder.exists() and not folder.is_symlink():
        return ok("store folder", f"{folder} does not exist yet")
    try:
        slots = FileStore(folder).slots()
    except InputError as error:
        return problem("store folder", error.what, error.advice)
    return ok("store folder", f"{folder} holds {counted(len(slots), 'secret')}")


def check_store(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Test the store that would be used, and list the names of the secrets in it."""
    try:
        chosen = open_store(environ=environ)
        refuse_unwritable(chosen.store, _TRIAL)
        slots = chosen.store.slots()
    except InputError as error:
        yield problem("store", error.what, error.advice)
        return
    if chosen.store.where.startswith("memory"):
        step = "store the API key elsewhere as soon as it is created: it is shown once"
        yield note("store", f"{chosen.store.where} ({chosen.reason})", step)
    else:
        yield ok("store", chosen.store.where)
    for slot in slots:
        yield ok("kept", str(slot))


def check_official_variables(environ: Mapping[str, str]) -> Finding | None:
    """Report Datadog's own variables, because its client sends them to any configured host."""
    names = [name for name in ("DD_API_KEY", "DD_APP_KEY") if environ.get(name)]
    if not names:
        return None
    step = "unset them if the official client uses a token: it sends them as well"
    return note("DD_ variables", f"{' and '.join(names)} are set", step)
