"""The token and revocation endpoints (RFC 6749, 3.2; RFC 7009)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from ddoauth_kit.sandbox.facts.sites import next_site
from ddoauth_kit.sandbox.http.messages import Answer, json_answer
from ddoauth_kit.sandbox.http.refusals import NO_STORE, Refusal, api_refusal, oauth_refusal
from ddoauth_kit.sandbox.oauth.client_authentication import (
    BAD_CODE,
    authenticate,
    read_revocation_fields,
    read_token_fields,
)

if TYPE_CHECKING:
    from ddoauth_kit.sandbox.http.messages import Incoming
    from ddoauth_kit.sandbox.state.clients import Client
    from ddoauth_kit.sandbox.state.grants import Code, Grant
    from ddoauth_kit.sandbox.state.state import Twin

ELSEWHERE = "https://elsewhere.example/token"
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}", re.ASCII)


def issue_tokens_v1(twin: Twin, incoming: Incoming) -> Answer:
    """Answer at the older address, `/oauth2/v1/token`, unless it is turned off."""
    if not twin.switches.v1_token:
        raise api_refusal("token-v1-gone", 404, "Not found")
    try:
        return _issue_tokens(twin, incoming)
    except Refusal as refusal:
        refusal.rfc = twin.faults.strikes("other-error-shape")
        raise


def issue_tokens_v2(twin: Twin, incoming: Incoming) -> Answer:
    """Answer at the documented address, `/api/v2/oauth2/token`, with RFC 6749's refusals."""
    try:
        return _issue_tokens(twin, incoming)
    except Refusal as refusal:
        refusal.rfc = not twin.faults.strikes("other-error-shape")
        raise


def _issue_tokens(twin: Twin, incoming: Incoming) -> Answer:
    """Answer a token request of one of the two grant types."""
    if twin.faults.strikes("token-endpoint-gone"):
        raise api_refusal("token-v1-gone", 404, "Not found")
    if twin.faults.strikes("token-redirect"):
        moved = (("Location", ELSEWHERE), *NO_STORE)
        return Answer(307, content_type="text/plain; charset=utf-8", headers=moved)
    fields = read_token_fields(incoming)
    if twin.faults.strikes("error-with-200"):
        raise oauth_refusal("token-errors", "invalid_grant", BAD_CODE, status=200)
    client = authenticate(twin, incoming, fields=fields)
    grant_type = fields.get("grant_type")
    if grant_type == "authorization_code":
        return _exchange(twin, incoming, client, fields=fields)
    if grant_type == "refresh_token":
        return _refresh(twin, incoming, client, fields=fields)
    raise oauth_refusal(
        "token-grant-type",
        "unsupported_grant_type",
        "Use authorization_code or refresh_token.",
    )


def _exchange(twin: Twin, incoming: Incoming, client: Client, *, fields: dict[str, str]) -> Answer:
    code = twin.grants.find_code(fields.get("code", ""))
    if code is not None and twin.faults.strikes("spent-code"):
        code.spent = True
    if code is None:
        raise oauth_refusal("token-code-unknown", "invalid_grant", BAD_CODE)
    # Regions don't share a database, so a code sent to the wrong site still works on its own site.
    if code.org.site != incoming.site:
        raise oauth_refusal("token-code-other-site", "invalid_grant", BAD_CODE)
    if code.client.client_id != client.client_id:
        raise oauth_refusal("token-code-other-client", "invalid_grant", BAD_CODE)
    _burn(twin, code)
    if fields.get("redirect_uri") != code.redirect_uri:
        raise oauth_refusal("token-code-redirect-uri", "invalid_grant", BAD_CODE)
    if not _fits(fields.get("code_verifier", ""), code):
        raise oauth_refusal("token-code-verifier", "invalid_grant", BAD_CODE)
    if twin.faults.strikes("expired-code"):
        raise oauth_refusal("token-code-expiry", "invalid_grant", BAD_CODE)
    return _token_answer(twin, twin.grants.redeem(code))


def _burn(twin: Twin, code: Code) -> None:
    if not code.spent:
        code.spent = True
        return
    if code.grant is not None:
        twin.grants.revoke(code.grant)
    raise oauth_refusal("token-code-reuse", "invalid_grant", BAD_CODE)


def _fits(verifier: str, code: Code) -> bool:
    """Check the verifier; a switch can allow challenges that need a different check."""
    if code.method == "plain":
        return hmac.compare_digest(verifier.encode(errors="replace"), code.challenge.encode())
    return not code.method or proves(verifier, challenge=code.challenge)


def proves(verifier: str, *, challenge: str) -> bool:
    """Return whether a verifier matches an S256 challenge (RFC 7636, 4.6)."""
    if not _VERIFIER.fullmatch(verifier):
        return False
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    derived = base64.urlsafe_b64encode(digest).rstrip(b"=")
    return hmac.compare_digest(derived, challenge.encode("ascii"))


def _refresh(twin: Twin, incoming: Incoming, client: Client, *, fields: dict[str, str]) -> Answer:
    token = fields.get("refresh_token", "")
    grant = twin.grants.find_by_refresh_token(token)
    text = "Invalid or expired refresh token"
    if grant is None or grant.client.client_id != client.client_id:
        raise oauth_refusal("refresh-refused", "invalid_grant", text)
    if grant.org.site != incoming.site:
        raise oauth_refusal("refresh-other-site", "invalid_grant", text)
    if token != grant.refresh_token:
        twin.grants.revoke(grant)
        raise oauth_refusal("refresh-reuse", "invalid_grant", text)
    if twin.ends_now(grant):
        raise oauth_refusal("refresh-refused", "invalid_grant", text)
    if twin.switches.rotates:
        twin.grants.renew_refresh_token(grant)
    return _token_answer(twin, grant, silent=twin.faults.strikes("no-refresh-token"))


def _token_answer(twin: Twin, grant: Grant, *, silent: bool = False) -> Answer:
    stray = twin.faults.strikes("other-site-token")
    lifetime = twin.lifetimes.of(grant.org.id)
    access = twin.grants.issue_access_token(
        _elsewhere(twin, grant) if stray else grant, lifetime=lifetime
    )
    body: dict[str, object] = {
        "access_token": access.value,
        "refresh_token": grant.refresh_token,
        "expires_in": math.ceil(lifetime.claims),
        "token_type": "Bearer",
        "scope": " ".join(grant.scopes),
    }
    if silent:
        del body["refresh_token"]
    return replace(json_answer(200, body, *NO_STORE), cut_off=twin.faults.strikes("lost-answer"))


def _elsewhere(twin: Twin, grant: Grant) -> Grant:
    """Return the grant as if it came from the first org of the next site."""
    return replace(grant, org=twin.org(next_site(grant.org.site)))


def revoke_token(twin: Twin, incoming: Incoming) -> Answer:
    """End the whole grant that a token belongs to; an unknown token is a success (RFC 7009)."""
    fields = read_revocation_fields(incoming)
    client = authenticate(twin, incoming, fields=fields)
    token = fields.get("token", "")
    if not token:
        raise oauth_refusal("revoke-missing-token", "invalid_request", "Missing token.")
    grant = twin.grants.find_by_any_token(token)
    if (
        grant is not None
        and grant.client.client_id == client.client_id
        and grant.org.site == incoming.site
    ):
        twin.grants.revoke(grant)
    # A client that trusts the type would try to parse an empty body as JSON.
    return Answer(200, content_type="text/plain; charset=utf-8", headers=NO_STORE)
