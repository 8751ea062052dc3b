"""Find out which of a site's two token endpoints responds, without sending any credentials."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ddoauth_kit.doctor.finding import Finding, note, ok, problem, unknown
from ddoauth_kit.errors import DdoauthError
from ddoauth_kit.http.answers import oauth_error
from ddoauth_kit.http.message import Request
from ddoauth_kit.http.sender import Http
from ddoauth_kit.registration import TokenEndpoint
from ddoauth_kit.sites import Host

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ddoauth_kit.registration import ClientRegistration
    from ddoauth_kit.sites import Site, SiteTable

PATIENCE: Final = 4.0
_MISSING: Final = frozenset({404, 405})
_REFUSED: Final = frozenset({400, 401})


def check_token_endpoints(
    registration: ClientRegistration, *, sites: SiteTable
) -> Iterator[Finding]:
    """Post an empty form to each endpoint of the registration's first site.

    An empty form doesn't contain a client or a code, so it can't use anything up.
    """
    site = next((site for site in sites if site.name in registration.sites), None)
    if site is None:
        step = "use a client of a site in the table"
        yield unknown("token endpoints", "no site of the registration is in the table", step)
        return
    with Http(timeout=PATIENCE, deadline=PATIENCE) as http:
        for endpoint in TokenEndpoint:
            yield _check(http, site, endpoint, used=endpoint is registration.token_endpoint)


def _check(http: Http, site: Site, endpoint: TokenEndpoint, *, used: bool) -> Finding:
    check = f"token endpoint {endpoint}{' (in use)' if used else ''}"
    address = site.shown_url(Host.API, endpoint.path)
    request = Request(
        purpose="question whether the token endpoint answers",
        method="POST",
        site=site,
        host=Host.API,
        path=endpoint.path,
        form=(),
    )
    try:
        answer = http.send(request)
    except DdoauthError as error:
        return unknown(check, error.what, "check the connection and the proxy settings")
    if answer.status in _MISSING:
        step = (
            "set DDOAUTH_TOKEN_ENDPOINT, or the registration's `token_endpoint`, to the other one"
        )
        found = f"{address} does not exist ({answer.status})"
        return problem(check, found, step) if used else note(check, found)
    code, texts = oauth_error(answer)
    if answer.status in _REFUSED and (code or texts):
        return ok(check, f"{address} answers as a token endpoint ({answer.status})")
    found = f"{address} answers {answer.status}, which proves nothing"
    return unknown(
        check, found, "check Datadog's status page, and whether a proxy intercepts the request"
    )
