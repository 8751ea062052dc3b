"""Be a partner's server that does OAuth with Datadog right: copy what you need.

It serves all sites, by several processes (its state lies in files), and works behind a proxy.
Variables: `DD_CLIENT_ID`, `DD_CLIENT_SECRET`, `REDIRECT_URI`, `SCOPES`, `STATE_FOLDER`,
`SESSION_SECRET` (signs the cookie), `LOGIN_PASSWORD` (of all accounts; a real server has its own
login), `PORT` (3000) and `WORKERS` (1).
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import time
from html import escape
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl

import uvicorn
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from ddoauth_kit import (
    DATADOG_SITES,
    ClientRegistration,
    FileStore,
    Grant,
    OAuthClient,
    Secret,
    ensure_api_key,
)
from ddoauth_kit.api.queries import monitor_list_request
from ddoauth_kit.api.telemetry import Telemetry, event_request, send
from ddoauth_kit.errors import AuthorizationError, DdoauthError, InputError
from ddoauth_kit.http.sender import Http
from ddoauth_kit.oauth.file_records import FileRecords
from ddoauth_kit.oauth.grant import grant_slot, kept_grants
from ddoauth_kit.oauth.shared_pending import SharedPending
from ddoauth_kit.registration import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

    from ddoauth_kit.oauth.tokens import TokenSet

COOKIE: Final = "acme_session"
SECONDS: Final = 10.0  # for each request to Datadog
HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
NOTHING: Final = JSONResponse({"error": "Connect Datadog first."}, 409, HEADERS)


class Acme:
    """Answer the requests of one process; every process of the server has one."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        folder = Path(environ["STATE_FOLDER"])
        registration = ClientRegistration(
            client_id=environ["DD_CLIENT_ID"],
            client_secret=Secret(environ["DD_CLIENT_SECRET"], label="client_secret"),
            kind=Kind.PUBLISHED,  # good on every site
            sites=tuple(DATADOG_SITES.names),
            redirect_uris=(environ["REDIRECT_URI"],),
            scopes=tuple(environ["SCOPES"].split()),
        )
        pending = SharedPending(FileRecords(folder / "pending"))
        self.client = OAuthClient(registration, http=Http(timeout=SECONDS), pending=pending)
        self.store = FileStore(folder / "secrets")
        self.customers = folder / "customers"
        self.key = environ["SESSION_SECRET"].encode()
        self.password = environ["LOGIN_PASSWORD"]

    def home(self, request: Request) -> Response:
        """Show the link to Datadog, or the login."""
        if self.session(request):
            return page('<a href="/connect/datadog">Connect Datadog</a>')
        fields = '<input name="account"><input name="password" type="password"><button>Log in'
        return page(f'<form method="post" action="/login">{fields}</button></form>')

    async def login(self, request: Request) -> Response:
        """Log an account in: a new session, so that nobody can plant one."""
        form = dict(parse_qsl((await request.body()).decode(errors="replace")))
        account, password = form.get("account", ""), form.get("password", "")
        if not account or not hmac.compare_digest(password.encode(), self.password.encode()):
            return page("Wrong account or password.", status=403)
        value = f"{secrets.token_urlsafe(32)}.{account.encode().hex()}"
        answer = RedirectResponse("/", status_code=303, headers=HEADERS)
        https = request.headers.get("x-forwarded-proto", request.url.scheme) == "https"
        answer.set_cookie(COOKIE, self.signed(value), httponly=True, samesite="lax", secure=https)
        return answer

    def onboarding(self, request: Request) -> Response:
        """Send the customer to Datadog: from the tile with `domain` and `site`, or without."""
        session = self.session(request)
        if not session:
            return page("Log in first.", status=403)
        query = request.query_params
        begun = self.client.begin(
            domain=query.get("domain", ""), site_url=query.get("site", ""), session=session
        )
        return RedirectResponse(begun.url, status_code=303, headers=HEADERS)

    def callback(self, request: Request) -> Response:
        """Take the redirect: exchange its code, store the grant, get the API key, and move on."""
        session = self.session(request)
        if not session:
            return page("Log in first.", status=403)
        tokens = self.client.complete(request.url.query, session=session)
        Grant(self.client, store=self.store, slot=grant_slot(tokens)).keep(tokens)
        if "api_keys_write" in tokens.scopes.granted:
            ensure_api_key(self.client.http, tokens=tokens, store=self.store)
        self.remember(session, tokens)
        return RedirectResponse("/connected", status_code=303, headers=HEADERS)

    def connected(self, request: Request) -> Response:
        """Say which organization is connected, and what was not granted."""
        grant = self.grant(request)
        tokens = grant.kept() if grant else None
        if not tokens:
            return page("Nothing is connected.")
        said = f"Connected to Datadog: {tokens.dd_org_name or tokens.dd_oid} on {tokens.site.name}."
        missing = f" Not granted: {', '.join(tokens.scopes.withheld)}."
        return page(escape(said + missing * bool(tokens.scopes.withheld)))

    def send(self, request: Request) -> Response:
        """Send an event with the organization's API key, to its site."""
        if not (grant := self.grant(request)):
            return NOTHING
        key = ensure_api_key(self.client.http, tokens=grant.tokens(), store=self.store)
        sample = Telemetry("acme.deploy", 1.0, int(time.time()), source="acme")
        send(self.client.http, event_request(key, sample=sample))
        return JSONResponse({"sent": True})

    def call(self, request: Request) -> Response:
        """List monitors with the organization's access token, which is refreshed when it must."""
        if not (grant := self.grant(request)):
            return NOTHING
        status = grant.send(monitor_list_request).status
        return JSONResponse({"status": status}, 200 if status < HTTPStatus.BAD_REQUEST else 502)

    def refresh(self, request: Request) -> Response:
        """Renew the access token now."""
        if not (grant := self.grant(request)):
            return NOTHING
        return JSONResponse({"refreshed": grant.renew().site.name})

    def disconnect(self, request: Request) -> Response:
        """Forget and revoke the grant."""
        if not (grant := self.grant(request)):
            return NOTHING
        grant.end()
        return JSONResponse({"disconnected": grant.slot.site})

    def connections(self, request: Request) -> Response:
        """List the account's organizations."""
        found = [grant.slot for record in self.records(request) if (grant := self.stored(record))]
        slots = [{"site": slot.site, "organization": slot.org} for slot in dict.fromkeys(found)]
        return JSONResponse({"connected": slots})

    def session(self, request: Request) -> str:
        """Return the signed session of this browser, empty for a stranger."""
        value = request.cookies.get(COOKIE, "")
        known = hmac.compare_digest(self.signed(value.rpartition(".")[0]), value)
        return value if known else ""

    def signed(self, value: str) -> str:
        """Return a value with its signature."""
        return f"{value}.{hmac.new(self.key, value.encode(), hashlib.sha256).hexdigest()}"

    def remember(self, session: str, tokens: TokenSet) -> None:
        """Note what the account has connected: your own account decides, and never `dd_oid`."""
        record = self.record(session)
        record.parent.mkdir(parents=True, exist_ok=True)
        slot = grant_slot(tokens)
        record.write_text(json.dumps({"site": slot.site, "org": slot.org}), "utf-8")

    def record(self, session: str) -> Path:
        """Return where this session notes its organization, in the folder of its account."""
        account = session.split(".")[1]
        return self.customers / account / hashlib.sha256(session.encode()).hexdigest()

    def records(self, request: Request) -> list[Path]:
        """Return what the account has connected: this session's own first, then the newest."""
        session = self.session(request)
        if not session:
            return []
        own = self.record(session)
        return sorted(own.parent.glob("*"), key=lambda each: (each != own, -each.stat().st_mtime))

    def stored(self, record: Path) -> Grant | None:
        """Return a grant that is stored, also after a restart; it refreshes once for everybody."""
        slot = json.loads(record.read_text("utf-8"))
        return next(iter(kept_grants(self.client, store=self.store, **slot)), None)

    def grant(self, request: Request) -> Grant | None:
        """Return the grant that this browser works with, or nothing."""
        records = self.records(request)
        return self.stored(records[0]) if records else None


