"""Choose the registration that live mode uses."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

from ddoauth_kit.binder import refuse_on_binder
from ddoauth_kit.config_folder import config_folder
from ddoauth_kit.environment_values import value_of
from ddoauth_kit.errors import InputError
from ddoauth_kit.registration import (
    Kind,
    registration_from_environment,
    registration_from_file,
    with_environment,
)
from ddoauth_kit.registration.against_sandbox import VARIABLE
from ddoauth_kit.store import Slot, open_store
from ddoauth_kit.store.slots import variables

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ddoauth_kit.registration import ClientRegistration
    from ddoauth_kit.store import Store


def live_registration(
    site: str, *, client: str = "", environ: Mapping[str, str] = os.environ
) -> ClientRegistration:
    """Return the registration that live mode uses on a site, from the environment or the store.

    Raises:
        InputError: `unknown_kind`; `not_sandbox_credentials`, if the environment names a sandbox
            but no client; for others, see `registration_from_environment`.
    """
    kind = value_of("DDOAUTH_CLIENT_KIND", environ) or Kind.PRIVATE
    if kind not in set(Kind):
        raise InputError("unknown_kind", f"DDOAUTH_CLIENT_KIND is {kind!r:.60}.")
    try:
        return registration_from_environment(
            site=site, kind=Kind(kind), environ=environ, file=client or None
        )
    except InputError as error:
        if error.code not in {"missing_client_id", "no_credentials_for_site"}:
            raise
        store = open_store(environ=environ).store
        kept = kept_registration(site, kind=Kind(kind), store=store, environ=environ)
        if kept is not None:
            return kept
        if error.code == "missing_client_id" and value_of(VARIABLE, environ):
            what = f"{VARIABLE} names a sandbox, but {error.what[0].lower()}{error.what[1:]}"
            raise InputError("not_sandbox_credentials", what) from None
        raise


def kept_registration(
    site: str, *, kind: Kind, store: Store, environ: Mapping[str, str] = os.environ
) -> ClientRegistration | None:
    """Return the stored registration for a site, with its secret, or None if there is none.

    Raises:
        InputError: `bad_client_file`, `kept_secret_missing`, `not_stored`, `no_live_on_binder`.
    """
    refuse_on_binder(environ)
    path = client_file(site, kind, environ)
    if path is None or not path.is_file():
        return None
    public = registration_from_file(path, kind=kind, sites=(site,))
    slot = secret_slot(public, site)
    secret = store.get(slot)
    if secret is None:
        what = (
            f"The client file {path} names {public.client_id!r}, but its secret is neither in "
            f"{store.where} nor in {variables(slot)[-1]}."
        )
        raise InputError("kept_secret_missing", what)
    return with_environment(replace(public, client_secret=secret), environ)


def secret_slot(registration: ClientRegistration, site: str) -> Slot:
    """Return the slot for the secret of a stored registration."""
    return Slot("client_secret", site, registration.client_id, str(registration.kind))


def client_file(site: str, kind: Kind, environ: Mapping[str, str]) -> Path | None:
    """Return the file for the public part of a stored registration, or None without a folder."""
    folder = config_folder(environ)
    return folder / f"client-{kind}-{site}.json" if folder else None
