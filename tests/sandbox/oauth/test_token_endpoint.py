"""Codes and refresh tokens become tokens for their own client and site, and for nobody else."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from ddoauth_kit.sandbox import PROFILES

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx
    from conftest import Partner

    from ddoauth_kit.sandbox import Sandbox

BAD_CODE = {"errors": ["invalid_grant - Invalid authorization code or code verifier."]}
BAD_REFRESH = {"errors": ["invalid_grant - Invalid or expired refresh token"]}
CURRENT_USER = "/api/v2/current_user"


def is_bad_code(answer: httpx.Response) -> bool:
    """Return whether the response is Datadog's for a bad code."""
    return answer.status_code == 400 and answer.json() == BAD_CODE


def lives(partner: Partner, token: str) -> bool:
    """Tell whether an access token is good."""
    return partner.call(CURRENT_USER, token=token).status_code == 200


@pytest.mark.behaviour("token-answer")
@pytest.mark.behaviour("token-no-store")
@pytest.mark.checklist("S5")
def test_code_becomes_tokens(partner: Partner) -> None:
    """The response has five fields and must not be stored."""
    answer = partner.exchange(partner.callback(scope="metrics_read events_read")["code"])
    body = answer.json()
    assert body.pop("access_token").startswith("sandbox-access-")
    assert body.pop("refresh_token").startswith("sandbox-refresh-")
    expected = {"expires_in": 3600, "token_type": "Bearer", "scope": "metrics_read events_read"}
    assert body == expected
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["pragma"] == "no-cache"


@pytest.mark.behaviour("token-json-body")
def test_json_body_works(partner: Partner) -> None:
    """A token request may come as JSON, if it is flat."""
    fields = {
        "grant_type": "authorization_code",
        "code": partner.callback()["code"],
        "redirect_uri": partner.redirect_uri,
        "code_verifier": "a-verifier-of-the-tests-with-more-than-43-characters",
        "client_id": partner.client.client_id,
        "client_secret": partner.client.client_secret,
    }
    url = f"{partner.urls['api_url']}/oauth2/v1/token"
    for bad in ({**fields, "code": 1}, {"code": {"a": "b"}}, [], "text"):
        answer = partner.http.post(url, json=bad)
        assert answer.status_code == 400
        assert answer.json()["errors"][0].startswith("invalid_request - ")
    headers = {"Content-Type": "application/json; charset=utf-8"}
    for noise in (b"{", b"\xff", b"[" * 100_000):
        assert partner.http.post(url, content=noise, headers=headers).status_code == 400
    half = b'{"client_id":"%b","client_secret":"\\ud800"}' % partner.client.client_id.encode()
    assert partner.http.post(url, content=half, headers=headers).status_code == 400
    assert partner.http.post(url, json=fields).json()["expires_in"] == 3600


@pytest.mark.behaviour("token-content-type")
@pytest.mark.parametrize("content_type", ["text/plain", "", "multipart/form-data"])
def test_other_content_types_read_as_a_bad_code(partner: Partner, content_type: str) -> None:
    """Datadog's misleading text for a wrong content type is kept."""
    url = f"{partner.urls['api_url']}/oauth2/v1/token"
    headers = {"Content-Type": content_type}
    assert is_bad_code(partner.http.post(url, content="grant_type=x", headers=headers))


@pytest.mark.behaviour("token-duplicate-field")
def test_repeated_field_is_refused(partner: Partner) -> None:
    """A field sent twice is refused, in a form and in JSON."""
    url = f"{partner.urls['api_url']}/oauth2/v1/token"
    form, flat = "application/x-www-form-urlencoded", "application/json"
    for body, content_type in (("a=1&a=2", form), ('{"a":"1","a":"2"}', flat)):
        headers = {"Content-Type": content_type}
        answer = partner.http.post(url, content=body, headers=headers)
        assert answer.json() == {"errors": ["invalid_request - Duplicate field: a."]}


