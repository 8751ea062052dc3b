"""Check the registration, its redirect URIs, and the grants stored for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from ddoauth_kit.doctor.finding import Finding, note, ok, problem, unknown
from ddoauth_kit.environment_values import path_in, value_of
from ddoauth_kit.errors import InputError
from ddoauth_kit.oauth.callback import callback_pages
from ddoauth_kit.oauth.callback.addresses import registered_address
from ddoauth_kit.oauth.callback.loopback_server import LoopbackServer
from ddoauth_kit.oauth.grant_record import read
from ddoauth_kit.publishing.hosts import is_loopback
from ddoauth_kit.registration import ClientRegistration, registration_from_file, with_environment
from ddoauth_kit.registration.against_sandbox import VARIABLE, refuse_sandbox_secret
from ddoauth_kit.registration.live import live_registration
from ddoauth_kit.sites import DATADOG_SITES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ddoauth_kit.secret import Secret
    from ddoauth_kit.store import Slot, Store

_IDS: Final = ("DDOAUTH_CLIENT_ID", "DDOAUTH_PUBLISHED_CLIENT_ID")
_NOT_FOUND: Final = 404
_FIRST_FREE: Final = 1024


def find_registration(
    environ: Mapping[str, str], *, site: str, client: str
) -> tuple[ClientRegistration | None, list[Finding]]:
    """Return the registration that the commands would use, if any, along with findings about it."""
    try:
        registration = _registration(environ, site=site, client=client)
    except InputError as error:
        return None, [problem("registration", error.what, error.advice)]
    if registration is None:
        step = "for live mode, set DDOAUTH_CLIENT_ID and DDOAUTH_CLIENT_SECRET, or use lesson 09"
        found = "no client in the environment or in the store; the sandbox works without one"
        return None, [note("registration", found, step)]
    shown = f"{registration.kind} client {registration.name or registration.client_id}"
    findings = [ok("registration", f"{shown}, for {', '.join(registration.sites)}")]
    findings += [note("registration", text) for text in registration.warnings]
    try:
        if not value_of(VARIABLE, environ):
            refuse_sandbox_secret(registration, environ)
    except InputError as error:
        findings.append(problem("client secret", error.what, error.advice))
    if registration.client_secret is None:
        step = "set DDOAUTH_CLIENT_SECRET or DDOAUTH_PUBLISHED_CLIENT_SECRET"
        findings.append(note("client secret", "none", step))
    return registration, findings


def check_redirect_uris(registration: ClientRegistration) -> Iterator[Finding]:
    """Try to open the port of each loopback redirect URI, as the listener would."""
    if not registration.redirect_uris:
        yield problem("redirect URI", "none", "register one, and set DDOAUTH_REDIRECT_URIS")
    for uri in registration.redirect_uris:
        if is_loopback(urlsplit(uri).hostname or ""):
            yield _listened(registration, uri)
        else:
            step = "connect once, or run `ddoauth grade` against your server"
            yield unknown(
                f"redirect URI {uri}", "on your own host, which the doctor doesn't test", step
            )


def check_kept(store: Store, registration: ClientRegistration) -> Iterator[Finding]:
    """Compare the grants stored for the registration's client with its sites and scopes."""
    for slot in store.slots():
        if slot.client_id != registration.client_id:
            step = f"if it is old, delete it: `ddoauth store --forget {slot.name}`"
            yield note(f"kept: {slot}", "it belongs to another client", step)
        elif slot.site not in registration.sites:
            good = ", ".join(registration.sites)
            step = (
                f"delete it (`ddoauth store --forget {slot.name}`), or use the registration of "
                "that site"
            )
            yield problem(f"kept: {slot}", f"the registration works only on {good}", step)
        elif slot.kind == "grant":
            yield _grant(slot, store.get(slot), registration)


def _grant(slot: Slot, secret: Secret | None, registration: ClientRegistration) -> Finding:
    check = f"kept: {slot}"
    if secret is None:
        return ok(check, "no longer there")
    try:
        tokens = read(secret, sites=DATADOG_SITES).tokens
    except InputError as error:
        return problem(check, error.what, "delete it and authorize again")
    if (tokens.site.name, tokens.client_id) != (slot.site, slot.client_id):
        return problem(check, "it contains a grant of another site or client", "forget it")
    lost = [scope for scope in registration.scopes if scope not in tokens.scopes]
    if lost:
        step = "authorize again, or ask the customer's administrator why they were not granted"
        return note(check, f"it lacks {', '.join(lost)} of the registration's scopes", step)
    return ok(check, "site and scopes match the registration")


def _registration(
    environ: Mapping[str, str], *, site: str, client: str
) -> ClientRegistration | None:
    """Read the client as the commands do; return None if no setting names a client."""
    try:
        return live_registration(site, client=client, environ=environ)
    except InputError as error:
        if error.code != "missing_client_id" or any(_named(environ)):
            raise
    file = client or path_in("DDOAUTH_CLIENT_FILE", environ)
    return with_environment(registration_from_file(file), environ) if file else None


def _named(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield the variables that name a client; an empty variable counts as unset."""
    return (name for name in environ if name.startswith(_IDS) and environ[name].strip())


def _is_number(uri: str) -> bool:
    host = urlsplit(uri).hostname or ""
    return host != "localhost" and is_loopback(host)


def _listened(registration: ClientRegistration, uri: str) -> Finding:
    check = f"redirect URI {uri}"
    try:
        address = registered_address(registration, redirect_uri=uri)
        LoopbackServer(
            address.hosts,
            port=address.port,
            respond=lambda _: callback_pages.refusal(_NOT_FOUND),
            refuse=callback_pages.refusal,
        ).close()
    except InputError as error:
        port = urlsplit(uri).port or 80
        if error.code != "port_not_opened":
            step = error.advice
        elif port < _FIRST_FREE:
            step = "register a port of 1024 or higher: lower ports are reserved for administrators"
        else:
            step = f"stop the program that uses port {port}, or register another port as well"
        return problem(check, error.what, step)
    if address.name == "localhost" and not any(map(_is_number, registration.redirect_uris)):
        step = "also register http://127.0.0.1: `localhost` may resolve to another address"
        return note(check, f"port {address.port} is free", step)
    return ok(check, f"port {address.port} is free")
