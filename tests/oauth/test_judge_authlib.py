"""The client passes a judge that others wrote: an authorization server of Authlib's."""

from __future__ import annotations

import dataclasses
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest
from support.builders import local_site, registration

from ddoauth_kit import (
    DATADOG_SITES,
    AuthorizationRequest,
    Http,
    OAuthClient,
    Secret,
    TokenSet,
    create_api_key,
)
from ddoauth_kit.errors import ApiKeyError, DdoauthError, TokenError
from ddoauth_kit.oauth.pkce import new_pkce_pair
from ddoauth_kit.oauth.tokens import current_user_request

if TYPE_CHECKING:
    from support.authlib_server import AuthlibServer


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """Follow nothing."""


def _visit(url: str) -> str:
    """Open the authorization URL and return the target of its redirect."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Stay)
    with pytest.raises(urllib.error.HTTPError) as caught:
        opener.open(url, timeout=60)
    with caught.value as answer:
        assert answer.code == 302
        return answer.headers["Location"]


@pytest.fixture
def client(http: Http, authlib_server: AuthlibServer) -> OAuthClient:
    """Return the kit's client, bound to the judge and registered with it."""
    sites = DATADOG_SITES.with_site(local_site(authlib_server.url))
    known = authlib_server.client
    return OAuthClient(
        registration(
            client_id=known.client_id,
            client_secret=Secret(known.client_secret, label="client_secret"),
            redirect_uris=(known.redirect_uri,),
            scopes=tuple(known.scope.split()),
            sites=("lab1",),
        ),
        sites=sites,
        http=http,
    )


def _begin(client: OAuthClient) -> AuthorizationRequest:
    return client.begin(domain="lab1.example.com", session="s")


def _authorize(client: OAuthClient) -> TokenSet:
    return client.complete(_visit(_begin(client).url), session="s")


def _code_of(error: pytest.ExceptionInfo[DdoauthError]) -> str:
    assert error.value.said, "the judge's words are carried"
    return error.value.code


@pytest.mark.parametrize("rotate", [True, False], indirect=True)
def test_the_whole_flow(
    client: OAuthClient, authlib_server: AuthlibServer, *, rotate: bool
) -> None:
    """Authorize, exchange, refresh twice, create the key, revoke: the judge agrees to each."""
    first = _authorize(client)
    assert first.scopes.withheld == ()
    assert first.seconds_left() > 3500
    second = client.refresh(first)
    third = client.refresh(second)
    assert len({t.access_token for t in (first, second, third)}) == 3
    assert (second.refresh_token == first.refresh_token) is not rotate
    key = create_api_key(client.http, tokens=third)
    assert key.key.reveal() in authlib_server.keys
    client.revoke(third)
    with pytest.raises(TokenError) as caught:
        client.refresh(third)
    assert _code_of(caught) == "invalid_refresh_token"
    assert [exchange.status for exchange in client.http.transcript] == [
        *(200, 200, 200, 201),
        *(200, 200, 400),
    ]


@pytest.mark.checklist("C11")
def test_a_rotated_refresh_token_is_dead(client: OAuthClient) -> None:
    """Keeping the returned value matters: the judge refuses the one before it."""
    first = _authorize(client)
    second = client.refresh(first)
    with pytest.raises(TokenError) as caught:
        client.refresh(first)
    assert _code_of(caught) == "invalid_refresh_token"
    assert client.refresh(second).access_token != second.access_token


def test_a_wrong_secret(client: OAuthClient) -> None:
    """The judge says `invalid_client`, for exchange, refresh and revocation."""
    tokens = _authorize(client)
    wrong = Secret("wrong-secret", label="client_secret")
    client.registration = dataclasses.replace(client.registration, client_secret=wrong)
    for attempt in (
        lambda: _authorize(client),
        lambda: client.refresh(tokens),
        lambda: client.revoke(tokens),
    ):
        with pytest.raises(TokenError) as caught:
            attempt()
        assert _code_of(caught) == "invalid_client"


def test_an_unknown_client(client: OAuthClient) -> None:
    """The judge says `invalid_client` to a client that it does not know."""
    response = client.receive(_visit(_begin(client).url), session="s")
    client.registration = dataclasses.replace(client.registration, client_id="nobody")
    with pytest.raises(TokenError) as caught:
        client.exchange(response)
    assert _code_of(caught) == "invalid_client"


def test_a_reused_code(client: OAuthClient) -> None:
    """A code is good once; the kit would have refused the redirect before the judge."""
    response = client.receive(_visit(_begin(client).url), session="s")
    client.exchange(response)
    with pytest.raises(TokenError) as caught:
        client.exchange(response)
    assert _code_of(caught) == "invalid_grant"


@pytest.mark.checklist("C2")
@pytest.mark.parametrize("part", ["pkce", "redirect_uri"])
def test_an_exchange_that_does_not_fit_the_request(client: OAuthClient, part: str) -> None:
    """The verifier of another attempt and another redirect URI are `invalid_grant`."""
    response = client.receive(_visit(_begin(client).url), session="s")
    other = {"pkce": new_pkce_pair(), "redirect_uri": "https://acme.example.com/other"}
    request = dataclasses.replace(response.request, **{part: other[part]})
    with pytest.raises(TokenError) as caught:
        client.exchange(dataclasses.replace(response, request=request))
    assert _code_of(caught) == "invalid_grant"


@pytest.mark.checklist("C16")
def test_revoking_twice_is_no_error(client: OAuthClient) -> None:
    """The judge returns 200 for an unknown token, and `revoke` accepts that."""
    tokens = _authorize(client)
    client.revoke(tokens)
    client.revoke(tokens)
    unknown = Secret("unknown-token", label="refresh_token")
    client.revoke(dataclasses.replace(tokens, refresh_token=unknown, access_token=unknown))


def test_the_second_key_and_a_dead_token(client: OAuthClient) -> None:
    """The judge's resource protector knows the token, until it is revoked."""
    tokens = _authorize(client)
    create_api_key(client.http, tokens=tokens)
    with pytest.raises(ApiKeyError) as caught:
        create_api_key(client.http, tokens=tokens)
    assert _code_of(caught) == "api_key_exists"
    client.revoke(tokens)
    with pytest.raises(ApiKeyError) as caught:
        create_api_key(client.http, tokens=tokens)
    assert _code_of(caught) == "unauthorized"


def test_a_missing_endpoint_answers_a_page(client: OAuthClient) -> None:
    """Flask's 404 is a web page: no refusal, but the wrong host or path."""
    tokens = _authorize(client)
    answer = client.http.send(current_user_request(tokens))
    assert answer.status == 404
    assert answer.text.startswith("<!doctype html>")
