"""Determine who may call an operation: bearer tokens with their scopes, and API keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddoauth_kit.sandbox.http.refusals import Refusal, api_refusal, bearer_refusal

if TYPE_CHECKING:
    from ddoauth_kit.sandbox.facts.catalogue import Operation
    from ddoauth_kit.sandbox.http.messages import Incoming
    from ddoauth_kit.sandbox.state.grants import Grant
    from ddoauth_kit.sandbox.state.issued_api_keys import ApiKey
    from ddoauth_kit.sandbox.state.state import Twin

_UNAUTHORIZED = "Unauthorized"


def bearer_grant(twin: Twin, incoming: Incoming, operation: Operation) -> Grant:
    """Return the grant behind the request's bearer token, whatever its scopes (RFC 6750, 2.1)."""
    scheme, _, value = incoming.headers.get("authorization", "").partition(" ")
    if not value and incoming.headers.get("dd-api-key"):
        raise api_refusal("bearer-key-instead", 403, "Forbidden")
    if scheme.lower() != "bearer" or not value:
        raise bearer_refusal("bearer-missing", 401, _UNAUTHORIZED)
    token = twin.grants.find_access_token(value.strip())
    if token is not None and token.grant.org.site != incoming.site:
        raise _invalid("bearer-other-site")
    if token is not None and (twin.ends_now(token.grant) or twin.expires_now(token)):
        token = None
    if token is None:
        raise _invalid("bearer-invalid")
    if operation.touches_data and not twin.profile.oauth_data:
        raise _invalid("bearer-without-oauth")
    if operation.manages_keys:
        raise _invalid("keys-closed")
    token.grant.exercised = twin.clock.timestamp()
    return token.grant


def _invalid(behaviour: str) -> Refusal:
    text = "The access token is unknown, expired, revoked or from another site."
    return bearer_refusal(behaviour, 401, _UNAUTHORIZED, code="invalid_token", text=text)


def check_scopes(grant: Grant, operation: Operation) -> None:
    """Refuse a call that the grant's scopes or its user's permissions don't allow."""
    granted, own = frozenset(grant.scopes), grant.org.admin.permissions
    if not operation.is_open_to(granted if own is None else granted & own):
        raise bearer_refusal(
            "scope-missing",
            403,
            "Forbidden",
            "Failed permission authorization checks",
            code="insufficient_scope",
            text="The access token lacks a scope that this operation needs.",
        )


def api_key(twin: Twin, incoming: Incoming) -> ApiKey:
    """Return the API key from the `DD-API-KEY` header; bearer tokens can't send data."""
    value = incoming.headers.get("dd-api-key", "")
    if not value:
        raise api_refusal("key-missing", 403, "API key required")
    key = twin.keys.find(value, site=incoming.site.name)
    if key is None:
        raise api_refusal("key-invalid", 403, "Forbidden")
    return key
