"""Build the values that tests start with, and check whether text reveals a secret."""

from __future__ import annotations

import traceback
from base64 import b64encode, urlsafe_b64encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from ddoauth_kit import (
    DATADOG_SITES,
    ClientRegistration,
    Endpoints,
    Http,
    OAuthClient,
    Secret,
    Site,
    TokenSet,
)
from ddoauth_kit.exchange import Exchange
from ddoauth_kit.http.message import Request, Response
from ddoauth_kit.http.record import Record
from ddoauth_kit.masking.redaction import redact_body
from ddoauth_kit.oauth.grant import Grant, grant_slot
from ddoauth_kit.scopes import GrantedScopes
from ddoauth_kit.sites import Host
from ddoauth_kit.store import MemoryStore
from support.places import TESTS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ddoauth_kit import AuthorizationRequest

US1 = DATADOG_SITES.named("us1")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
CLIENT_SECRET = "canary-client-secret/+=&"
ACCESS_TOKEN = "canary-access-token"
REFRESH_TOKEN = "canary-refresh-token"
API_KEY = "0123456789abcdef0123456789abcdef"


def local_site(url: str) -> Site:
    """Return a test site whose hosts are all at one URL."""
    return Site(
        name="lab1",
        domain="lab1.example.com",
        app_host="app.lab1.example.com",
        location="this machine",
        endpoints=Endpoints(url, url, url, url),
    )


def registration(**changes: Any) -> ClientRegistration:
    """Return a client that is valid on US1 and on the test site."""
    values = {
        "client_id": "6dd8ed6c-0000-4000-8000-00000000c11e",
        "client_secret": Secret(CLIENT_SECRET, label="client_secret"),
        "name": "Acme Sensors",
        "sites": ("us1", "lab1"),
        "scopes": ("events_read", "api_keys_write"),
        "redirect_uris": ("https://acme.example.com/callback",),
        "onboarding_url": "https://acme.example.com/onboarding",
    }
    return ClientRegistration(**{**values, **changes})


def tokens(**changes: Any) -> TokenSet:
    """Return a grant with both tokens."""
    scopes = ("events_read", "api_keys_write")
    values = {
        "access_token": Secret(ACCESS_TOKEN, label="access_token"),
        "refresh_token": Secret(REFRESH_TOKEN, label="refresh_token"),
        "expires_at": NOW,
        "scopes": GrantedScopes(requested=scopes, granted=scopes),
        "site": US1,
        "client_id": registration().client_id,
    }
    return TokenSet(**{**values, **changes})


def kept_grant(given: TokenSet | None = None, *, http: Http | None = None) -> Grant:
    """Return an in-memory keeper of tokens that are valid for an hour."""
    given = given or tokens()
    names = DATADOG_SITES.names
    sites = DATADOG_SITES if given.site.name in names else DATADOG_SITES.with_site(given.site)
    client = OAuthClient(
        registration(), sites=sites, http=http or Http(timeout=1.0), clock=lambda: NOW
    )
    grant = Grant(client, store=MemoryStore(), slot=grant_slot(given))
    grant.keep(replace(given, expires_at=NOW + timedelta(hours=1)))
    return grant


def request(site: Site, **changes: Any) -> Request:
    """Return a plain GET that may be repeated."""
    values = {
        "purpose": "current user call",
        "method": "GET",
        "site": site,
        "host": Host.API,
        "path": "/api/v2/current_user",
        "repeatable": True,
    }
    return Request(**{**values, **changes})


def response(status: int = 200, text: str = "{}", **headers: str) -> Response:
    """Return a response as `Http` would build it."""
    exchange = Exchange(
        purpose="token exchange",
        method="POST",
        url="https://api.datadoghq.com/api/v2/oauth2/token",
        status=status,
        response_body=redact_body(text),
    )
    return Response(status=status, headers=headers, text=text, record=Record(exchange))


def redirect(request: AuthorizationRequest, **changes: str | None) -> str:
    """Return the redirect for a request; the value None omits a parameter."""
    values = {
        "code": "canary-code",
        "state": request.state.reveal(),
        "domain": request.site.domain,
        "site": request.site.public.app_url,
    }
    given = {name: value for name, value in {**values, **changes}.items() if value is not None}
    return f"{request.redirect_uri}?{urlencode(given)}"


def readable(secret: str, text: str) -> bool:
    """Return whether text shows a secret: raw, URL-encoded or in base64."""
    raw = secret.encode()
    forms = {secret, quote(secret, safe=""), repr(secret)[1:-1]}
    # Base64 of a part of a longer text has one of three shapes; the ends depend on what is beside.
    for lead in range(3):
        padded = b"\0" * lead + raw
        whole = padded[: len(padded) // 3 * 3]
        skipped = -(-lead * 4 // 3) if lead else 0
        forms |= {e(whole)[skipped:].decode() for e in (b64encode, urlsafe_b64encode)}
    return any(form in text for form in forms)


def with_locals(error: BaseException) -> str:
    """Return the traceback with the local variables of all frames except the test's own."""
    trace = traceback.TracebackException.from_exception(error, capture_locals=True, compact=True)
    tests = str(TESTS)
    trace.stack = traceback.StackSummary.from_list(
        [frame for frame in trace.stack if not frame.filename.startswith(tests)]
    )
    return "".join(trace.format())


def shown(values: Iterable[object]) -> str:
    """Return all text forms of some values, joined into one string."""
    texts = [f"{value!r}\n{value}\n{getattr(value, '_repr_html_', str)()}" for value in values]
    return "\n".join(texts)


def notebook_file(folder: Path, name: str, *code: str) -> Path:
    """Write a small notebook with the lessons' parameters and these cells."""
    import nbformat

    parameters = nbformat.v4.new_code_cell(
        'SITE = "us1"\nMODE = "sandbox"\nCLIENT = ""\nWRITES = False'
    )
    parameters.metadata["tags"] = ["parameters"]
    cells = [parameters, *(nbformat.v4.new_code_cell(text) for text in code)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {
        "name": "python3",
        "display_name": "Python 3",
        "language": "python",
    }
    path = folder / f"{name}.ipynb"
    nbformat.write(notebook, path)
    return path
