"""Check a registration and store it: public values in a file, the secret in the store.

The secret is stored first, under its client's name, and then the file is replaced atomically. Even
if the process dies in between, the file names either the old client or the new one, and the store
contains that client's secret.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ddoauth_kit.binder import refuse_on_binder
from ddoauth_kit.errors import InputError
from ddoauth_kit.publishing.hosts import is_for_tests, is_loopback
from ddoauth_kit.registration import Kind, TokenEndpoint
from ddoauth_kit.registration.live import client_file, secret_slot
from ddoauth_kit.registration.redirect_uris import leads_here
from ddoauth_kit.scopes import known_scopes
from ddoauth_kit.sites import DATADOG_SITES
from ddoauth_kit.store import open_store
from ddoauth_kit.store.slots import from_environment
from ddoauth_kit.whole_files import write_setting

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ddoauth_kit.registration import ClientRegistration
    from ddoauth_kit.store import Store

Problem = tuple[str, str, bool]


@dataclass(frozen=True, slots=True)
class SavedRegistration:
    """The stored registration, where it is, and how to use it."""

    client_id: str
    site: str
    file: str
    secret: str
    use: str


def keep_registration(
    registration: ClientRegistration,
    *,
    site: str,
    store: Store | None = None,
    environ: Mapping[str, str] = os.environ,
) -> SavedRegistration:
    """Store a registration for a site: the secret in the store, the rest in a client file.

    With a sandbox's `store`, nothing is written to disk. Real credentials are refused on Binder.
    After an error, you can repeat the call. An existing client file and other clients' secrets are
    unchanged, but this client's secret may already be the new one.

    Raises:
        InputError: `bad_registration`, `no_live_on_binder` or `unknown_site`; `not_stored` or
            `unsafe_store` for the secret, and `registration_not_kept` for everything else.
    """
    site = DATADOG_SITES.named(site).name
    if store is None:
        refuse_on_binder(environ)
    stops = [f"{field}: {what}" for field, what, stop in problems_of(registration) if stop]
    if stops:
        raise InputError("bad_registration", " ".join(stops))
    if store is None:
        return _keep_for_good(registration, site=site, environ=environ)
    store.put(secret_slot(registration, site), registration.secret)
    return SavedRegistration(
        client_id=registration.client_id,
        site=site,
        file="none: credentials of the sandbox are not written to disk",
        secret=f"{registration.secret} in {store.where}",
        use="continue in the sandbox",
    )


def _keep_for_good(
    registration: ClientRegistration, *, site: str, environ: Mapping[str, str]
) -> SavedRegistration:
    path = client_file(site, registration.kind, environ)
    if path is None:
        what = "There is no config folder: the environment names no home folder."
        raise InputError("registration_not_kept", what)
    where = _put(registration, site=site, environ=environ)
    try:
        write_setting(path, _public_part(registration))
    except OSError as error:
        what = (
            f"{path} cannot be written: {error.strerror or error}. The secret is still stored in "
            f"{where}; the client file is unchanged."
        )
        raise InputError("registration_not_kept", what) from None
    return SavedRegistration(
        client_id=registration.client_id,
        site=site,
        file=str(path),
        secret=f"{registration.secret} in {where}",
        use=f'set MODE = "live" and SITE = "{site}", then run the lesson from its first cell',
    )


def _put(registration: ClientRegistration, *, site: str, environ: Mapping[str, str]) -> str:
    """Store the secret, check that a new store object finds it, and return where it is."""
    slot = secret_slot(registration, site)
    chosen = open_store(environ=environ)
    chosen.store.put(slot, registration.secret)
    if open_store(environ=environ).store.get(slot) == registration.secret:
        return chosen.store.where
    variable, _ = from_environment(slot, environ)
    if variable:
        what = (
            f"{variable} in the environment holds another secret, which is read first. This one "
            f"is still stored in {chosen.store.where}."
        )
    else:
        what = f"The secret would go to {chosen.store.where} ({chosen.reason})."
    raise InputError("registration_not_kept", what)


def problems_of(registration: ClientRegistration) -> list[Problem]:
    """Return each problem's field, a sentence, and whether the registration can't be stored."""
    return [*_gaps(registration), *_addresses(registration), *_scopes(registration)]


def _gaps(registration: ClientRegistration) -> list[Problem]:
    needed = {
        "client id": (registration.client_id.strip(),),
        "name": (registration.name.strip(),),
        "redirect URIs": registration.redirect_uris,
        "onboarding URL": (registration.onboarding_url,),
        "scopes": registration.scopes,
    }
    empty = [field for field, values in needed.items() if not any(values)]
    if not registration.client_secret:
        empty.append("client secret")
    odd = [field for field, values in needed.items() if not all(map(str.isprintable, values))]
    return [
        *((field, "is empty.", True) for field in empty),
        *((field, "contains a character that can't be shown.", True) for field in odd),
    ]


def _addresses(registration: ClientRegistration) -> list[Problem]:
    published = registration.kind is Kind.PUBLISHED
    named = [("redirect URI", uri) for uri in registration.redirect_uris]
    if registration.onboarding_url:
        named.append(("onboarding URL", registration.onboarding_url))
    found = []
    for field, url in named:
        host = _host(url)
        if not host or not (url.startswith("https://") or leads_here(url)):
            found.append((field, f"{url} is neither https nor on this machine.", True))
        elif published and is_loopback(host):
            what = f"{url} is on the user's own machine; a published client must not use it."
            found.append((field, what, True))
        elif published and is_for_tests(host):
            what = f"{url} looks like a test address; a published client should not use it."
            found.append((field, what, False))
    uris = registration.redirect_uris
    if uris and not published and not any(map(leads_here, uris)):
        what = "None of them leads to this machine, so you have to paste the redirect."
        found.append(("redirect URIs", what, False))
    return found


def _host(url: str) -> str:
    """Return the host of a URL, or "" for a value that is not allowed in a client file."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return ""
    return host if url.isascii() and " " not in url else ""


def _scopes(registration: ClientRegistration) -> list[Problem]:
    unknown = [scope for scope in registration.scopes if scope not in known_scopes()]
    found = [("scopes", f"{scope} is not a known scope.", False) for scope in unknown]
    if registration.scopes and "api_keys_write" not in registration.scopes:
        found.append(("scopes", "Without api_keys_write, you can't send data.", False))
    return found


def _public_part(registration: ClientRegistration) -> bytes:
    integration: dict[str, object] = {
        "id": registration.client_id,
        "name": registration.name,
        "onboarding_url": registration.onboarding_url,
        "redirect_uris": list(registration.redirect_uris),
        "scopes": list(registration.scopes),
    }
    if registration.token_endpoint is not TokenEndpoint.V2:
        integration["token_endpoint"] = str(registration.token_endpoint)
    return json.dumps({"integration": integration}, indent=2).encode()
