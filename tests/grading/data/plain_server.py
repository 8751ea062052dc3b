"""A small server without the kit: one process, sessions in memory, OAuth by hand over urllib.

`START` says how its flow begins: `redirect`, `page`, `json`, `script`. With `STATE=ignored` it
looks at no state and keeps its verifier in the session, with `STATE=none` it sends none and all
browsers share one session, with `PKCE=none` it sends no challenge, and with `DIES=stranger` it ends
at a bare callback. It is of the standard library alone, so that it starts at once.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
import secrets
import urllib.request
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

CLIENT = {"client_id": os.environ["DD_ID"], "client_secret": os.environ["DD_KEY"]}
PORT = int(os.environ["PORT"])
START = os.environ.get("START", "redirect")
CHECKS_STATE = os.environ.get("STATE") not in {"ignored", "none"}
SHARED = "everybody" if os.environ.get("STATE") == "none" else ""
BACK = f"http://localhost:{PORT}/callback"
APPS = {"datadoghq.com": "app.datadoghq.com", "datadoghq.eu": "app.datadoghq.eu"}
SESSIONS: dict[str, dict[str, Any]] = {}


class Handler(BaseHTTPRequestHandler):
    """Answer one request of a browser."""

    def do_GET(self) -> None:
        """Start an attempt, handle its redirect, or show what is connected."""
        place = urlsplit(self.path)
        query = dict(parse_qsl(place.query, keep_blank_values=True))
        known = SimpleCookie(self.headers.get("Cookie", "")).get("sid")
        sid = SHARED or (known.value if known else "")
        if place.path == "/connect":
            self._connect(sid or secrets.token_urlsafe(24), query)
        elif place.path == "/callback":
            self._callback(SESSIONS.get(sid, {}), query)
        elif "access_token" in SESSIONS.get(sid, {}).get("tokens", {}):
            self._page("Connected to Datadog")
        else:
            self._page("Nothing", 404)

    def _connect(self, sid: str, query: dict[str, str]) -> None:
        """Start an attempt in this browser's session."""
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
        app = APPS.get(query.get("domain", "datadoghq.com"), "")
        if not app:
            self._page("This site is not known.", 400)
            return
        url = f"https://{app}/oauth2/v1/authorize?{urlencode(asked)}"
        headers = {"Set-Cookie": f"sid={sid}; HttpOnly; SameSite=Lax; Path=/"}
        if START == "redirect":
            self._send("", 302, {**headers, "Location": url})
        elif START == "json":
            answer = json.dumps({"data": {"next": [url]}})
            self._send(answer, 200, {**headers, "Content-Type": "application/json"})
        elif START == "page":
            self._page(f'<a href="{html.escape(url)}">Connect Datadog</a>', 200, headers)
        else:
            self._page(f"<script>location = {url!r}</script>", 200, headers)

    def _callback(self, session: dict[str, Any], query: dict[str, str]) -> None:
        """Exchange the code of this session's attempt."""
        if os.environ.get("DIES") == "stranger" and not query:
            os._exit(3)
        verifier, state = session.pop("verifier", ""), session.pop("state", "")
        if not verifier or (CHECKS_STATE and query.get("state") != state):
            self._page("This is not your attempt.", 400)
            return
        domain = query.get("domain", "")
        if "error" in query or domain not in APPS:
            self._page(f"Refused: {html.escape(query.get('error', domain))}", 400)
            return
        form = {
            "grant_type": "authorization_code",
            "code": query.get("code", ""),
            "redirect_uri": BACK,
            "code_verifier": verifier,
        }
        url = f"https://api.{domain}/api/v2/oauth2/token"
        try:
            with urllib.request.urlopen(url, urlencode(form | CLIENT).encode(), 8) as answer:
                session["tokens"] = json.load(answer)
        except (OSError, ValueError):
            self._page("Datadog gave no tokens. Is it the right site?", 502)
            return
        self._send("", 303, {"Location": "/done"})

    def _page(self, text: str, status: int = 200, headers: dict[str, str] | None = None) -> None:
        kind = {"Content-Type": "text/html; charset=utf-8"}
        self._send(f"<h1>{text}</h1>", status, kind | (headers or {}))

    def _send(self, text: str, status: int, headers: dict[str, str]) -> None:
        """Answer with what nobody stores."""
        self.send_response(status)
        for name, value in {"Cache-Control": "no-store", **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Write no log of its own, which would hold the code."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
