"""Build the URL that asks a customer for consent (RFC 6749 section 4.1.1, RFC 7636 4.3)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from ddoauth_kit.errors import InputError
from ddoauth_kit.oauth.pkce import CHALLENGE_METHOD, PkcePair, new_pkce_pair
from ddoauth_kit.secret import Secret
from ddoauth_kit.sites import DATADOG_SITES, Site, SiteTable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ddoauth_kit.registration import ClientRegistration

AUTHORIZE_PATH = "/oauth2/v1/authorize"


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """Everything that an attempt needs until the redirect arrives.

    `site` is where the attempt starts. `bound` is true if the redirect must name the same site.
    This is the case for an attempt that starts at the tile, but not for one that starts elsewhere,
    because the customer may then choose a region. `app_url` is where the browser goes, with the
    customer's vanity subdomain if there is one. If `names_scopes` is false, the URL has no `scope`,
    and Datadog grants the registered scopes.
    """

    site: Site
    app_url: str
    client_id: str
    redirect_uri: str
    scopes: tuple[str, ...]
    state: Secret
    pkce: PkcePair
    bound: bool
    names_scopes: bool = True

    @property
    def url(self) -> str:
        """Return the URL to open in the browser; it contains `state`, so do not log it."""
        return self._url(self.app_url, self.state.reveal(), self.pkce.challenge.reveal())

    @property
    def shown_url(self) -> str:
        """Return the URL for printing: Datadog's host, and placeholders for state and challenge."""
        base = self.site.public.app_url if self.site.endpoints else self.app_url
        return self._url(base, str(self.state), str(self.pkce.challenge))

    def _url(self, base: str, state: str, challenge: str) -> str:
        query = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": " ".join(self.scopes) if self.names_scopes else "",
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": CHALLENGE_METHOD,
        }
        given = {name: value for name, value in query.items() if value}
        return f"{base}{AUTHORIZE_PATH}?{urlencode(given, safe='<>:/')}"


def authorization_request(  # noqa: PLR0913 - each is a choice of the caller
    registration: ClientRegistration,
    *,
    domain: str = "",
    site_url: str = "",
    sites: SiteTable = DATADOG_SITES,
    redirect_uri: str | None = None,
    scopes: Iterable[str] | None = None,
    name_scopes: bool = True,
) -> AuthorizationRequest:
    """Begin an attempt, either from the tile or from elsewhere.

    For an attempt from the tile, pass the `domain` and `site` that arrived at the onboarding URL:
    the attempt is bound to them. An attempt from elsewhere has neither: it starts at the first of
    the registration's sites that is in the table (US1 if the client works there), and the `domain`
    in the redirect determines where it ends. `scopes` defaults to all registered scopes. With
    `name_scopes=False`, the request leaves `scope` out, as Datadog's own command-line client does,
    and `scopes` is only compared with the grant. Otherwise, a single scope that a site does not
    know would make the whole request fail.

    Raises:
        InputError: `unknown_site`, `unknown_region`, `inconsistent_site`,
            `no_credentials_for_site`, `unregistered_redirect_uri` or `unregistered_scope`.
    """
    site = _starting_site(registration, domain=domain, site_url=site_url, sites=sites)
    return AuthorizationRequest(
        site=site,
        app_url=sites.app_url_for(site, site_url),
        client_id=registration.client_id,
        redirect_uri=_redirect_uri(registration, redirect_uri),
        scopes=_scopes(registration, scopes),
        state=Secret(secrets.token_urlsafe(32), label="state"),
        pkce=new_pkce_pair(),
        bound=bool(domain or site_url),
        names_scopes=name_scopes,
    )


def _starting_site(
    registration: ClientRegistration, *, domain: str, site_url: str, sites: SiteTable
) -> Site:
    if domain:
        return refuse_foreign_site(registration, sites.resolve(domain=domain, site_url=site_url))
    if site_url:
        return refuse_foreign_site(registration, sites.from_site(site_url))
    for site in sites:
        if site.name in registration.sites:
            return site
    what = f"None of the client's sites ({', '.join(registration.sites)}) is in the site table."
    raise InputError("no_credentials_for_site", what)


def refuse_foreign_site(registration: ClientRegistration, site: Site) -> Site:
    """Return the site if the registration's id and secret work there.

    Raises:
        InputError: `no_credentials_for_site`.
    """
    if site.name in registration.sites:
        return site
    good = ", ".join(registration.sites)
    what = f"This {registration.kind} client has no credentials for {site.name}, only for {good}."
    raise InputError("no_credentials_for_site", what)


def _redirect_uri(registration: ClientRegistration, wanted: str | None) -> str:
    registered = registration.redirect_uris
    if wanted is None and registered:
        return registered[0]
    if wanted is not None and wanted in registered:
        return wanted
    what = f"{wanted!r} is not registered." if wanted else "The client has no redirect URI."
    known = f" Registered are: {', '.join(registered)}." if registered else ""
    raise InputError("unregistered_redirect_uri", what + known)


def _scopes(registration: ClientRegistration, wanted: Iterable[str] | None) -> tuple[str, ...]:
    if wanted is None:
        return registration.scopes
    chosen = tuple(dict.fromkeys(wanted))
    foreign = [scope for scope in chosen if scope not in registration.scopes]
    if foreign and registration.scopes:
        what = f"The client is not registered for: {', '.join(foreign)}."
        raise InputError("unregistered_scope", what)
    return chosen