@pytest.mark.behaviour("token-grant-type")
@pytest.mark.behaviour("token-errors")
@pytest.mark.parametrize("grant_type", [None, "password", "client_credentials", "implicit"])
def test_other_grant_types_are_refused(partner: Partner, grant_type: str | None) -> None:
    """There is no password grant, and errors have Datadog's format."""
    answer = partner.post_token(grant_type=grant_type, username="a", password="b")
    assert answer.status_code == 400
    assert answer.headers["cache-control"] == "no-store"
    [error] = answer.json()["errors"]
    assert error.startswith("unsupported_grant_type - ")


@pytest.mark.behaviour("token-missing-secret")
@pytest.mark.behaviour("token-wrong-secret")
@pytest.mark.behaviour("token-unknown-client")
def test_client_must_prove_itself(partner: Partner) -> None:
    """Missing, wrong and foreign credentials are refused, and the code stays good."""
    code = partner.callback()["code"]
    other = partner.sandbox.private_client("us1").client_secret
    assert partner.exchange(code, client_secret=None).status_code == 401
    assert partner.exchange(code, client_secret="").status_code == 401
    assert partner.exchange(code, client_secret=other).status_code == 400
    assert partner.exchange(code, client_secret="ä").status_code == 400
    unknown = partner.exchange(code, client_id="nobody")
    assert (unknown.status_code, unknown.json()["errors"]) == (
        400,
        ["invalid_client - Unknown client."],
    )
    assert partner.exchange(code).status_code == 200


@pytest.mark.behaviour("token-basic")
@pytest.mark.checklist("S5")
def test_basic_is_not_for_datadog(partner: Partner) -> None:
    """Basic authentication gets 401 even beside good credentials in the body."""
    url = f"{partner.urls['api_url']}/oauth2/v1/token"
    pair = (partner.client.client_id, partner.client.client_secret)
    assert partner.http.post(url, data={"grant_type": "x"}, auth=pair).status_code == 401


@pytest.mark.behaviour("token-code-redirect-uri")
@pytest.mark.behaviour("token-code-burned")
@pytest.mark.checklist("S2")
@pytest.mark.parametrize("uri", [None, "", "http://localhost:8484/oauth/callback"])
def test_redirect_uri_is_the_same(partner: Partner, uri: str | None) -> None:
    """Another registered URI is still another, and the attempt spends the code."""
    code = partner.callback()["code"]
    assert is_bad_code(partner.exchange(code, redirect_uri=uri))
    assert is_bad_code(partner.exchange(code))


@pytest.mark.behaviour("token-code-verifier")
@pytest.mark.checklist("S3")
@pytest.mark.parametrize("verifier", [None, "", "short", "b" * 43, "a" * 129, "ä" * 50])
def test_verifier_fits_the_challenge(partner: Partner, verifier: str | None) -> None:
    """A missing, wrong or malformed verifier is refused, and the code is used up."""
    code = partner.callback()["code"]
    assert is_bad_code(partner.exchange(code, code_verifier=verifier))
    assert is_bad_code(partner.exchange(code))


@pytest.mark.behaviour("token-code-unknown")
@pytest.mark.parametrize("code", [None, "", "sandbox-code-made-up"])
def test_unknown_code_is_refused(partner: Partner, code: str | None) -> None:
    """A token that was never issued is refused in Datadog's words."""
    assert is_bad_code(partner.exchange(code))


@pytest.mark.behaviour("token-code-expiry")
@pytest.mark.checklist("S2")
def test_code_lives_ten_minutes(partner: Partner) -> None:
    """Just before its end a code is good, just after it is not."""
    early, late = partner.callback()["code"], partner.callback()["code"]
    partner.sandbox.clock.advance(599)
    assert partner.exchange(early).status_code == 200
    partner.sandbox.clock.advance(1.5)
    assert is_bad_code(partner.exchange(late))