def page(text: str, *, status: int = 200) -> Response:
    """Return a page that nobody stores and nobody frames; `text` is HTML."""
    html = f'<!doctype html><html lang="en"><title>Acme</title><main><p>{text}</p></main></html>'
    return HTMLResponse(html, status_code=status, headers=HEADERS)


async def failed(_: Request, error: Exception) -> Response:
    """Say what happened and what to do next; the kit has masked both, and nothing is logged."""
    assert isinstance(error, DdoauthError)  # noqa: S101 - it is registered for these alone
    status = 400 if isinstance(error, AuthorizationError | InputError) else 502
    advice = error.advice[:1].upper() + error.advice[1:]
    return page(f"{escape(error.what)}<br>{escape(advice)}", status=status)


def app() -> Starlette:
    """Make the application of one process."""
    acme = Acme(os.environ)
    routes = [
        Route("/", acme.home),
        Route("/login", acme.login, methods=["POST"]),
        Route("/connect/datadog", acme.onboarding),
        Route("/oauth/callback", acme.callback),
        Route("/connected", acme.connected),
        Route("/send", acme.send, methods=["POST"]),
        Route("/call", acme.call),
        Route("/refresh", acme.refresh, methods=["POST"]),
        Route("/disconnect", acme.disconnect, methods=["POST"]),
        Route("/connections", acme.connections),
    ]
    return Starlette(routes=routes, exception_handlers={DdoauthError: failed})


if __name__ == "__main__":
    uvicorn.run(
        "ddoauth_kit.grading.reference_server:app",
        factory=True,
        port=int(os.environ.get("PORT", "3000")),
        workers=int(os.environ.get("WORKERS", "1")),
        access_log=False,  # it would hold the query with the code
        log_level="warning",
    )
