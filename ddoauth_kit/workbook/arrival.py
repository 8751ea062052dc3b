"""Arrive at the onboarding URL as the button *Test Authorization* sends a browser there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode, urljoin

from ddoauth_kit.errors import AuthorizationError
from ddoauth_kit.workbook.browser import Browser
from ddoauth_kit.workbook.listening import listener_of
from ddoauth_kit.workbook.parts import Mode

if TYPE_CHECKING:
    from ddoauth_kit.oauth.tokens import TokenSet
    from ddoauth_kit.workbook.steps import Lab

WAIT: Final = 30.0


def arrive_from_datadog(lab: Lab, *, decision: str = "approve") -> TokenSet:
    """Return the tokens of an attempt that began at the onboarding URL and ended at the listener.

    In the sandbox a script is the browser, and its `decision` is `approve` or `deny`; with real
    Datadog a person is, so it is `lab.connect`.

    Raises:
        AuthorizationError, TokenError, AnswerError, NetworkError: there are no tokens.
        InputError: `port_not_opened`.
    """
    if lab.parts.mode is Mode.LIVE:
        return lab.connect()
    with listener_of(lab) as listener:
        arrived = urlencode({"domain": lab.site.domain, "site": lab.site.public.app_url})
        _click_through(f"{listener.onboarding_url}?{arrived}", decision)
        return listener.wait(WAIT)


def _click_through(url: str, decision: str) -> None:
    browser = Browser()
    consent, page = url, browser.open(url)
    while page.location:
        consent = urljoin(consent, page.location)
        page = browser.open(consent)
    form = next((form for form in page.forms if form.decides), None)
    if form is None:
        what = "The consent page cannot be used."
        raise AuthorizationError("authorization_refused", what, said=(page.text[:200],))
    action = urljoin(consent, form.action)
    answer = browser.open(action, {**form.fields, "decision": decision})
    browser.open(urljoin(action, answer.location))
