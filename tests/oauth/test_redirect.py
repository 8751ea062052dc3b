"""A redirect is parsed once, by a function that never raises, into a value that shows no secret."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders import readable, registration, with_locals

from ddoauth_kit import OAuthClient, Secret
from ddoauth_kit.errors import AuthorizationError
from ddoauth_kit.oauth.redirect import Redirect, read_redirect

URL = (
    "https://acme.example.com/callback?state=canary-state&code=canary-code&domain=datadoghq.com"
    "&site=https%3A%2F%2Fapp.datadoghq.com&dd_oid=o-1&dd_org_name=Acme"
)


def test_every_parameter_has_a_place() -> None:
    """Datadog's values are read by name; missing values are distinguished from empty ones."""
    redirect = read_redirect(URL)
    assert (redirect.state.reveal(), redirect.code.reveal()) == ("canary-state", "canary-code")
    assert (redirect.domain, redirect.site_url) == ("datadoghq.com", "https://app.datadoghq.com")
    assert (redirect.dd_oid, redirect.dd_org_name) == ("o-1", "Acme")
    assert (redirect.client_id, redirect.iss, redirect.fault) == (None, None, None)
    assert read_redirect("state=s&client_id=&iss=").client_id == ""


def test_it_is_frozen_and_shows_no_secret() -> None:
    """The repr has placeholders alone, and nobody changes what came back."""
    redirect = read_redirect(URL)
    assert repr(redirect) == "Redirect(state=<state>, code=<code>, fault=None)"
    with pytest.raises(FrozenInstanceError):
        redirect.domain = "evil.com"  # type: ignore[misc]


def test_the_authorization_url_is_not_a_redirect() -> None:
    """A person may copy the address before the consent: it carries the same state."""
    request = OAuthClient(registration()).begin(session="s")
    assert read_redirect(request.url).fault is not None
    with pytest.raises(AuthorizationError, match="where an attempt begins") as caught:
        read_redirect(request.url).refuse_fault()
    assert caught.value.code == "not_a_redirect"


def test_it_is_parsed_once() -> None:
    """A parsed redirect is passed on unchanged."""
    redirect = read_redirect(URL)
    assert read_redirect(redirect) is redirect


@given(st.text() | st.text(alphabet="&=?%#:/[]a1\0\ud800").map("state=s&".__add__))
def test_no_text_makes_it_raise(text: str) -> None:
    """The problem is a value, because a traceback would contain a frame with the text."""
    redirect = read_redirect(text)
    assert isinstance(redirect, Redirect)


@pytest.mark.checklist("C9")
@pytest.mark.parametrize(
    "text",
    [
        URL,
        URL + "&code=second",
        URL.replace("?", "?bare&"),
        URL + "\u2028",
        URL.replace("state=canary-state&", ""),
        URL + "&x=" + "y" * 20_000,
    ],
    ids=["unknown state", "two codes", "bare word", "not ASCII", "no state", "too long"],
)
def test_no_frame_of_the_client_holds_the_code(text: str) -> None:
    """Whatever is refused, a traceback with all variables doesn't show the code or the state."""
    client = OAuthClient(registration())
    for method in (client.complete, client.receive):
        with pytest.raises(AuthorizationError) as caught:
            method(text, session="s")
        shown = with_locals(caught.value)
        assert not readable("canary-code", shown)
        assert not readable("canary-state", shown)


def test_a_parsed_redirect_is_as_good_as_its_text() -> None:
    """The client accepts the parsed value in place of the text."""
    client = OAuthClient(registration())
    with pytest.raises(AuthorizationError) as caught:
        client.complete(read_redirect(URL), session="s")
    assert caught.value.code == "wrong_state"
    assert read_redirect(URL).code == Secret("canary-code", label="code")