@pytest.mark.behaviour("token-code-other-site")
def test_code_of_another_site_is_refused(
    partner: Partner, sandbox: Sandbox, make_partner: Callable[..., Partner]
) -> None:
    """The wrong site responds as to a bad verifier; the right one still accepts the code."""
    code = partner.callback()["code"]
    assert is_bad_code(make_partner(sandbox, "us3").exchange(code))
    assert partner.exchange(code).status_code == 200


@pytest.mark.behaviour("token-code-other-client")
@pytest.mark.checklist("S2")
def test_code_of_another_client_is_refused(
    partner: Partner, sandbox: Sandbox, make_partner: Callable[..., Partner]
) -> None:
    """A thief with other credentials gets nothing and does no damage."""
    code = partner.callback()["code"]
    thief = make_partner(sandbox, client=sandbox.private_client("us1"))
    assert is_bad_code(thief.exchange(code))
    assert partner.exchange(code).status_code == 200


@pytest.mark.behaviour("token-code-reuse")
@pytest.mark.checklist("S2")
def test_second_use_ends_the_first(partner: Partner) -> None:
    """A code used twice was stolen, so what it gave is taken back."""
    code = partner.callback()["code"]
    first = partner.exchange(code).json()
    assert lives(partner, first["access_token"])
    assert is_bad_code(partner.exchange(code))
    assert not lives(partner, first["access_token"])
    assert partner.refresh(first["refresh_token"]).json() == BAD_REFRESH


@pytest.mark.behaviour("refresh-kept")
def test_refresh_keeps_everything(partner: Partner) -> None:
    """A refresh gives a new access token, and the old ones stay valid."""
    first = partner.tokens(scope="metrics_read")
    second = partner.refresh(first["refresh_token"]).json()
    assert second["refresh_token"] == first["refresh_token"]
    assert second["access_token"] != first["access_token"]
    assert second["scope"] == "metrics_read"
    assert lives(partner, first["access_token"])
    assert lives(partner, second["access_token"])


@pytest.mark.behaviour("refresh-refused")
@pytest.mark.checklist("S4")
@pytest.mark.parametrize("token", [None, "", "sandbox-refresh-made-up"])
def test_unknown_refresh_token_is_refused(partner: Partner, token: str | None) -> None:
    """A bogus token is refused in Datadog's words."""
    answer = partner.refresh(token)
    assert (answer.status_code, answer.json()) == (400, BAD_REFRESH)


@pytest.mark.behaviour("refresh-other-site")
@pytest.mark.checklist("S4")
def test_refresh_token_is_bound_to_client_and_site(
    partner: Partner, sandbox: Sandbox, make_partner: Callable[..., Partner]
) -> None:
    """No other site or client can use it, and an access token can't replace it."""
    tokens = partner.tokens()
    strangers = (
        make_partner(sandbox, "eu1"),
        make_partner(sandbox, client=sandbox.private_client("us1")),
    )
    for stranger in strangers:
        assert stranger.refresh(tokens["refresh_token"]).json() == BAD_REFRESH
    assert partner.refresh(tokens["access_token"]).json() == BAD_REFRESH
    assert partner.refresh(tokens["refresh_token"]).status_code == 200


@pytest.mark.behaviour("refresh-lasting")
def test_refresh_token_outlives_its_access_token(partner: Partner) -> None:
    """After a year only the access token is dead."""
    tokens = partner.tokens()
    partner.sandbox.clock.advance(365 * 86400)
    assert not lives(partner, tokens["access_token"])
    assert lives(partner, partner.refresh(tokens["refresh_token"]).json()["access_token"])


