"""The documented token endpoint follows RFC 6749 in refusals; the older one can be turned off."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

import pytest

from ddoauth_kit.sandbox import PROFILES

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Partner

    from ddoauth_kit.sandbox import Sandbox

V1, V2 = "/oauth2/v1/token", "/api/v2/oauth2/token"
BAD_CODE = {
    "error": "invalid_grant",
    "error_description": "Invalid authorization code or code verifier.",
}


@pytest.fixture
def v2(partner: Partner) -> Partner:
    """Give a partner who uses the documented endpoint."""
    partner.token_path = V2
    return partner


@pytest.mark.behaviour("token-v2")
@pytest.mark.checklist("S5")
def test_errors_are_those_of_the_rfc(v2: Partner) -> None:
    """A refusal has `error` and `error_description`; 401 is for a missing secret."""
    answer = v2.exchange("made-up")
    assert (answer.status_code, answer.json()) == (400, BAD_CODE)
    assert answer.headers["cache-control"] == "no-store"
    wrong = v2.exchange("made-up", client_secret="wrong")
    assert (wrong.status_code, wrong.json()["error"]) == (400, "invalid_client")
    missing = v2.exchange("made-up", client_secret=None)
    assert (missing.status_code, missing.json()["error"]) == (401, "invalid_client")
    assert missing.headers["www-authenticate"].startswith("Basic realm=")
    other = v2.post_token(grant_type="password")
    assert other.json()["error"] == "unsupported_grant_type"


@pytest.mark.behaviour("token-v1-gone")
@pytest.mark.parametrize("profile", PROFILES)
def test_v1_can_end(
    make_sandbox: Callable[..., Sandbox], make_partner: Callable[..., Partner], profile: str
) -> None:
    """Without v1, its path returns 404 and uses nothing up; v2 accepts the code, then refreshes."""
    partner = make_partner(make_sandbox(profile=profile, v1_token=False))
    code = partner.callback()["code"]
    assert partner.exchange(code).status_code == 404
    partner.token_path = V2
    tokens = partner.exchange(code).json()
    assert partner.refresh(tokens["refresh_token"]).status_code == 200
    assert partner.revoke(token=tokens["access_token"]).status_code == 200


@pytest.mark.parametrize(("first", "second"), [(V1, V2), (V2, V1)])
def test_a_refresh_token_works_at_both(partner: Partner, first: str, second: str) -> None:
    """Each endpoint accepts what the other one issued; a used code stays used."""
    partner.token_path = first
    code = partner.callback()["code"]
    tokens = partner.exchange(code).json()
    partner.token_path = second
    assert partner.refresh(tokens["refresh_token"]).status_code == 200
    assert partner.exchange(code).status_code == 400


@pytest.mark.behaviour("token-basic")
@pytest.mark.parametrize("path", [V1, V2])
def test_a_refused_basic_spends_no_code(partner: Partner, path: str) -> None:
    """The response says where credentials belong, and the same code works with them there."""
    partner.token_path = path
    code = partner.callback()["code"]
    pair = (partner.client.client_id, partner.client.client_secret)
    fields = {"grant_type": "authorization_code", "code": code}
    refused = partner.http.post(f"{partner.urls['api_url']}{path}", data=fields, auth=pair)
    assert refused.status_code == 401
    assert "Send the credentials in the body." in refused.text
    assert partner.exchange(code).status_code == 200


@pytest.mark.behaviour("token-app-host")
@pytest.mark.parametrize("path", [V1, V2])
def test_the_app_host_issues_nothing(v2: Partner, path: str) -> None:
    """Tokens are at the API host; the pages' host has none."""
    assert v2.http.post(f"{v2.urls['app_url']}{path}", data={}).status_code == 404


@pytest.mark.behaviour("token-verifier-length")
def test_a_short_verifier_is_refused(v2: Partner) -> None:
    """RFC 7636 wants 43 characters or more, so 42 are refused although they fit the challenge."""
    verifier = "v" * 42
    digest = hashlib.sha256(verifier.encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    code = v2.callback(code_challenge=challenge)["code"]
    assert v2.exchange(code, code_verifier=verifier).json() == BAD_CODE


@pytest.mark.behaviour("revoke-content-type")
def test_revoking_with_another_content_type(partner: Partner) -> None:
    """The refusal speaks of the content type, not of a code that revocation does not have."""
    url = f"{partner.urls['api_url']}/oauth2/v1/revoke"
    answer = partner.http.post(url, content=b"token=x", headers={"Content-Type": "text/plain"})
    assert answer.status_code == 400
    assert "form-urlencoded" in answer.json()["errors"][0]
