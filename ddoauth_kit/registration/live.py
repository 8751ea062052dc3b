"""Choose the registration that live mode uses."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ddoauth_kit.environment_values import value_of
from ddoauth_kit.errors import InputError
from ddoauth_kit.registration import Kind, registration_from_environment
from ddoauth_kit.registration.against_sandbox import VARIABLE
from ddoauth_kit.registration.saved_registration import kept_registration
from ddoauth_kit.store import open_store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ddoauth_kit.registration import ClientRegistration


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
