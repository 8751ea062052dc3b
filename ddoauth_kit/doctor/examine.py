"""Run all checks independently, so that a failing check does not hide others."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ddoauth_kit.doctor import client_settings as clients
from ddoauth_kit.doctor.finding import Finding, unknown
from ddoauth_kit.doctor.packages import check_packages, check_python
from ddoauth_kit.doctor.proxy_and_tls import check_proxy, check_tls
from ddoauth_kit.doctor.reachability import check_clock, check_sites, reach
from ddoauth_kit.doctor.secret_stores import (
    check_folder,
    check_keyring_and_store,
    check_official_variables,
)
from ddoauth_kit.doctor.settings import check_names, check_sockets, check_words
from ddoauth_kit.doctor.token_endpoints import check_token_endpoints
from ddoauth_kit.errors import InputError
from ddoauth_kit.sites import DATADOG_SITES, SiteTable
from ddoauth_kit.store import open_store

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def examine(  # noqa: PLR0913 - each is an option of the command
    *,
    names: Sequence[str] = (),
    client: str = "",
    offline: bool = False,
    token_endpoint: bool = False,
    environ: Mapping[str, str] = os.environ,
    sites: SiteTable = DATADOG_SITES,
) -> list[Finding]:
    """Return all findings, ordered from this machine to Datadog.

    `names` lists the sites to reach, by default all; the first one's registration is checked. With
    `offline`, nothing is sent. With `token_endpoint`, an empty form is sent to both token endpoints
    of the registration's own site. None of the checks uses up a token. Testing the store creates
    its folder.

    Raises:
        InputError: `unknown_site`.
    """
    chosen = tuple(sites.named(name) for name in names) or tuple(sites)
    home = names[0] if names else environ.get("DDOAUTH_CLIENT_SITE", "").strip() or "us1"
    official = check_official_variables(environ)
    findings = [
        check_python(),
        *check_packages(),
        *check_words(environ),
        *check_names(environ),
        *check_sockets(environ),
        check_folder(environ),
        *check_keyring_and_store(environ),
        *([official] if official else []),
        check_proxy(environ),
        *check_tls(environ),
        *_client(environ, site=home, client=client),
    ]
    findings = _once(findings)
    if offline:
        step = "run it without --offline"
        return [*findings, unknown("sites and clock", "not checked", step)]
    reached = reach(chosen)
    findings += [*check_sites(reached), check_clock(reached)]
    if not token_endpoint:
        return findings
    registration, _ = clients.find_registration(environ, site=home, client=client)
    if registration is None:
        step = "name a client: the doctor checks only that client's site"
        return [*findings, unknown("token endpoints", "no registration was found", step)]
    return [*findings, *check_token_endpoints(registration, sites=sites)]


def _once(findings: list[Finding]) -> list[Finding]:
    """Drop the finding that something is stored if a later finding says more about it."""
    compared = {each.check for each in findings}
    return [f for f in findings if f.check != "kept" or f"kept: {f.found}" not in compared]


def _client(environ: Mapping[str, str], *, site: str, client: str) -> list[Finding]:
    registration, findings = clients.find_registration(environ, site=site, client=client)
    if registration is None:
        return findings
    findings += clients.check_redirect_uris(registration)
    try:
        findings += clients.check_kept(open_store(environ=environ).store, registration)
    except InputError as error:
        findings.append(unknown("kept grants", error.what, error.advice))
    return findings
