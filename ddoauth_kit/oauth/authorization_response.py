"""Read the redirect that ends an authorization, and check all of its parameters.

See RFC 6749 sections 4.1.2 and 10.12, RFC 9700 section 4.4, and RFC 9207 section 2.4. `domain`
determines where the client secret goes next, so every deviation is refused before any request.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ddoauth_kit.errors import AuthorizationError, InputError
from ddoauth_kit.oauth.authorization_request import AuthorizationRequest, refuse_foreign_site
from ddoauth_kit.oauth.redirect import Redirect, printable, read_redirect
from ddoauth_kit.sites import DATADOG_SITES, Site, SiteTable

if TYPE_CHECKING:
    from ddoauth_kit.registration import ClientRegistration
    from ddoauth_kit.secret import Secret

_ERROR_CODES: Final = frozenset({"access_denied", "invalid_scope"})


@dataclass(frozen=True, slots=True)
class AuthorizationResponse:
    """A checked redirect: the request that it responds to, the code, and the code's site.

    `dd_oid` is the organization's public UUID and `dd_org_name` its name. Datadog documents neither
    of them, so display them, but don't base decisions on them.
    """

    request: AuthorizationRequest
    code: Secret
    site: Site
    dd_oid: str = ""
    dd_org_name: str = ""

    @property
    def organization(self) -> str:
        """Return a sentence that contains the organization's name from the redirect."""
        named = " ".join(filter(None, (self.dd_org_name, f"({self.dd_oid})")))
        given = named if self.dd_oid or self.dd_org_name else "that the redirect does not name"
        return f"Consent came from the organization {given} on {self.site.domain}."


def read_authorization_response(
    redirect: str | bytes | Redirect,
    *,
    request: AuthorizationRequest,
    registration: ClientRegistration,
    sites: SiteTable = DATADOG_SITES,
) -> AuthorizationResponse:
    """Check the URL of the redirect, and return its code and site.

    `redirect` is a URL, a path with its query, or the query alone, parsed or not. `state` proves
    where it comes from; everything before the `?` is ignored, because a proxy may change it.

    Raises:
        AuthorizationError: the redirect reports an error (`access_denied`, `invalid_scope`,
        `authorization_refused`) or is itself not valid.
    """
    redirect = read_redirect(redirect)
    redirect.refuse_fault()
    if not request.state.matches(redirect.state.reveal()):
        raise AuthorizationError("wrong_state", "The redirect's `state` is not this attempt's.")
    _check_client(redirect, request)
    site = _site(redirect, request, registration, sites)
    if redirect.error:
        raise _reported_error(redirect)
    if not redirect.code:
        raise AuthorizationError("missing_code", "The redirect has neither `code` nor `error`.")
    return AuthorizationResponse(
        request=request,
        code=redirect.code,
        site=site,
        dd_oid=redirect.dd_oid,
        dd_org_name=redirect.dd_org_name,
    )


def _check_client(redirect: Redirect, request: AuthorizationRequest) -> None:
    named = redirect.client_id
    if named is not None and named != request.client_id:
        what = f"The redirect names another client: {printable(named)!r}."
        raise AuthorizationError("wrong_client_id", what)


def _site(
    redirect: Redirect,
    request: AuthorizationRequest,
    registration: ClientRegistration,
    sites: SiteTable,
) -> Site:
    """Return the site that `domain` names if this attempt may end there."""
    if redirect.domain:
        site = _listed(redirect.domain, redirect.site_url, registration, sites)
    elif redirect.error:
        site = request.site
    else:
        raise AuthorizationError("missing_domain", "The redirect has no `domain`.")
    if request.bound and site.name != request.site.name:
        what = (
            f"The attempt began on {request.site.domain}, but the redirect says `domain` is "
            f"{site.domain}."
        )
        raise AuthorizationError("domain_changed", what)
    if redirect.iss is not None and redirect.iss != site.issuer:
        what = f"`iss` is {printable(redirect.iss)!r}, expected {site.issuer!r}."
        raise AuthorizationError("wrong_issuer", what)
    return site


def _listed(domain: str, site_url: str, registration: ClientRegistration, sites: SiteTable) -> Site:
    try:
        return refuse_foreign_site(registration, sites.resolve(domain=domain, site_url=site_url))
    except InputError as error:
        code = "foreign_domain" if error.code == "unknown_site" else error.code
        raise AuthorizationError(code, error.what) from None


def _reported_error(redirect: Redirect) -> AuthorizationError:
    """Convert RFC 6749's error parameters to an error; the description may be empty."""
    code = redirect.error if redirect.error in _ERROR_CODES else "authorization_refused"
    what = {
        "access_denied": "The customer did not consent.",
        "invalid_scope": "The authorization request asks for a scope that can't be granted.",
    }.get(code, "Datadog refused the authorization request.")
    said = f"{redirect.error}: {redirect.error_description}".rstrip(": ")
    return AuthorizationError(code, what, said=(said,))
