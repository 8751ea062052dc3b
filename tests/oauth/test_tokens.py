"""Tokens are requested once, read strictly, stored with their site, and revoked."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from support.builders import (
    ACCESS_TOKEN,
    CLIENT_SECRET,
    NOW,
    REFRESH_TOKEN,
    US1,
    readable,
    redirect,
    registration,
    response,
    tokens,
    with_locals,
)

from ddoauth_kit import DATADOG_SITES, Secret, TokenSet
from ddoauth_kit.errors import AnswerError, DdoauthError, InputError, TokenError
from ddoauth_kit.oauth.authorization_request import authorization_request
from ddoauth_kit.oauth.authorization_response import read_authorization_response
from ddoauth_kit.oauth.tokens import (
    read_refresh_response,
    read_revocation_response,
    read_token_response,
    refresh_request,
    revocation_requests,
    stored_grant,
    token_request,
)

GOOD = {
    "access_token": ACCESS_TOKEN,
    "refresh_token": REFRESH_TOKEN,
    "expires_in": 3600,
    "token_type": "Bearer",
    "scope": "events_read",
}
DATADOG_GRANT = '{"errors": ["invalid_grant - Invalid authorization code or code verifier."]}'
RFC_GRANT = '{"error": "invalid_grant", "error_description": "used"}'


def _read(status: int = 200, **changes: object) -> TokenSet:
    answer = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    return read_token_response(
        response(status, json.dumps(answer)),
        site=US1,
        client_id="id",
        requested=("events_read", "api_keys_write"),
        now=NOW,
    )


@pytest.mark.checklist("C7")
def test_the_exchange_goes_to_the_domain_of_the_redirect() -> None:
    """Form-encoded, to the API host that `domain` names, with the first redirect URI's letters."""
    client = registration(sites=("us1", "us3"))
    request = authorization_request(client)
    url = redirect(request, domain="us3.datadoghq.com", site="https://acme.datadoghq.com")
    answer = read_authorization_response(url, request=request, registration=client)
    sent = token_request(client, response=answer)
    assert (sent.method, sent.url) == ("POST", "https://api.us3.datadoghq.com/api/v2/oauth2/token")
    assert not sent.repeatable
    assert dict(sent.form) == {
        "grant_type": "authorization_code",
        "client_id": client.client_id,
        "client_secret": Secret(CLIENT_SECRET, label=""),
        "redirect_uri": request.redirect_uri,
        "code_verifier": request.pkce.verifier,
        "code": Secret("canary-code", label=""),
    }


def test_a_refresh_carries_the_refresh_token() -> None:
    """To the site that the tokens live on."""
    sent = refresh_request(registration(), tokens=tokens(site=DATADOG_SITES.named("ap2")))
    assert (sent.method, sent.url) == ("POST", "https://api.ap2.datadoghq.com/api/v2/oauth2/token")
    assert not sent.repeatable
    assert dict(sent.form) == {
        "grant_type": "refresh_token",
        "client_id": registration().client_id,
        "client_secret": Secret(CLIENT_SECRET, label=""),
        "refresh_token": Secret(REFRESH_TOKEN, label=""),
    }


@pytest.mark.checklist("C16")
def test_the_refresh_token_is_revoked_first() -> None:
    """There are two requests, each with its hint and the bearer, or one without a refresh token."""
    first, second = revocation_requests(registration(), tokens=tokens())
    assert first.url == "https://api.datadoghq.com/oauth2/v1/revoke"
    assert dict(first.form)["token"].reveal() == REFRESH_TOKEN
    assert dict(first.form)["token_type_hint"] == "refresh_token"
    assert dict(second.form)["token"].reveal() == ACCESS_TOKEN
    assert dict(second.form)["token_type_hint"] == "access_token"
    assert dict(second.revealed_headers())["authorization"] == f"Bearer {ACCESS_TOKEN}"
    (only,) = revocation_requests(registration(), tokens=tokens(refresh_token=None))
    assert dict(only.form)["token_type_hint"] == "access_token"


@pytest.mark.checklist("C16")
def test_a_stored_grant_is_dead_until_refreshed_and_can_be_revoked() -> None:
    """A bare refresh token gives an expired grant; revoking it sends no bearer token."""
    kept = Secret(REFRESH_TOKEN, label="refresh_token")
    grant = stored_grant(registration(), site=US1, refresh_token=kept)
    assert grant.seconds_left(NOW) < 0
    assert grant.scopes.granted == registration().scopes
    sent = refresh_request(registration(), tokens=grant)
    assert dict(sent.form)["refresh_token"] is kept
    (only,) = revocation_requests(registration(), tokens=grant)
    assert dict(only.form)["token"] is kept
    assert "authorization" not in dict(only.revealed_headers())


