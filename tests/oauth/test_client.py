"""One object takes a registration through the flow, and sends only what it should."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from support.builders import (
    ACCESS_TOKEN,
    CLIENT_SECRET,
    NOW,
    REFRESH_TOKEN,
    readable,
    redirect,
    registration,
    tokens,
    with_locals,
)
from support.hostile import HOSTILE_DOMAINS, HOSTILE_SITES
from support.loopback import Answer

from ddoauth_kit import DATADOG_SITES, OAuthClient
from ddoauth_kit.errors import AnswerError, AuthorizationError, InputError, TokenError
from ddoauth_kit.oauth.pending import PendingAuthorizations

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.loopback import RecordingServer

    from ddoauth_kit import Http

    Serve = Callable[..., RecordingServer]

GOOD = Answer(
    json.dumps({"access_token": ACCESS_TOKEN, "refresh_token": REFRESH_TOKEN, "expires_in": 60})
)
REFUSED = Answer('{"errors": ["invalid_grant - no"]}', 400)


def _client(http: Http, server: RecordingServer) -> OAuthClient:
    """Return a client for which every listed site, and so every request, is the server."""
    endpoints = server.site.endpoints
    sites = DATADOG_SITES.at(dict.fromkeys(DATADOG_SITES.names, endpoints)).with_site(server.site)
    client = registration(sites=sites.names)
    return OAuthClient(client, sites=sites, http=http, clock=lambda: NOW)


@pytest.mark.checklist("C7")
def test_the_whole_flow(http: Http, serve: Serve) -> None:
    """Begin, complete, refresh, revoke: four requests, each as the protocol requires."""
    server = serve(GOOD)
    client = _client(http, server)
    request = client.begin(domain="us3.datadoghq.com", session="s")
    grant = client.complete(redirect(request), session="s")
    assert grant.site.name == "us3"
    assert grant.seconds_left(NOW) == 60
    client.revoke(client.refresh(grant))
    assert [arrived.target for arrived in server.arrived] == [
        "/api/v2/oauth2/token",
        "/api/v2/oauth2/token",
        "/oauth2/v1/revoke",
        "/oauth2/v1/revoke",
    ]
    exchange, refresh, first, second = (arrived.form for arrived in server.arrived)
    assert exchange == {
        "grant_type": "authorization_code",
        "client_id": client.registration.client_id,
        "client_secret": CLIENT_SECRET,
        "redirect_uri": request.redirect_uri,
        "code_verifier": request.pkce.verifier.reveal(),
        "code": "canary-code",
    }
    assert (refresh["grant_type"], refresh["refresh_token"]) == ("refresh_token", REFRESH_TOKEN)
    assert (first["token_type_hint"], second["token"]) == ("refresh_token", ACCESS_TOKEN)
    assert len(client.pending) == 0


HOSTILE_REDIRECTS: tuple[dict[str, Any], ...] = (
    *({"domain": domain} for domain in HOSTILE_DOMAINS),
    *({"site": site} for site in HOSTILE_SITES),
    *({"domain": domain, "site": None} for domain in HOSTILE_DOMAINS[:5]),
    *({"domain": site, "site": site} for site in HOSTILE_SITES[:5]),
    {"domain": None},
    {"domain": "datadoghq.eu", "site": "https://app.datadoghq.com"},
    {"domain": "us3.datadoghq.com", "site": "https://us5.datadoghq.com"},
)


def _assert_spent(client: OAuthClient, changes: dict[str, Any]) -> None:
    url = redirect(client.begin(session="s"), **changes)
    for expected in ({"foreign_domain", "missing_domain", "inconsistent_site"}, {"wrong_state"}):
        with pytest.raises(AuthorizationError) as caught:
            client.complete(url, session="s")
        assert caught.value.code in expected
        assert "canary" not in str(caught.value) + with_locals(caught.value)


@pytest.mark.checklist("C1")
def test_a_hostile_redirect_sends_nothing(http: Http, serve: Serve) -> None:
    """Zero requests arrive, each attempt is spent, and the next one works."""
    server = serve(GOOD)
    client = _client(http, server)
    for changes in HOSTILE_REDIRECTS:
        _assert_spent(client, changes)
        assert server.arrived == [], changes
    assert len(http.transcript) == 0
    assert client.complete(redirect(client.begin(session="s")), session="s").site.name == "us1"
    assert len(server.arrived) == 1


def _assert_unknown(client: OAuthClient, *, domain: str = "", site_url: str = "") -> None:
    with pytest.raises(InputError) as caught:
        client.begin(domain=domain, site_url=site_url, session="s")
    assert caught.value.code == "unknown_site"
    assert len(client.pending) == 0  # type: ignore[arg-type]


@pytest.mark.checklist("C1")
def test_a_hostile_start_begins_nothing(http: Http, serve: Serve) -> None:
    """A forged onboarding link leaves no attempt behind and sends nothing."""
    server = serve(GOOD)
    client = _client(http, server)
    for domain in HOSTILE_DOMAINS:
        _assert_unknown(client, domain=domain)
    for site in HOSTILE_SITES:
        _assert_unknown(client, site_url=site)
    assert server.arrived == []


@pytest.mark.checklist("C4")
def test_a_redirect_is_good_once(http: Http, serve: Serve) -> None:
    """The second time, the state is spent and no code is sent."""
    server = serve(GOOD)
    client = _client(http, server)
    url = redirect(client.begin(session="s"))
    client.complete(url, session="s")
    with pytest.raises(AuthorizationError) as caught:
        client.complete(url, session="s")
    assert caught.value.code == "wrong_state"
    assert len(server.arrived) == 1


@pytest.mark.checklist("C4")
@pytest.mark.parametrize("session", ["mallory", ""])
def test_a_redirect_in_another_browser_sends_nothing(
    http: Http, serve: Serve, session: str
) -> None:
    """The attempt continues to wait for the session that started it."""
    server = serve(GOOD)
    client = _client(http, server)
    url = redirect(client.begin(session="alice"))
    with pytest.raises(AuthorizationError) as caught:
        client.complete(url, session=session)
    assert caught.value.code == "wrong_state"
    assert server.arrived == []
    assert client.complete(url, session="alice").site.name == "us1"


@pytest.mark.checklist("C3")
def test_a_refused_exchange_is_not_retried_with_less(http: Http, serve: Serve) -> None:
    """After `invalid_grant` nothing is sent again: no other host, no weaker method."""
    server = serve(REFUSED)
    client = _client(http, server)
    with pytest.raises(TokenError) as caught:
        client.complete(redirect(client.begin(session="s")), session="s")
    assert caught.value.code == "invalid_grant"
    assert caught.value.said == ("invalid_grant - no",)
    assert len(server.arrived) == 1


@pytest.mark.checklist("C11")
def test_a_refused_refresh_is_not_retried(http: Http, serve: Serve) -> None:
    """A dead refresh token is dead: one request, one error."""
    server = serve(REFUSED)
    with pytest.raises(TokenError) as caught:
        _client(http, server).refresh(tokens(site=server.site))
    assert caught.value.code == "invalid_refresh_token"
    assert len(server.arrived) == 1


@pytest.mark.checklist("C16")
def test_both_tokens_are_revoked_even_if_one_fails(http: Http, serve: Serve) -> None:
    """The first failure is raised after the second request has gone out."""
    server = serve(Answer("", 503), Answer(""))
    with pytest.raises(AnswerError) as caught:
        _client(http, server).revoke(tokens(site=server.site))
    assert caught.value.code == "server_error"
    assert [arrived.form["token_type_hint"] for arrived in server.arrived] == [
        "refresh_token",
        "access_token",
    ]


@pytest.mark.checklist("C9")
@pytest.mark.parametrize(
    "answer",
    [
        REFUSED,
        Answer("", 500),
        Answer("<html>", 502),
        Answer('{"access_token": "canary-torn'),
        Answer('{"access_token": "canary-new", "refresh_token": "canary-r", "expires_in": "x"}'),
    ],
)
def test_a_failed_exchange_leaves_no_secret_in_the_traceback(
    http: Http, serve: Serve, answer: Answer
) -> None:
    """No variable in the kit's frames contains the code, the verifier or the secret."""
    server = serve(answer)
    client = _client(http, server)
    request = client.begin(session="s")
    with pytest.raises((TokenError, AnswerError)) as caught:
        client.complete(redirect(request), session="s")
    text = f"{caught.value!r} {with_locals(caught.value)}"
    assert "canary" not in text
    assert not readable(request.pkce.verifier.reveal(), text)


