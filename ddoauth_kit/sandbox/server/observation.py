"""Describe a request for the journal: names, public values, and fingerprints of secret values."""

from __future__ import annotations

import json
import re
from sys import intern
from typing import TYPE_CHECKING, Any

from ddoauth_kit.sandbox.oauth.client_authentication import (
    basic_credentials,
    field_names,
    names_of,
    sent_pairs,
)
from ddoauth_kit.sandbox.server.attribution import AUTHORIZE_PATH
from ddoauth_kit.sandbox.server.reasons import without_credentials
from ddoauth_kit.sandbox.server.router import TOKEN_PATHS, find_route

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ddoauth_kit.sandbox.http.messages import Incoming
    from ddoauth_kit.sandbox.state.fingerprints import Fingerprints

FRONT_HEADER = "ddoauth-front-host"
_OPEN = (
    "response_type",
    "client_id",
    "code_challenge_method",
    "scope",
    "redirect_uri",
    "grant_type",
    "token_type_hint",
)
_MARKED = (
    "state",
    "code_challenge",
    "code_verifier",
    "code",
    "refresh_token",
    "client_secret",
    "token",
)
_MEASURED = ("state", "code_challenge", "code_verifier")
_LONGEST_VALUE = 2000
_LONGEST_TYPE = 100
_LARGEST_JSON = 16 * 1024
# A path can contain an API key (Datadog's legacy log intake), which must not appear here.
_LONG = re.compile(r"[^/]{20,}")
_HOST = re.compile(r"[a-z0-9.:\[\]_-]{1,253}", re.ASCII)


def observe(incoming: Incoming, *, prints: Fingerprints) -> dict[str, Any]:
    """Return what the journal records about a request to a known host."""
    route = find_route(incoming.role, incoming.path)
    seen: dict[str, Any] = {
        "site": incoming.site.name,
        "role": incoming.role,
        "host": asked_host(incoming.headers),
        "method": incoming.method,
        # Ten thousand entries name only a few hosts and paths, so they share the strings.
        "path": intern((without_credentials if route else masked)(incoming.path)),
        "operation": (route.operations.get(incoming.method) or None) if route else None,
        "content_type": intern(without_credentials(incoming.content_type)[:_LONGEST_TYPE]),
        "query_fields": _named(names_of(incoming.query)),
        "form_fields": _named(field_names(incoming)),
        "json_fields": _named(_json_names(incoming)),
    }
    found = dict(_protocol_pairs(incoming))
    if found:
        seen["values"] = _open_values(found)
        seen["lengths"] = {name: len(found[name]) for name in _MEASURED if name in found}
    scheme, _, credentials = incoming.headers.get("authorization", "").partition(" ")
    seen["authentication"] = _authentication(incoming, found, scheme.lower())
    hidden = _hidden(incoming, found, scheme.lower(), credentials.strip())
    if hidden:
        seen["fingerprints"] = {name: prints.of(value) for name, value in hidden.items()}
    return seen


def asked_host(headers: Mapping[str, str]) -> str:
    """Return the host that the client asked for; if there is a front, it reports this host."""
    host = (headers.get(FRONT_HEADER) or headers.get("host", "")).lower()
    return intern(host) if _HOST.fullmatch(host) else ""


def masked(text: str) -> str:
    """Mask long segments of a path that is not served."""
    return _LONG.sub("<masked>", text)[:200]


def _protocol_pairs(incoming: Incoming) -> tuple[tuple[str, str], ...]:
    if incoming.path in TOKEN_PATHS:
        return sent_pairs(incoming)
    if incoming.path == AUTHORIZE_PATH and incoming.role == "app" and incoming.method == "GET":
        return incoming.query
    return ()


def _open_values(found: dict[str, str]) -> dict[str, str]:
    return {
        name: without_credentials(found[name])[:_LONGEST_VALUE] for name in _OPEN if name in found
    }


def _named(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(without_credentials, names))


def _hidden(
    incoming: Incoming, found: dict[str, str], scheme: str, credentials: str
) -> dict[str, str]:
    hidden = {name: found[name] for name in _MARKED if found.get(name)} if found else {}
    if scheme == "bearer" and credentials:
        hidden["access_token"] = credentials
    elif scheme == "basic" and "client_secret" not in hidden:
        hidden["client_secret"] = basic_credentials(credentials)[1]
    key = incoming.headers.get("dd-api-key")
    if key:
        hidden["api_key"] = key
    return hidden


def _authentication(incoming: Incoming, found: dict[str, str], scheme: str) -> str:
    ways = ["body"] if "client_secret" in found and incoming.path in TOKEN_PATHS else []
    if scheme in {"basic", "bearer"}:
        ways.append(scheme)
    if "dd-api-key" in incoming.headers:
        ways.append("api-key")
    return "+".join(ways) or "none"


def _json_names(incoming: Incoming) -> tuple[str, ...]:
    if incoming.content_type != "application/json" or len(incoming.body) > _LARGEST_JSON:
        return ()
    try:
        document = json.loads(incoming.body)
    except (ValueError, RecursionError):
        return ()
    return names_of(document.items()) if isinstance(document, dict) else ()
