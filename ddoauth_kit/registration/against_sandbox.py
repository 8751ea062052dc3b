"""Point a client at a sandbox on this machine instead of Datadog, but never by accident."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from ddoauth_kit.environment_values import value_of
from ddoauth_kit.errors import InputError
from ddoauth_kit.registration.redirect_uris import LOOPBACK
from ddoauth_kit.sites import DATADOG_SITES, Endpoints, SiteTable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ddoauth_kit.registration.client_registration import ClientRegistration

VARIABLE: Final = "DDOAUTH_SANDBOX"
MINTED: Final = "sandbox-"
# `ddoauth sandbox` sets one of these for a command whose calls to Datadog reach the sandbox.
_BEHIND_FRONT: Final = ("DDOAUTH_FRONT", "DDOAUTH_ISOLATED")


def sandbox_sites(url: str) -> SiteTable:
    """Return Datadog's sites with the addresses of a sandbox at `http://127.0.0.1:PORT`.

    Use the result in `OAuthClient(sites=...)`. The address must not have a path.

    Raises:
        InputError: `bad_sandbox_url`, if the address is not plain http on this machine.
    """
    try:
        parts = urlsplit(url.strip())
        usable = parts.scheme == "http" and parts.hostname in LOOPBACK and bool(parts.port)
    except ValueError:
        usable = False
    if not usable or parts.path.strip("/") or parts.query or parts.fragment or parts.username:
        raise InputError("bad_sandbox_url", f"{url[:100]!a} is not the address of a sandbox.")
    base = f"http://{parts.netloc}"
    return DATADOG_SITES.at(
        {
            name: Endpoints(
                app_url=f"{base}/{name}/app",
                api_url=f"{base}/{name}/api",
                logs_intake_url=f"{base}/{name}/logs",
                events_intake_url=f"{base}/{name}/events",
            )
            for name in DATADOG_SITES.names
        }
    )


def sites_to_use(
    registration: ClientRegistration, environ: Mapping[str, str] = os.environ
) -> SiteTable:
    """Return Datadog's sites, or those of the sandbox that `DDOAUTH_SANDBOX` names.

    A sandbox must not receive real credentials, so a client secret for a sandbox must also come
    from a sandbox. Credentials from a sandbox are not sent to Datadog.

    Raises:
        InputError: `bad_sandbox_url`, `not_sandbox_credentials`, `sandbox_credentials` or
            `missing_client_secret`.
    """
    url = value_of(VARIABLE, environ)
    if not url:
        refuse_sandbox_secret(registration, environ)
        return DATADOG_SITES
    if not registration.secret.reveal().startswith(MINTED):
        what = f"{VARIABLE} names a sandbox, but the client's secret is not a sandbox's secret."
        raise InputError("not_sandbox_credentials", what)
    return sandbox_sites(url)


def refuse_sandbox_secret(
    registration: ClientRegistration, environ: Mapping[str, str] = os.environ
) -> None:
    """Refuse to send Datadog a client secret that a sandbox issued.

    Raises:
        InputError: `sandbox_credentials`, unless calls to Datadog reach a sandbox anyway.
    """
    secret = registration.client_secret
    if secret is None or not secret.reveal().startswith(MINTED):
        return
    if not any(map(environ.get, _BEHIND_FRONT)):
        what = f"The client secret comes from a sandbox, but {VARIABLE} is not set here."
        raise InputError("sandbox_credentials", f"{what} Nothing was sent to Datadog.")
