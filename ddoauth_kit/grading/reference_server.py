"""Run a partner's server that uses Datadog's OAuth correctly; copy what you need.

It serves all sites, runs in several processes (its state is in files), and works behind a proxy.
Variables: `DD_CLIENT_ID`, `DD_CLIENT_SECRET`, `REDIRECT_URI`, `SCOPES`, `STATE_FOLDER`,
`SESSION_SECRET` (signs the cookie), `LOGIN_PASSWORD` (a real server has its own login), `PORT`
(3000) and `WORKERS` (1).
"""

import hmac
import json
import os
import secrets
import time
from html import escape
from pathlib import Path
from urllib.parse import parse_qsl

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from ddoauth_kit import ClientRegistration, FileStore, Kind, OAuthClient, Secret, ensure_api_key
from ddoauth_kit.api.refusals import refuse_failure
from ddoauth_kit.api.telemetry import Telemetry, event_request, send
from ddoauth_kit.errors import AuthorizationError, DdoauthError, InputError
from ddoauth_kit.oauth.file_records import FileRecords
from ddoauth_kit.oauth.grant import Grant, keep_grant, kept_grants
from ddoauth_kit.oauth.shared_pending import SharedPending
from ddoauth_kit.oauth.tokens import monitor_list_request
from ddoauth_kit.sites import DATADOG_SITES

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
}


