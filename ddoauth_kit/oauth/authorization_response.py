"""Read the redirect that ends an authorization, and believe nothing in it unchecked.

RFC 6749 sections 4.1.2 and 10.12, RFC 9700 section 4.4, RFC 9207 section 2.4. `domain` decides
where the client secret goes next, so every deviation is refused before any request.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ddoauth_kit.errors import AuthorizationError, InputError
from ddoauth_kit.oauth.authorization_request import AuthorizationRequest, refuse_foreign_site
from ddoauth_kit.oauth.redirect_query import redirect_pairs, without_quotes
from ddoauth_kit.secret import Secret
from ddoauth_kit.sites import DATADOG_SITES, Site, SiteTable

if TYPE_CHECKING:
    from ddoauth_kit.registration import ClientRegistration

MAX_REDIRECT_LENGTH: Final = 16 * 1024
_SHOWN: Final = 200
_ERROR_CODES: Final = frozenset({"access_denied", "invalid_scope"})
# What RFC 6749, RFC 9207 and Datadog put into an answer; the redirect URI's own may repeat.
_ONCE: Final = frozenset(
    {
        "client_id",
        "code",
        "dd_oid",
        "dd_org_name",
        "domain",
        "error",
        "error_description",
        "error_uri",
        "iss",
        "scope",
        "site",
        "state",
    }
)


@dataclass(frozen=True, slots=True)
class AuthorizationResponse:
    """Hold a checked redirect: the request it answers, the code, and the site the code is good on.

    `dd_oid` is the organization's public UUID and `dd_org_name` its name. Datadog documents
    neither; they are kept for display and must not decide anything.
    """

    request: AuthorizationRequest
    code: Secret
    site: Site
    dd_oid: str = ""
    dd_org_name: str = ""


def state_of(redirect: str) -> str:
    """Return the one `state` of a redirect, to find the attempt that it answers.

    Raises:
        AuthorizationError: `not_a_redirect`, `duplicate_parameter` or `missing_state`.
    """
    parameters = _parameters(redirect)
    state = parameters.get("state", "")
    if not state:
        error = printable(parameters.get("error", ""))
        what = "The redirect has no `state`" + (f" (it says error={error})." if error else ".")
        raise AuthorizationError("missing_state", what)
    return state


def read_authorization_response(
    redirect: str,
    *,
    request: AuthorizationRequest,
    registration: ClientRegistration,
    sites: SiteTable = DATADOG_SITES,
) -> AuthorizationResponse:
    """Check the URL that the browser was sent to, and return its code and site.

    `redirect` is a URL, a path with its query, or the query alone: `state` is the proof, and a
    proxy may change everything before the `?`.

    Raises:
        AuthorizationError: the error that the redirect reports (`access_denied`,
            `invalid_scope`, `authorization_refused`), or what is wrong with the redirect itself.
    """
    parameters = _parameters(redirect)
    if not request.state.matches(state_of(redirect)):
        raise AuthorizationError("wrong_state", "The redirect's `state` is not this attempt's.")
    _check_client(parameters, request)
    site = _site(parameters, request, registration, sites)
    if parameters.get("error"):
        raise _reported_error(parameters)
    if not parameters.get("code"):
        raise AuthorizationError("missing_code", "The redirect has neither `code` nor `error`.")
    return AuthorizationResponse(
        request=request,
        code=Secret(parameters["code"], label="code"),
        site=site,
        dd_oid=printable(parameters.get("dd_oid", "")),
        dd_org_name=printable(parameters.get("dd_org_name", "")),
    )


def printable(text: str) -> str:
    """Return text from outside without control characters, cut to 200 characters."""
    return "".join(c for c in text[:_SHOWN] if c.isprintable())


def _parameters(redirect: str) -> dict[str, str]:
    """Return the query's parameters; an answer's own may come once (RFC 6749 section 3.1)."""
    if len(redirect) > MAX_REDIRECT_LENGTH:
        raise AuthorizationError("not_a_redirect", "The redirect is too long to be one.")
    if not without_quotes(redirect).isascii():
        raise AuthorizationError("not_a_redirect", "The redirect holds what no URL can hold.")
    pairs = _pairs(redirect)
    if "response_type" in dict(pairs):
        what = "The text is the authorization URL, not the address that the browser ends on."
        raise AuthorizationError("not_a_redirect", what)
    names = [name for name, _ in pairs]
    twice = sorted(name for name in _ONCE if names.count(name) > 1)
    if twice:
        what = f"The redirect carries more than one {', '.join(f'`{name}`' for name in twice)}."
        raise AuthorizationError("duplicate_parameter", what)
    return dict(pairs)


def _pairs(redirect: str) -> list[tuple[str, str]]:
    try:
        return redirect_pairs(redirect)
    except ValueError:
        what = "The text is not a redirect: it has no readable query."
        raise AuthorizationError("not_a_redirect", what) from None


def _check_client(parameters: dict[str, str], request: AuthorizationRequest) -> None:
    client_id = parameters.get("client_id")
    if client_id is not None and client_id != request.client_id:
        what = f"The redirect names another client: {printable(client_id)!r}."
        raise AuthorizationError("wrong_client_id", what)


def _site(
    parameters: dict[str, str],
    request: AuthorizationRequest,
    registration: ClientRegistration,
    sites: SiteTable,
) -> Site:
    """Return the site that `domain` names, if it may be the end of this attempt."""
    domain = parameters.get("domain", "")
    if domain:
        site = _listed(domain, parameters.get("site", ""), registration, sites)
    elif parameters.get("error"):
        site = request.site
    else:
        raise AuthorizationError("missing_domain", "The redirect does not say its `domain`.")
    if request.bound and site.name != request.site.name:
        what = (
            f"The attempt began on {request.site.domain}, but the redirect says `domain` is "
            f"{site.domain}."
        )
        raise AuthorizationError("domain_changed", what)
    issuer = parameters.get("iss", site.issuer)
    if issuer != site.issuer:
        what = f"`iss` is {printable(issuer)!r}, expected {site.issuer!r}."
        raise AuthorizationError("wrong_issuer", what)
    return site


def _listed(domain: str, site_url: str, registration: ClientRegistration, sites: SiteTable) -> Site:
    try:
        return refuse_foreign_site(registration, sites.resolve(domain=domain, site_url=site_url))
    except InputError as error:
        code = "foreign_domain" if error.code == "unknown_site" else error.code
        raise AuthorizationError(code, error.what) from None


def _reported_error(parameters: dict[str, str]) -> AuthorizationError:
    """Turn RFC 6749's error parameters into an error; the description may be empty."""
    error = printable(parameters["error"])
    description = printable(parameters.get("error_description", ""))
    code = error if error in _ERROR_CODES else "authorization_refused"
    what = {
        "access_denied": "The customer did not give consent.",
        "invalid_scope": "The authorization request asks for a scope that cannot be granted.",
    }.get(code, "Datadog refused the authorization request.")
    return AuthorizationError(code, what, said=(f"{error}: {description}".rstrip(": "),))
