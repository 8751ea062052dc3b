"""A small server without the kit: one process, sessions in memory, OAuth by hand over httpx.

`START` says how its flow begins: `redirect`, `page`, `json`, `script`. With `STATE=ignored` it
looks at no state and keeps its verifier in the session, with `STATE=none` it sends none and all
browsers share one session, with `PKCE=none` it sends no challenge, and with `DIES=stranger` it ends
at a bare callback.
"""

from __future__ import annotations

import base64
import hashlib
import html
import os
import secrets
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request

CLIENT = {"client_id": os.environ["DD_ID"], "client_secret": os.environ["DD_KEY"]}
PORT = int(os.environ["PORT"])
START = os.environ.get("START", "redirect")
CHECKS_STATE = os.environ.get("STATE") not in {"ignored", "none"}
SHARED = "everybody" if os.environ.get("STATE") == "none" else ""
BACK = f"http://localhost:{PORT}/callback"
APPS = {"datadoghq.com": "app.datadoghq.com", "datadoghq.eu": "app.datadoghq.eu"}
SESSIONS: dict[str, dict[str, Any]] = {}
DATADOG = httpx.Client(timeout=8)


def page(text: str, status: int = 200) -> Response:
    """Return a page that nobody stores."""
    return HTMLResponse(f"<h1>{text}</h1>", status, headers={"Cache-Control": "no-store"})


def connect(request: Request) -> Response:
    """Start an attempt in this browser's session."""
    sid = SHARED or request.cookies.get("sid") or secrets.token_urlsafe(24)
    verifier, state = secrets.token_urlsafe(32), secrets.token_urlsafe(24)
    SESSIONS.setdefault(sid, {}).update(verifier=verifier, state=state)
    digest = hashlib.sha256(verifier.encode()).digest()
    asked = {
        "response_type": "code",
        "client_id": CLIENT["client_id"],
        "redirect_uri": BACK,
        "scope": "dashboards_read monitors_read",
        "state": state,
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    if os.environ.get("PKCE") == "none":
        del asked["code_challenge"], asked["code_challenge_method"]
    if SHARED:
        del asked["state"]
    app = APPS.get(request.query_params.get("domain", "datadoghq.com"), "")
    if not app:
        return page("This site is not known.", 400)
    url = f"https://{app}/oauth2/v1/authorize?{urlencode(asked)}"
    answers: dict[str, Response] = {
        "redirect": RedirectResponse(url, 302),
        "page": page(f'<a href="{html.escape(url)}">Connect Datadog</a>'),
        "json": JSONResponse({"data": {"next": [url]}}),
        "script": HTMLResponse(f"<script>location = {url!r}</script>"),
    }
    answer = answers[START]
    answer.set_cookie("sid", sid, httponly=True, samesite="lax")
    return answer


def callback(request: Request) -> Response:
    """Exchange the code of this session's attempt."""
    query = request.query_params
    if os.environ.get("DIES") == "stranger" and not query:
        os._exit(3)
    session = SESSIONS.get(SHARED or request.cookies.get("sid", ""), {})
    verifier, state = session.pop("verifier", ""), session.pop("state", "")
    if not verifier or (CHECKS_STATE and query.get("state") != state):
        return page("This is not your attempt.", 400)
    domain = query.get("domain", "")
    if "error" in query or domain not in APPS:
        return page(f"Refused: {html.escape(query.get('error', domain))}", 400)
    form = {
        "grant_type": "authorization_code",
        "code": query.get("code", ""),
        "redirect_uri": BACK,
        "code_verifier": verifier,
    }
    try:
        url = f"https://api.{domain}/api/v2/oauth2/token"
        session["tokens"] = DATADOG.post(url, data={**form, **CLIENT}).raise_for_status().json()
    except (httpx.HTTPError, ValueError):
        return page("Datadog gave no tokens. Is it the right site?", 502)
    return RedirectResponse("/done", 303)


def done(request: Request) -> Response:
    """Show what is connected."""
    tokens = SESSIONS.get(SHARED or request.cookies.get("sid", ""), {}).get("tokens", {})
    return page("Connected to Datadog") if "access_token" in tokens else page("Nothing", 404)


if __name__ == "__main__":
    routes = [Route("/connect", connect), Route("/callback", callback), Route("/done", done)]
    uvicorn.run(Starlette(routes=routes), port=PORT, access_log=False, log_level="warning")