class Acme:
    """Answer the requests in one process; every process of the server has its own instance."""

    def __init__(self) -> None:
        env, folder = os.environ, Path(os.environ["STATE_FOLDER"])
        registration = ClientRegistration(
            client_id=env["DD_CLIENT_ID"],
            client_secret=Secret(env["DD_CLIENT_SECRET"], label="client_secret"),
            kind=Kind.PUBLISHED,
            sites=tuple(DATADOG_SITES.names),
            redirect_uris=(env["REDIRECT_URI"],),
            scopes=tuple(env["SCOPES"].split()),
        )
        pending = SharedPending(FileRecords(folder / "pending"))
        self.client = OAuthClient(registration, pending=pending)
        self.store = FileStore(folder / "secrets")
        self.customers = folder / "customers"
        self.customers.mkdir(parents=True, exist_ok=True)
        self.https = env["REDIRECT_URI"].startswith("https:")
        self.key, self.password = env["SESSION_SECRET"].encode(), env["LOGIN_PASSWORD"].encode()

    async def login(self, request: Request) -> Response:
        """Log an account in with a new session, so that nobody can plant a session."""
        form = dict(parse_qsl((await request.body()).decode(errors="replace")))
        account, password = form.get("account", ""), form.get("password", "")
        if not account or not hmac.compare_digest(password.encode(), self.password):
            raise HTTPException(403, "Wrong account or password.")
        session = self.signed(f"{account.encode().hex()}.{secrets.token_urlsafe(32)}")
        answer = page('<a href="/connect/datadog">Connect Datadog</a>')
        answer.set_cookie("acme_session", session, httponly=True, secure=self.https)
        return answer

    def onboarding(self, request: Request) -> Response:
        """Send the customer to Datadog, with `domain` and `site` if the tile sent them."""
        session, query = self.session(request), request.query_params
        begun = self.client.begin(
            domain=query.get("domain", ""), site_url=query.get("site", ""), session=session
        )
        return RedirectResponse(begun.url, 303)

    def callback(self, request: Request) -> Response:
        """Handle the redirect: exchange its code, store the grant, get the API key, and move on."""
        session = self.session(request)
        tokens = self.client.complete(request.url.query, session=session)
        grant = keep_grant(self.client, tokens, store=self.store)
        if "api_keys_write" in tokens.scopes.granted:
            ensure_api_key(self.client.http, tokens=tokens, store=self.store)
        self.remember(session, grant)
        return RedirectResponse("/connected", 303)

    def connected(self, request: Request) -> Response:
        """Say which organization is connected, and what was not granted."""
        if not (tokens := self.grant(request).kept()):
            raise HTTPException(409, "Connect Datadog first.")
        said = f"Connected to Datadog: {tokens.dd_org_name} on {tokens.site.name}."
        missing = f" Not granted: {', '.join(tokens.scopes.withheld)}."
        return page(escape(said + missing * bool(tokens.scopes.withheld)))

    def send(self, request: Request) -> Response:
        """Send an event with the organization's API key, to its site."""
        key = ensure_api_key(
            self.client.http, tokens=self.grant(request).tokens(), store=self.store
        )
        sample = Telemetry("acme.deploy", 1.0, int(time.time()), source="acme")
        send(self.client.http, event_request(key, sample=sample))
        return JSONResponse({"sent": True})

    def call(self, request: Request) -> Response:
        """List monitors with the organization's access token, which is refreshed if necessary."""
        response = self.grant(request).send(monitor_list_request)
        refuse_failure(response)
        return JSONResponse({"status": response.status})

    def refresh(self, request: Request) -> Response:
        """Renew the access token now."""
        self.grant(request).renew()
        return JSONResponse({"refreshed": True})

    def disconnect(self, request: Request) -> Response:
        """Forget and revoke the grant."""
        self.grant(request).end()
        return JSONResponse({"disconnected": True})

    def connections(self, request: Request) -> Response:
        """List the account's organizations."""
        slots = [grant.slot for grant in self.grants(request)]
        return JSONResponse({"connected": [{"site": s.site, "organization": s.org} for s in slots]})

    def session(self, request: Request) -> str:
        """Return this browser's signed session; refuse a browser that has none."""
        value = request.cookies.get("acme_session", "")
        if not hmac.compare_digest(self.signed(value.rpartition(".")[0]).encode(), value.encode()):
            raise HTTPException(403, "Log in first.")
        return value

    def signed(self, value: str) -> str:
        """Return a value with its signature."""
        return f"{value}.{hmac.digest(self.key, value.encode(), 'sha256').hex()}"

    def remember(self, session: str, grant: Grant) -> None:
        """Note what this account has connected; find it by your own login, never by `dd_oid`."""
        with (self.customers / session.partition(".")[0]).open("a") as connects:
            connects.write(json.dumps({"site": grant.slot.site, "org": grant.slot.org}) + "\n")

    def grants(self, request: Request) -> list[Grant]:
        """Return the account's grants, newest first, even after a restart."""
        connects = self.customers / self.session(request).partition(".")[0]
        lines = connects.read_text().splitlines() if connects.exists() else []
        slots = map(json.loads, dict.fromkeys(reversed(lines)))
        return [g for slot in slots for g in kept_grants(self.client, store=self.store, **slot)]

    def grant(self, request: Request) -> Grant:
        """Return the grant that the account uses."""
        if not (grants := self.grants(request)):
            raise HTTPException(409, "Connect Datadog first.")
        return grants[0]


def page(text: str, status: int = 200) -> Response:
    """Return a page that must not be cached or framed; `text` is HTML."""
    html = f'<!doctype html><html lang="en"><title>Acme</title><main><p>{text}</p></main></html>'
    return HTMLResponse(html, status, HEADERS)


def failed(_: Request, error: Exception) -> Response:
    """Say what happened and what to do next; the kit has already masked both. Log nothing."""
    assert isinstance(error, DdoauthError)  # noqa: S101 - it is registered for these alone
    status = 400 if isinstance(error, AuthorizationError | InputError) else 502
    return page(f"{escape(error.what)}<br>{escape(error.advice)}", status)


def app() -> Starlette:
    """Create the application of one process."""
    acme = Acme()
    routes = [
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
    port, workers = int(os.environ.get("PORT", "3000")), int(os.environ.get("WORKERS", "1"))
    name, folder = f"{Path(__file__).stem}:app", str(Path(__file__).parent)
    # An access log would contain the query with the code.
    uvicorn.run(name, app_dir=folder, factory=True, port=port, workers=workers, access_log=False)