def test_a_missing_secret_is_noticed_before_consent() -> None:
    """Customers are never asked for consent if the code could not be exchanged."""
    with pytest.raises(InputError) as caught:
        OAuthClient(registration(client_secret=None)).begin(session="s")
    assert caught.value.code == "missing_client_secret"


def test_attempts_may_wait_elsewhere() -> None:
    """A server of several processes brings its own place for attempts that wait."""
    elsewhere = PendingAuthorizations()
    client = OAuthClient(registration(), pending=elsewhere)
    assert elsewhere.waits(client.begin(session="s"))


@pytest.mark.checklist("C4")
@pytest.mark.parametrize(
    "session", ["", " ", "\t\n", "None", "null", "undefined", None, 0, b"cookie", ["cookie"]]
)
def test_a_missing_cookie_is_not_a_session(http: Http, serve: Serve, session: object) -> None:
    """An empty session would be shared by all browsers without a cookie, so it is refused."""
    client = _client(http, serve(GOOD))
    with pytest.raises(InputError) as caught:
        client.begin(session=session)  # type: ignore[arg-type]
    assert caught.value.code == "missing_session"
    assert len(client.pending) == 0  # type: ignore[arg-type]
    request = client.begin(session="cookie")
    with pytest.raises(AuthorizationError) as refused:
        client.complete(redirect(request), session=session)  # type: ignore[arg-type]
    assert refused.value.code == "wrong_state"
    assert client.pending.waits(request)