def test_nothing_is_built_without_a_secret() -> None:
    """A client without a secret is refused before a request exists."""
    client = registration(client_secret=None)
    for build in (refresh_request, revocation_requests):
        with pytest.raises(InputError) as caught:
            build(client, tokens=tokens())
        assert caught.value.code == "missing_client_secret"


def test_nothing_is_refreshed_without_a_refresh_token() -> None:
    """The error says to authorize again."""
    with pytest.raises(TokenError) as caught:
        refresh_request(registration(), tokens=tokens(refresh_token=None))
    assert caught.value.code == "no_refresh_token"


@pytest.mark.checklist("C14")
def test_a_token_answer_is_read() -> None:
    """Tokens are secrets, expiry counts from the client's clock, scopes know what was asked."""
    grant = _read()
    assert grant.access_token.reveal() == ACCESS_TOKEN
    assert grant.refresh_token.reveal() == REFRESH_TOKEN
    assert grant.expires_at == NOW + timedelta(hours=1)
    assert grant.seconds_left(NOW + timedelta(hours=2)) == -3600
    assert grant.scopes.withheld == ("api_keys_write",)
    assert (grant.site, grant.client_id) == (US1, "id")
    assert not readable(ACCESS_TOKEN, repr(grant))
    assert not readable(REFRESH_TOKEN, repr(grant))


@pytest.mark.parametrize(
    ("changes", "name", "value"),
    [
        ({"refresh_token": None}, "refresh_token", None),
        ({"refresh_token": ""}, "refresh_token", None),
        ({"refresh_token": 7}, "refresh_token", None),
        ({"expires_in": None}, "expires_at", NOW + timedelta(hours=1)),
        ({"expires_in": "60"}, "expires_at", NOW + timedelta(minutes=1)),
        ({"expires_in": 0}, "expires_at", NOW),
        ({"unknown": []}, "client_id", "id"),
    ],
)
def test_what_is_optional_may_be_missing(
    changes: dict[str, object], name: str, value: object
) -> None:
    """RFC 6749 section 5.1 lets servers leave out all but the access token and its type."""
    assert getattr(_read(**changes), name) == value


def test_an_unnamed_scope_is_the_requested_one() -> None:
    """Without `scope`, the grant has the requested scopes (RFC 6749 section 5.1)."""
    assert _read(scope=None).scopes.withheld == ()
    assert _read(scope="").scopes.granted == ()


def test_scopes_with_commas_are_told_apart() -> None:
    """None of Datadog's scopes has a comma, so a comma between two names separates them."""
    assert _read(scope="metrics_read,events_read, logs_read_data").scopes.granted == (
        "metrics_read",
        "events_read",
        "logs_read_data",
    )


@pytest.mark.checklist("C9")
@pytest.mark.parametrize(
    "changes",
    [
        {"access_token": None},
        {"access_token": ""},
        {"access_token": ["canary-access-token"]},
        {"expires_in": "soon"},
        {"expires_in": -1},
        {"expires_in": 1e30},
        {"expires_in": float("inf")},
        {"expires_in": float("nan")},
        {"expires_in": []},
    ],
)
def test_a_strange_token_answer_is_refused_without_telling(changes: dict[str, object]) -> None:
    """The unusable field is named; no token reaches the message or the frames' variables."""
    with pytest.raises(AnswerError) as caught:
        _read(**changes)
    assert caught.value.code == "unexpected_answer"
    text = f"{caught.value} {caught.value.exchange.response_body} {with_locals(caught.value)}"
    assert not readable(REFRESH_TOKEN, text)
    assert not readable(ACCESS_TOKEN, text)


REFUSALS = [
    (400, DATADOG_GRANT, TokenError, "invalid_grant"),
    (400, RFC_GRANT, TokenError, "invalid_grant"),
    (400, '{"error": "invalid_grant"}', TokenError, "invalid_grant"),
    (400, '{"error": "invalid_client"}', TokenError, "invalid_client"),
    (401, '{"errors": ["Unauthorized"]}', TokenError, "invalid_client"),
    (401, "", TokenError, "invalid_client"),
    (400, '{"error": "unsupported_grant_type"}', TokenError, "token_refused"),
    (400, "", TokenError, "token_refused"),
    (429, '{"errors": []}', TokenError, "rate_limited"),
    (204, "", TokenError, "token_refused"),
    (404, "<html>", TokenError, "token_endpoint_missing"),
    (405, '{"errors":["Method not allowed"]}', TokenError, "token_endpoint_missing"),
    (403, "<html>", AnswerError, "html_answer"),
    (200, '{"errors":["invalid_client - no"]}', TokenError, "invalid_client"),
    (200, '{"error":"invalid_client"}', TokenError, "invalid_client"),
    (
        200,
        '{"errors":["invalid_grant - no"],"access_token":"canary-a","token_type":"Bearer"}',
        AnswerError,
        "unexpected_answer",
    ),
    (
        200,
        '{"error":"invalid_grant","access_token":"canary-a","token_type":"Bearer"}',
        AnswerError,
        "unexpected_answer",
    ),
    (
        400,
        '{"error":"invalid_client","errors":["invalid_client - no"]}',
        TokenError,
        "invalid_client",
    ),
    (400, '{"error":"invalid_client","errors":[]}', TokenError, "invalid_client"),
    (200, "{}", AnswerError, "unexpected_answer"),
    (200, '{"access_token":"canary-a","token_type":"mac"}', AnswerError, "unexpected_answer"),
    (500, '{"errors": ["boom"]}', AnswerError, "server_error"),
    (502, "<html>", AnswerError, "html_answer"),
    (302, "", AnswerError, "unexpected_redirect"),
    (200, "<html>", AnswerError, "html_answer"),
    (200, "", AnswerError, "malformed_json"),
    (200, '{"access_token": "canary', AnswerError, "malformed_json"),
    (200, "[]", AnswerError, "unexpected_answer"),
]


