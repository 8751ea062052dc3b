"""An arrival from Datadog leads to tokens or at once to a sentence, and the next one works."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.loopback import Answer
from support.visitors import Person

from ddoauth_kit.errors import AuthorizationError, DdoauthError, NetworkError
from ddoauth_kit.workbook import Lab, open_sandbox_lab
from ddoauth_kit.workbook.lab.scripted_browser import Browser, BrowserPage
from ddoauth_kit.workbook.own_app.arrival import REDIRECTS, WAIT, arrive_from_datadog

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.loopback import RecordingServer

    Serve = Callable[..., RecordingServer]


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Open a lab on EU1."""
    with open_sandbox_lab("eu1") as lab:
        yield lab


def refused(lab: Lab, **choices: str) -> DdoauthError:
    """Return the reason for missing tokens, which must be reported long before the wait is over."""
    begun = time.monotonic()
    with pytest.raises(DdoauthError) as caught:
        arrive_from_datadog(lab, **choices)
    assert time.monotonic() - begun < WAIT / 3
    assert caught.value.advice
    return caught.value


def still_works(lab: Lab) -> None:
    """Check that the failed attempt leaves nothing in the way."""
    tokens = arrive_from_datadog(lab)
    assert (tokens.site.name, tokens.client_id) == ("eu1", lab.registration.client_id)


def at_the_app_host(lab: Lab, server: RecordingServer) -> None:
    """Let another server respond in place of the consent page."""
    site = lab.oauth.sites.named("eu1")
    other = replace(site, endpoints=replace(site.endpoints, app_url=server.url))
    lab.oauth.sites = lab.oauth.sites.with_site(other)


def test_tokens_are_of_the_site_that_was_arrived_from(lab: Lab) -> None:
    """Each lab arrives from its own site, and stores the tokens as its cells do."""
    still_works(lab)
    assert arrive_from_datadog(lab.on("us5")).site.name == "us5"
    assert lab.connect().site.name == "eu1"


def test_the_listener_is_what_answers(lab: Lab) -> None:
    """Each arrival registers an address of this machine that was free, and leaves it closed."""
    before = lab.registration.redirect_uris
    arrive_from_datadog(lab)
    (new,) = set(lab.registration.redirect_uris) - set(before)
    assert new.startswith("http://127.0.0.1:")


def test_denied(lab: Lab) -> None:
    """A no comes back by the listener, with Datadog's word for it."""
    error = refused(lab, decision="deny")
    assert (error.code, type(error)) == ("access_denied", AuthorizationError)
    still_works(lab)


@pytest.mark.parametrize("decision", ["maybe", "", "APPROVE", "x" * 1000])
def test_an_unknown_decision(lab: Lab, decision: str) -> None:
    """The consent page refuses it; its words are reported, and nobody waits for a redirect."""
    error = refused(lab, decision=decision)
    assert error.code == "authorization_refused"
    assert "Choose Authorize or Deny." in str(error)
    assert len(error.what) < 120
    still_works(lab)


def test_a_site_for_which_there_are_no_credentials(lab: Lab) -> None:
    """A client on a site without credentials is refused by its own onboarding URL."""
    lab.oauth.registration = replace(lab.oauth.registration, sites=("eu1",))
    elsewhere = Lab(replace(lab.backend, site=lab.oauth.sites.named("us5"), owned=False))
    error = refused(elsewhere)
    assert error.code == "authorization_refused"
    assert "Reason: no credentials for site." in str(error)


@pytest.mark.checklist("L9")
@pytest.mark.parametrize("site", ["datadoghq.com", "datadoghq.eu"])
def test_a_stranger_who_is_faster_is_refused(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, site: str
) -> None:
    """An attempt that another browser starts at the same address is not exchanged or stored."""
    open_page = Browser.open
    strangers: list[BrowserPage] = []

    def interrupted(self: Browser, url: str, form: dict[str, str] | None = None) -> BrowserPage:
        if "/oauth/callback?" in url and not strangers:
            strangers.append(BrowserPage(0, "", ""))
            origin = url.partition("/oauth/callback")[0]
            strangers.append(Person().finish(f"{origin}/onboarding?domain={site}"))
        return open_page(self, url, form)

    monkeypatch.setattr(Browser, "open", interrupted)
    error = refused(lab)
    assert error.code == "wrong_state"
    assert strangers[1].status == 400
    assert not any(each.purpose == "token exchange" for each in lab.transcript)
    still_works(lab)


def test_a_client_that_the_site_does_not_know(lab: Lab) -> None:
    """Datadog shows its own page, from which nothing leads back."""
    good = lab.oauth.registration
    lab.oauth.registration = replace(good, client_id="nobody")
    assert "Invalid client_id parameter value" in str(refused(lab))
    lab.oauth.registration = good
    still_works(lab)


def test_a_page_that_asks_for_no_consent(lab: Lab, serve: Serve) -> None:
    """A page with other forms is quoted, without its style sheet, and none of them is sent."""
    page = "<style>p { color: red }</style><p>Sign in first<form action=/login><input name=u>"
    server = serve(Answer(page, headers=(("content-type", "text/html"),)))
    sites = lab.oauth.sites
    at_the_app_host(lab, server)
    error = refused(lab)
    assert error.code == "authorization_refused"
    assert "nothing to consent" in error.what
    assert "said: Sign in first." in str(error)
    assert [arrived.method for arrived in server.arrived] == ["GET"]
    lab.oauth.sites = sites
    still_works(lab)


def test_redirects_without_an_end(lab: Lab, serve: Serve) -> None:
    """The browser gives up on a page that redirects to itself, as real ones do."""
    server = serve(Answer("round", status=302, headers=(("location", "/round"),)))
    at_the_app_host(lab, server)
    assert refused(lab).code == "authorization_refused"
    assert len(server.arrived) == REDIRECTS


def test_pages_that_are_gone(lab: Lab, serve: Serve) -> None:
    """If nothing serves the consent page any more, the error says so."""
    server = serve()
    sites = lab.oauth.sites
    at_the_app_host(lab, server)
    server.close()
    error = refused(lab)
    assert (error.code, type(error)) == ("no_network", NetworkError)
    lab.oauth.sites = sites
    still_works(lab)


@pytest.mark.parametrize("decision", ["approve", "deny"])
def test_without_a_listener_the_redirect_is_taken(decision: str) -> None:
    """In process nothing can come back to a listener; the customer's decision counts the same."""
    with open_sandbox_lab(in_process=True) as lab:
        if decision == "deny":
            assert refused(lab, decision=decision).code == "access_denied"
        else:
            assert lab.current_user(arrive_from_datadog(lab)).status == 200
