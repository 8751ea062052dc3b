"""Choose the registration that live mode uses."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ddoauth_kit.errors import InputError
from ddoauth_kit.registration import Kind, registration_from_environment

if TYPE_CHECKING:
    from ddoauth_kit.registration import ClientRegistration


def live_registration(site: str, *, client: str = "") -> ClientRegistration:
    """Return the registration that live mode uses on a site, from the environment.

    Raises:
        InputError: `unknown_kind`, or see `registration_from_environment`.
    """
    kind = os.environ.get("DDOAUTH_CLIENT_KIND") or Kind.PRIVATE
    if kind not in set(Kind):
        raise InputError("unknown_kind", f"DDOAUTH_CLIENT_KIND is {kind!r}.")
    return registration_from_environment(site=site, kind=Kind(kind), file=client or None)
