"""Open the onboarding URL as a browser does after a click on *Test Authorization*."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

from ddoauth_kit.errors import AuthorizationError
from ddoauth_kit.oauth.callback.attempts import ANOTHER
from ddoauth_kit.oauth.client import ONE_PERSON
from ddoauth_kit.workbook.lab.attempt import listener_of
from ddoauth_kit.workbook.lab.backend import Mode
from ddoauth_kit.workbook.lab.in_process import is_in_process
from ddoauth_kit.workbook.lab.scripted_browser import Browser
from ddoauth_kit.workbook.lab.scripted_consent import visit_consent

if TYPE_CHECKING:
    from ddoauth_kit.oauth.authorization_response import AuthorizationResponse
    from ddoauth_kit.oauth.tokens import TokenSet
    from ddoauth_kit.workbook.lab.lab import Lab
    from ddoauth_kit.workbook.lab.scripted_browser import BrowserPage

WAIT: Final = 30.0
REDIRECTS: Final = 10


def arrive_from_datadog(lab: Lab, *, decision: str = "approve") -> TokenSet:
    """Return the tokens from an attempt that runs from the onboarding URL to the listener.

    In the sandbox, a script acts as the browser, and its `decision` is `approve` or `deny`. With
    real Datadog, a person does this, so `lab.connect` is called. A sandbox in this process has no
    listener, so the attempt starts at the consent page, and its redirect is treated like a pasted
    one.

    Raises:
        AuthorizationError: `authorization_refused`, with the text of a page that does not redirect;
        `access_denied` and other codes, for the redirect. TokenError, AnswerError: no tokens were
        issued.
        NetworkError: `no_network`, if nothing serves the pages.
        InputError: `port_not_opened`.
    """
    if lab.backend.mode is Mode.LIVE:
        return lab.connect()
    if is_in_process(lab.site.app_url):
        redirect = visit_consent(lab.authorization_request(), decision=decision)
        return lab.exchange(lab.oauth.receive(redirect, session=ONE_PERSON))
    own: list[str] = []

    def check(response: AuthorizationResponse) -> None:
        """Refuse an attempt that another browser on this machine started at the same address."""
        if not any(map(response.request.state.matches, own)):
            raise AuthorizationError("wrong_state", ANOTHER)

    with listener_of(lab, check=check) as listener:
        arrived = urlencode({"domain": lab.site.domain, "site": lab.site.public.app_url})
        browser = Browser()
        consent, page = _follow(browser, f"{listener.onboarding_url}?{arrived}")
        own.extend(parse_qs(urlsplit(consent).query).get("state", ()))
        _decide(browser, consent, page, decision)
        return listener.wait(WAIT)


def _decide(browser: Browser, consent: str, page: BrowserPage, decision: str) -> None:
    form = next((form for form in page.forms if form.decides), None)
    if form is None:
        raise _refused("There is nothing to consent to on the page", page)
    action = urljoin(consent, form.action)
    answer = browser.open(action, {**form.fields, "decision": decision})
    if not answer.location:
        raise _refused(f"The consent page does not accept {decision[:40]!r}", answer)
    browser.open(urljoin(action, answer.location))


def _follow(browser: Browser, url: str) -> tuple[str, BrowserPage]:
    """Return the final address after all redirects, and its page; give up on endless redirects."""
    page = browser.open(url)
    for _ in range(REDIRECTS):
        if not page.location:
            break
        url = urljoin(url, page.location)
        page = browser.open(url)
    return url, page


def _refused(what: str, page: BrowserPage) -> AuthorizationError:
    return AuthorizationError("authorization_refused", f"{what}.", said=(page.text[:300],))