@pytest.mark.behaviour("refresh-reuse")
@pytest.mark.checklist("S4")
@pytest.mark.parametrize("profile", PROFILES)
def test_rotation_and_reuse(
    make_sandbox: Callable[..., Sandbox], make_partner: Callable[..., Partner], profile: str
) -> None:
    """With the switch, tokens rotate in every profile, and an old one ends the family."""
    partner = make_partner(make_sandbox(profile=profile, rotate=True))
    first = partner.tokens()
    second = partner.refresh(first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"]
    answer = partner.refresh(first["refresh_token"])
    assert (answer.status_code, "invalid_grant" in answer.text) == (400, True)
    assert partner.refresh(second["refresh_token"]).status_code == 400
    assert not lives(partner, second["access_token"])


@pytest.mark.behaviour("revoke-answer")
@pytest.mark.behaviour("revoke-grant")
@pytest.mark.checklist("S8")
@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
@pytest.mark.parametrize("hint", [None, "refresh_token", "nonsense"])
def test_revoking_one_token_ends_all(partner: Partner, kind: str, hint: str | None) -> None:
    """Revoking either token ends the whole grant, whatever the hint says, even repeatedly."""
    tokens = partner.tokens()
    more = partner.refresh(tokens["refresh_token"]).json()
    for _ in range(2):
        answer = partner.revoke(token=tokens[kind], token_type_hint=hint)
        assert (answer.status_code, answer.content) == (200, b"")
        assert answer.headers["content-type"].startswith("text/plain")
    assert not lives(partner, tokens["access_token"])
    assert not lives(partner, more["access_token"])
    assert partner.refresh(tokens["refresh_token"]).json() == BAD_REFRESH


@pytest.mark.behaviour("revoke-unknown")
@pytest.mark.behaviour("revoke-missing-token")
@pytest.mark.checklist("S8")
def test_revoking_the_unknown_succeeds(partner: Partner) -> None:
    """An unknown token is as good as revoked, a missing one is a mistake."""
    assert partner.revoke(token="made-up").status_code == 200
    assert partner.revoke().status_code == 400
    assert partner.revoke(token="made-up", client_secret="wrong").status_code == 400
    assert partner.revoke(token="made-up", client_secret=None).status_code == 401


@pytest.mark.behaviour("revoke-foreign")
def test_revoking_anothers_token_does_nothing(
    partner: Partner, sandbox: Sandbox, make_partner: Callable[..., Partner]
) -> None:
    """Another client, and the same client on another site, cannot end a grant."""
    tokens = partner.tokens()
    strangers = (
        make_partner(sandbox, "us3"),
        make_partner(sandbox, client=sandbox.private_client("us1")),
    )
    for stranger in strangers:
        assert stranger.revoke(token=tokens["refresh_token"]).status_code == 200
    assert lives(partner, tokens["access_token"])


@pytest.mark.behaviour("token-two-methods")
@pytest.mark.checklist("S5")
@pytest.mark.parametrize("profile", PROFILES)
def test_basic_where_it_is_allowed(
    make_sandbox: Callable[..., Sandbox], make_partner: Callable[..., Partner], profile: str
) -> None:
    """With the switch Basic works in every profile, but not twice; a wrong one is challenged."""
    partner = make_partner(make_sandbox(profile=profile, basic=True))
    url = f"{partner.urls['api_url']}/api/v2/oauth2/token"
    pair = (partner.client.client_id, partner.client.client_secret)
    fields = {"grant_type": "refresh_token", "refresh_token": partner.tokens()["refresh_token"]}
    assert partner.http.post(url, data=fields, auth=pair).status_code == 200
    both = {**fields, "client_secret": pair[1]}
    assert partner.http.post(url, data=both, auth=pair).json()["error"] == "invalid_request"
    wrong = partner.http.post(url, data=fields, auth=(pair[0], "wrong"))
    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")
    assert wrong.headers["www-authenticate"].startswith("Basic ")
    noise = {"Authorization": "Basic %%%"}
    assert partner.http.post(url, data=fields, headers=noise).status_code == 401
    garbage = {"Authorization": f"Basic {base64.b64encode(bytes([255])).decode()}"}
    assert partner.http.post(url, data=fields, headers=garbage).status_code == 401
