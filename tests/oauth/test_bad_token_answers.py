"""A bad response from the token endpoint gives tokens or one clear error; no error is stored."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from support.builders import ACCESS_TOKEN, NOW, REFRESH_TOKEN, redirect
from support.builders import registration as given_registration
from support.builders import tokens as given_tokens
from support.loopback import Answer

from ddoauth_kit import DATADOG_SITES, OAuthClient
from ddoauth_kit.errors import DdoauthError
from ddoauth_kit.oauth.grant import Grant, grant_slot
from ddoauth_kit.registration import TokenEndpoint
from ddoauth_kit.store import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.loopback import RecordingServer

    from ddoauth_kit import Http, TokenSet

    Serve = Callable[..., RecordingServer]

GOOD: dict[str, Any] = {
    "access_token": "canary-new-access",
    "refresh_token": "canary-new-refresh",
    "expires_in": 60,
    "scope": "events_read",
}


def _with(**changes: object) -> Answer:
    content = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    return Answer(json.dumps(content))


PAGE = (("content-type", "text/html"),)
REFUSED = {
    "a page": (Answer("<html>Log in</html>", 200, PAGE), "html_answer"),
    "a page of an error": (Answer("<html>Bad gateway</html>", 502, PAGE), "html_answer"),
    "nothing": (Answer(""), "malformed_json"),
    "a list": (Answer("[]"), "unexpected_answer"),
    "a list of tokens": (Answer(json.dumps([GOOD])), "unexpected_answer"),
    "torn": (Answer(json.dumps(GOOD)[:-9]), "malformed_json"),
    "tokens and v1's error": (_with(errors=["invalid_grant - no"]), "unexpected_answer"),
    "tokens and v2's error": (_with(error="invalid_grant"), "unexpected_answer"),
    "v1's error with 200": (Answer('{"errors": ["invalid_client - no"]}'), "invalid_client"),
    "v2's error with 200": (Answer('{"error": "invalid_client"}'), "invalid_client"),
    "no access token": (_with(access_token=None), "unexpected_answer"),
    "an access token that is a number": (_with(access_token=7), "unexpected_answer"),
    "a life that is a word": (_with(expires_in="soon"), "unexpected_answer"),
    "a life below zero": (_with(expires_in=-1), "unexpected_answer"),
    "a life that is true": (_with(expires_in=True), "unexpected_answer"),
    "another type of token": (_with(token_type="mac"), "unexpected_answer"),
}
TAKEN = {
    "scopes with commas": (_with(scope="events_read,metrics_read"), 60, 2),
    "a life in a text": (_with(expires_in="60"), 60, 1),
    "no life": (_with(expires_in=None), 3600, 1),
    "no type": (_with(token_type=None), 60, 1),
    "an empty list of errors": (_with(errors=[]), 60, 1),
}
ENDPOINTS = list(TokenEndpoint)


def _client(http: Http, server: RecordingServer, endpoint: TokenEndpoint) -> OAuthClient:
    sites = DATADOG_SITES.with_site(server.site)
    client = given_registration(sites=("lab1",), token_endpoint=endpoint)
    return OAuthClient(client, sites=sites, http=http, clock=lambda: NOW)


def _exchange(client: OAuthClient) -> TokenSet:
    request = client.begin(domain="lab1.example.com", session="s")
    return client.complete(redirect(request), session="s")


def _grant(client: OAuthClient, server: RecordingServer, store: MemoryStore) -> Grant:
    tokens = replace(given_tokens(site=server.site), expires_at=NOW)
    grant = Grant(client, store=store, slot=grant_slot(tokens))
    grant.keep(tokens)
    return grant


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("name", REFUSED)
def test_an_exchange_gets_one_clear_error(
    http: Http, serve: Serve, name: str, endpoint: TokenEndpoint
) -> None:
    """One request is sent, and no token from the response is in the error."""
    answer, code = REFUSED[name]
    server = serve(answer)
    with pytest.raises(DdoauthError) as caught:
        _exchange(_client(http, server, endpoint))
    assert caught.value.code == code
    assert "canary-new" not in str(caught.value)
    assert [arrived.target for arrived in server.arrived] == [endpoint.path]


@pytest.mark.parametrize("waits", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("name", REFUSED)
def test_a_refresh_keeps_what_it_had(
    http: Http,
    serve: Serve,
    name: str,
    endpoint: TokenEndpoint,
    waits: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """Both calls raise the same error; the store has only the older tokens."""
    answer, code = REFUSED[name]
    server, store = serve(answer), MemoryStore()
    grant = _grant(_client(http, server, endpoint), server, store)
    with pytest.raises(DdoauthError) as caught:
        _ = asyncio.run(grant.atokens()) if waits else grant.tokens()
    assert caught.value.code == code
    kept = grant.kept()
    assert kept is not None
    assert kept.access_token.reveal() == ACCESS_TOKEN
    assert kept.refresh_token is not None
    assert kept.refresh_token.reveal() == REFRESH_TOKEN
    held = "".join(secret.reveal() for slot in store.slots() if (secret := store.get(slot)))
    assert "canary-new" not in held


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("name", TAKEN)
def test_what_is_odd_and_clear_is_taken(
    http: Http, serve: Serve, name: str, endpoint: TokenEndpoint
) -> None:
    """By the exchange and by both ways to refresh, with the same life and scopes."""
    answer, seconds, scopes = TAKEN[name]
    server = serve(answer)
    client = _client(http, server, endpoint)
    found = [_exchange(client), _grant(client, server, MemoryStore()).tokens()]
    found.append(asyncio.run(_grant(client, server, MemoryStore()).atokens()))
    for tokens in found:
        assert tokens.access_token.reveal() == "canary-new-access"
        assert tokens.seconds_left(NOW) == seconds
        assert len(tokens.scopes.granted) == scopes