@pytest.mark.parametrize(("status", "text", "error", "code"), REFUSALS)
def test_a_refused_exchange_is_named(
    status: int, text: str, error: type[DdoauthError], code: str
) -> None:
    """Both formats of an OAuth error are understood, and a missing response is not a refusal."""
    answer = response(status, text)
    with pytest.raises(DdoauthError) as caught:
        read_token_response(answer, site=US1, client_id="", requested=(), now=NOW)
    assert (type(caught.value), caught.value.code) == (error, code)
    assert caught.value.exchange is answer.exchange
    assert "canary" not in str(caught.value) + with_locals(caught.value)


@pytest.mark.checklist("C11")
@pytest.mark.parametrize(("status", "text", "error", "code"), REFUSALS)
def test_a_refused_refresh_is_named(
    status: int, text: str, error: type[DdoauthError], code: str
) -> None:
    """The same, except that `invalid_grant` means the refresh token: do not retry."""
    expected = "invalid_refresh_token" if code == "invalid_grant" else code
    with pytest.raises(DdoauthError) as caught:
        read_refresh_response(response(status, text), tokens=tokens(), now=NOW)
    assert (type(caught.value), caught.value.code) == (error, expected)
    assert caught.value.exchange is not None


@pytest.mark.checklist("C11")
@pytest.mark.parametrize(
    ("answer", "refresh_token"),
    [
        ({"refresh_token": "canary-rotated"}, "canary-rotated"),
        ({}, REFRESH_TOKEN),
        ({"refresh_token": ""}, REFRESH_TOKEN),
    ],
)
def test_a_new_refresh_token_replaces_the_old_one(
    answer: dict[str, str], refresh_token: str
) -> None:
    """A rotated token wins; if there is none, the old one stays valid."""
    text = json.dumps({"access_token": "canary-new", "expires_in": 60, **answer})
    grant = read_refresh_response(response(200, text), tokens=tokens(), now=NOW)
    assert grant.access_token.reveal() == "canary-new"
    assert grant.refresh_token.reveal() == refresh_token
    assert grant.expires_at == NOW + timedelta(minutes=1)
    assert (grant.site, grant.client_id) == (tokens().site, tokens().client_id)


def test_a_refresh_does_not_widen_what_was_granted() -> None:
    """If a refresh names no scopes, the grant keeps the old ones, whatever was requested."""
    narrow = _read(scope="events_read")
    text = json.dumps({"access_token": "canary-new"})
    grant = read_refresh_response(response(200, text), tokens=narrow, now=NOW)
    assert grant.scopes.granted == ("events_read",)
    assert grant.scopes.requested == ("events_read", "api_keys_write")


@pytest.mark.checklist("C16")
@pytest.mark.parametrize("text", ["", "{}", "OK"])
def test_any_200_is_a_revocation(text: str) -> None:
    """An unknown token also counts as revoked (RFC 7009 section 2.2)."""
    assert read_revocation_response(response(200, text)) is None


@pytest.mark.checklist("C16")
@pytest.mark.parametrize(
    ("status", "text", "code"),
    [
        (400, '{"error": "invalid_client"}', "invalid_client"),
        (401, "", "invalid_client"),
        (400, '{"errors": ["x"]}', "token_refused"),
        (503, "", "server_error"),
        (404, "<p>", "html_answer"),
        (302, "", "unexpected_redirect"),
    ],
)
def test_a_refused_revocation_is_named(status: int, text: str, code: str) -> None:
    """All other failures leave the token valid, and say so."""
    with pytest.raises(DdoauthError) as caught:
        read_revocation_response(response(status, text))
    assert caught.value.code == code
