"""Identify a request's organization, attempt and grant before it is answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddoauth_kit.sandbox.oauth.client_authentication import sent_pairs
from ddoauth_kit.sandbox.server.router import TOKEN_PATHS

if TYPE_CHECKING:
    from ddoauth_kit.sandbox.http.messages import Incoming
    from ddoauth_kit.sandbox.state.grants import Grant
    from ddoauth_kit.sandbox.state.state import Twin

AUTHORIZE_PATH = "/oauth2/v1/authorize"


def attribute(twin: Twin, incoming: Incoming) -> None:
    """Record what a request claims about its organization and attempt; it may still be refused."""
    if incoming.path in TOKEN_PATHS:
        _by_fields(twin, dict(sent_pairs(incoming)))
    elif incoming.role == "app":
        _by_browser(twin, incoming)
    else:
        _by_credential(twin, incoming)


def _by_fields(twin: Twin, fields: dict[str, str]) -> None:
    handling = twin.handling
    code = twin.grants.find_code(fields.get("code", ""))
    if code is not None:
        handling.org, handling.attempt, handling.code = code.org.id, code.attempt, code
        return
    token = fields.get("refresh_token") or fields.get("token", "")
    _belongs(twin, twin.grants.whose(token))


def _by_browser(twin: Twin, incoming: Incoming) -> None:
    handling = twin.handling
    session = twin.sessions.find(incoming.cookies.get(twin.cookie), site=incoming.site.name)
    org = session.org if session is not None else twin.org(incoming.site)
    handling.org = org.id
    if incoming.path != AUTHORIZE_PATH:
        return
    if incoming.method == "GET":
        wanted = incoming.parameters.get("dd_oid")
        handling.org = twin.org(incoming.site, org_id=wanted).id if wanted else org.id
        handling.attempt = _mark(twin, incoming.parameters.get("state"))
    elif session is not None:
        pending = session.pending.get(dict(incoming.form()).get("request", ""))
        if pending is not None:
            handling.org, handling.attempt = pending.org.id, pending.attempt


def _by_credential(twin: Twin, incoming: Incoming) -> None:
    scheme, _, token = incoming.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        _belongs(twin, twin.grants.whose(token.strip()))
    key = incoming.headers.get("dd-api-key")
    found = twin.keys.find(key, site=incoming.site.name) if key else None
    if found is not None:
        twin.handling.org = found.org.id


def _belongs(twin: Twin, grant: Grant | None) -> None:
    if grant is not None:
        handling = twin.handling
        handling.org, handling.attempt, handling.grant = grant.org.id, grant.attempt, grant


def _mark(twin: Twin, state: str | None) -> str:
    return twin.prints.of(state) if state else ""
