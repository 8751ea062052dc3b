"""Read a token or revocation request, and authenticate its client."""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus

from ddoauth_kit.sandbox.http.messages import duplicates
from ddoauth_kit.sandbox.http.refusals import UNAUTHORIZED, Refusal, oauth_refusal

if TYPE_CHECKING:
    from collections.abc import Collection

    from ddoauth_kit.sandbox.http.messages import Incoming
    from ddoauth_kit.sandbox.state.clients import Client
    from ddoauth_kit.sandbox.state.state import Twin

FIELDS_NAMED = 30
BAD_REQUEST = 400

# A careless client posts a bare token, which a form parser takes for the name of a field.
_NAME = re.compile(r"[a-z_]{1,24}(?:\[[a-z_]{0,24}\]){0,2}", re.ASCII)

BAD_CODE = "Invalid authorization code or code verifier."


def read_token_fields(incoming: Incoming) -> dict[str, str]:
    """Read a token request; a wrong content type gets the same refusal as a wrong code."""
    return _read_fields(incoming, oauth_refusal("token-content-type", "invalid_grant", BAD_CODE))


def read_revocation_fields(incoming: Incoming) -> dict[str, str]:
    """Read a revocation request, which does not contain a code."""
    text = "Send the fields as application/x-www-form-urlencoded."
    return _read_fields(incoming, oauth_refusal("revoke-content-type", "invalid_request", text))


def _read_fields(incoming: Incoming, wrong_type: Refusal) -> dict[str, str]:
    """Read the body, a form or JSON; each field may appear only once (RFC 6749, 3.2)."""
    if incoming.content_type == "application/x-www-form-urlencoded":
        pairs = incoming.form()
    elif incoming.content_type == "application/json":
        pairs = _json_pairs(incoming.body)
    else:
        raise wrong_type
    repeated = duplicates(pairs)
    if repeated:
        raise oauth_refusal(
            "token-duplicate-field", "invalid_request", f"Duplicate field: {', '.join(repeated)}."
        )
    return dict(pairs)


def _json_pairs(body: bytes) -> tuple[tuple[str, str], ...]:
    def keep_pairs(pairs: list[tuple[str, Any]]) -> tuple[tuple[str, Any], ...]:
        return tuple(pairs)

    try:
        pairs = json.loads(body, object_pairs_hook=keep_pairs)
    except (ValueError, RecursionError):
        pairs = None
    flat = isinstance(pairs, tuple) and all(isinstance(value, str) for _, value in pairs)
    if not flat:
        raise oauth_refusal(
            "token-json-body", "invalid_request", "The body must be a flat JSON object of strings."
        )
    checked: tuple[tuple[str, str], ...] = pairs
    return checked


def authenticate(twin: Twin, incoming: Incoming, *, fields: dict[str, str]) -> Client:
    """Return the client that authenticates with its secret (RFC 6749, 2.3.1)."""
    client_id, secret, refused = _proof(twin, incoming, fields=fields)
    client = twin.clients.find(client_id, site=incoming.site.name)
    if client is None:
        raise oauth_refusal(
            "token-unknown-client", "invalid_client", "Unknown client.", status=refused
        )
    if not secret:
        raise oauth_refusal(
            "token-missing-secret", "invalid_client", "Missing client_secret.", status=401
        )
    if not hmac.compare_digest(secret.encode(errors="replace"), client.client_secret.encode()):
        raise oauth_refusal(
            "token-wrong-secret", "invalid_client", "Invalid client_secret.", status=refused
        )
    return client


def _proof(twin: Twin, incoming: Incoming, *, fields: dict[str, str]) -> tuple[str, str, int]:
    """Return the id, the secret and the status for a refusal: 401 for Basic (RFC 6749, 5.2)."""
    scheme, _, credentials = incoming.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return fields.get("client_id", ""), fields.get("client_secret", ""), BAD_REQUEST
    if not twin.switches.basic:
        raise oauth_refusal(
            "token-basic", "invalid_client", "Send the credentials in the body.", status=401
        )
    if "client_secret" in fields:
        raise oauth_refusal(
            "token-two-methods", "invalid_request", "Use only one method of client authentication."
        )
    return (*basic_credentials(credentials), UNAUTHORIZED)


def basic_credentials(credentials: str) -> tuple[str, str]:
    """Return the id and secret from a Basic header, or empty strings if it is unreadable."""
    try:
        text = base64.b64decode(credentials, validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        text = ""
    client_id, _, secret = text.partition(":")
    return unquote_plus(client_id), unquote_plus(secret)


def sent_pairs(incoming: Incoming) -> tuple[tuple[str, str], ...]:
    """Return the readable fields of a body, a form or JSON."""
    if incoming.content_type != "application/json":
        return incoming.form()
    try:
        return _json_pairs(incoming.body)
    except Refusal:
        return ()


def field_names(incoming: Incoming) -> tuple[str, ...]:
    """Return the field names of a form body, for the journal."""
    is_form = incoming.content_type == "application/x-www-form-urlencoded"
    return names_of(incoming.form()) if is_form else ()


def names_of(pairs: Collection[tuple[str, object]]) -> tuple[str, ...]:
    """Return field names without duplicates and without strings that don't look like names."""
    if not pairs:
        return ()
    names = dict.fromkeys(name for name, _ in pairs)
    return tuple(name for name in names if _NAME.fullmatch(name))[:FIELDS_NAMED]
