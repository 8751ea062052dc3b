"""Click through the consent page without a person, over real sockets, as a browser would.

This module handles the form, cookie and CSRF token of the sandbox's pages. It must not
be used on Datadog's real pages, which are for people.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode, urljoin

from ddoauth_kit.errors import AuthorizationError
from ddoauth_kit.workbook.lab.scripted_browser import Browser

if TYPE_CHECKING:
    from ddoauth_kit.oauth.authorization_request import AuthorizationRequest
    from ddoauth_kit.workbook.lab.scripted_browser import BrowserPage

_REDIRECTS: Final = range(300, 400)
_PAGE_ERRORS: Final = {
    "Invalid client_id parameter value": "invalid_client_id",
    "Mismatching redirect URI": "mismatching_redirect_uri",
}


def visit_consent(
    request: AuthorizationRequest,
    *,
    decision: str = "approve",
    organization: str = "",
    region: str = "",
) -> str:
    """Open the authorization URL, decide, and return the redirect that follows.

    `decision` is `approve` or `deny`. `organization` is the `dd_oid` of the organization to act
    for; the default is the site's first organization. `region` is the name of another site that the
    customer chooses while consenting.

    Raises:
        AuthorizationError: `invalid_client_id`, `mismatching_redirect_uri` or
            `authorization_refused`: the server showed an error page instead of redirecting.
        NetworkError: `no_network`: the sandbox that the request belongs to has stopped.
    """
    browser = Browser()
    url = f"{request.url}&{urlencode({'dd_oid': organization})}" if organization else request.url
    page = browser.open(url)
    if page.status in _REDIRECTS:
        return page.location
    form = next((form for form in page.forms if form.decides), None)
    if form is None:
        raise _refused(page)
    chosen = {"decision": decision, **({"region": region} if region else {})}
    page = browser.open(urljoin(url, form.action), {**form.fields, **chosen})
    if page.status not in _REDIRECTS:
        raise _refused(page)
    return page.location


def _refused(page: BrowserPage) -> AuthorizationError:
    """Return the error for a page that Datadog shows instead of redirecting."""
    for words, code in _PAGE_ERRORS.items():
        if words in page.text:
            what = "Datadog shows an error page and does not redirect."
            return AuthorizationError(code, what, said=(f"invalid_request - {words}",))
    what = "The authorization page can't be used."
    return AuthorizationError("authorization_refused", what, said=(page.text[:200],))
