"""Explain why a request was refused, for people who debug a server with the journal."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ddoauth_kit.sandbox.http.refusals import Refusal
    from ddoauth_kit.sandbox.state.handling import Handling

# Explanations for refusals whose own text is not enough.
REASONS: Mapping[str, str] = MappingProxyType(
    {
        "api-key-once": (
            "This client has already created its API key in this organization. Store the first "
            "response; the customer can revoke the key to allow a new one."
        ),
        "authorize-challenge-shape": "The code_challenge is not 43 characters of base64url.",
        "authorize-disabled-app": "An administrator disabled this app.",
        "authorize-duplicate-parameter": "A parameter of the authorization request is repeated.",
        "authorize-pkce-required": "The authorization request has no code_challenge.",
        "authorize-private-client": "The client is private and belongs to another organization.",
        "authorize-redirect-uri": "The redirect_uri does not match a registered one byte for byte.",
        "authorize-response-type": "The response_type is not code.",
        "authorize-s256-only": "The code_challenge_method is not S256.",
        "authorize-unknown-client": "This site does not know the client_id.",
        "authorize-unknown-scope": (
            "The client is not registered for one of the scopes. Scopes are separated by spaces."
        ),
        "bearer-invalid": "The access token is unknown, expired or revoked.",
        "bearer-key-instead": "This call needs a bearer token, but was sent with an API key.",
        "bearer-missing": "The call has no bearer token.",
        "bearer-other-site": "The access token belongs to another site. Call the customer's site.",
        "bearer-without-oauth": "The profile no-oauth returns 401 for bearer tokens here.",
        "body-limit": "The body is larger than 5 MB.",
        "consent-denied": "The customer denied the request.",
        "consent-once": "This consent has already been answered.",
        "consent-scopes-blocked": "An administrator blocked all requested scopes.",
        "control-refused": "The control key is missing or wrong.",
        "foreign-host": "The Host header does not name the sandbox's host and port.",
        "foreign-page": "A web page from another origin sent this request.",
        "form-csrf": "The form is not from a page in this browser's session.",
        "key-invalid": "The API key is wrong, revoked, or from another site.",
        "key-missing": "The call has no DD-API-KEY header.",
        "keys-closed": "OAuth tokens cannot manage API keys.",
        "live-link-once": "The link to the live view has already been used.",
        "product-missing": "The profile products-missing removes this product from this site.",
        "rate-limit-reached": "The profile's rate limit has been reached.",
        "refresh-other-site": "The refresh token belongs to another site.",
        "refresh-refused": "The refresh token is unknown or revoked, or belongs to another client.",
        "refresh-reuse": "The refresh token has already been replaced. Its grant has ended.",
        "revoke-content-type": "The revocation request is neither a form nor JSON.",
        "revoke-missing-token": "The revocation request has no token.",
        "scope-missing": (
            "The access token lacks a scope that this operation needs, or its user lacks the "
            "permission."
        ),
        "token-app-host": "The app host has no token endpoint. Post to the API host.",
        "token-basic": "The secret was sent with HTTP Basic; Datadog's pages show it in the body.",
        "token-code-expiry": "The authorization code has expired.",
        "token-code-other-client": "The authorization code belongs to another client.",
        "token-code-other-site": (
            "The authorization code belongs to another site. Post it to the site that the "
            "redirect's domain names."
        ),
        "token-code-redirect-uri": (
            "The redirect_uri differs from the one in the authorization request."
        ),
        "token-code-reuse": "The authorization code has already been used. Its grant has ended.",
        "token-code-unknown": "The authorization code is unknown or has expired.",
        "token-code-verifier": (
            "The code_verifier does not match the code_challenge, or is not 43 to 128 characters."
        ),
        "token-content-type": "The token request is neither a form nor JSON.",
        "token-duplicate-field": "A field of the request is repeated.",
        "token-grant-type": "The grant_type is neither authorization_code nor refresh_token.",
        "token-json-body": "The JSON body is not a flat object of strings.",
        "token-missing-secret": "The request has no client_secret.",
        "token-two-methods": "The secret was sent both with HTTP Basic and in the body.",
        "token-unknown-client": "This site does not know the client_id.",
        "token-v1-gone": "The older token endpoint is turned off.",
        "token-wrong-secret": "The client_secret is wrong for this site.",
        "unknown-path": "This host serves nothing at this address.",
        "wrong-method": "This address does not support this method.",
    }
)


# A careless client may have put a secret where an open value belongs.
_CREDENTIAL = re.compile(
    r"sandbox-(?:secret|code|access|refresh|key)-[0-9a-f]+"
    r"|dd(?:pat|sat|app)_[A-Za-z0-9_-]{16,200}"
    r"|eyJ[A-Za-z0-9_-]{8,4096}\.[A-Za-z0-9_-]{8,8192}(?:\.[A-Za-z0-9_-]{0,2048})?"
    r"|(?<![0-9A-Za-z])(?:pub)?[0-9a-fA-F]{32}(?:[0-9a-fA-F]{8})?(?![0-9A-Za-z])"
)
_SHORTEST = 20


def without_credentials(text: str) -> str:
    """Return a string without the sandbox's own secrets or anything that looks like Datadog's."""
    return _CREDENTIAL.sub("<masked>", text) if len(text) > _SHORTEST else text


def told(refusal: Refusal | None, handling: Handling) -> tuple[str, str]:
    """Return the behaviour behind a refusal, and the reason; both are empty for a success."""
    if refusal is None and not handling.struck and not handling.tolerated:
        return "", ""
    struck, forgiven = tuple(dict.fromkeys(handling.struck)), handling.tolerated
    sentences = [f"The fault {name} was requested." for name in struck]
    sentences += [f"The switch {name} allows something that Datadog refuses." for name in forgiven]
    if refusal is None:
        return (f"fault:{struck[0]}" if struck else ""), " ".join(sentences)
    reason = REASONS.get(refusal.behaviour) or _own_words(refusal)
    return refusal.behaviour, " ".join([reason, *sentences])


def _own_words(refusal: Refusal) -> str:
    first = refusal.errors[0] if refusal.errors else refusal.text
    text = str(first.get("detail", "")) if isinstance(first, dict) else str(first)
    return without_credentials(text)[:300] or "The request was refused."
