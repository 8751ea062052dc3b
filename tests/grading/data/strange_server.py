"""A server with trouble of its own: `TROUBLE` says which.

Its flow is right otherwise (`never` and `error` never come that far; `careless` separates scopes
by commas, authenticates by HTTP Basic, and takes any domain; `app` takes the redirect in a page
whose script posts the code; `deaf` sends its calls by a way of its own). `LOGIN_WORD` is the
password of its login page, which has a hidden token as many frameworks' forms do, and
`DATABASE_PORT` is where something must listen. It is of the standard library alone, so that it
starts at once.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
import socket
import sys
import time
import urllib.request
from http.cookies import SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

TROUBLE = os.environ.get("TROUBLE", "")
PORT = int(os.environ["PORT"])
BASE = f"http://localhost:{PORT}"
CLIENT = {"client_id": os.environ["DD_ID"], "client_secret": os.environ["DD_KEY"]}
WORD = os.environ.get("LOGIN_WORD", "")
SESSIONS: dict[str, dict[str, Any]] = {}
SEEN: list[str] = []
LOGIN = (
    "<form method=post><input type=hidden name=csrf value={}><input name=email>"
    "<input type=password name=password><button name=go value=1>Log in</button></form>"
)
POSTING = """<p id=said>Wait</p><script>
fetch("/exchange" + location.search, {method: "POST"}).then(async (answer) => {
  if (answer.ok) location.replace("/done")
  else said.textContent = await answer.text()
})</script>"""
API = ("datadoghq.com", "datadoghq.eu")
CARELESS = TROUBLE == "careless"
# Nothing listens at the port 9, so these calls reach neither the front nor Datadog.
PROXIES = urllib.request.ProxyHandler(
    {"https": "http://127.0.0.1:9"} if TROUBLE == "deaf" else None
)
OPENER = urllib.request.build_opener(PROXIES)


class Handler(BaseHTTPRequestHandler):
    """Answer one request of a browser."""

    def do_GET(self) -> None:
        """Show a page, start an attempt, or handle its redirect."""
        self.sid = self._cookie() or secrets.token_urlsafe(16)
        session = SESSIONS.setdefault(self.sid, {})
        if TROUBLE == "limits" and self._too_many():
            self._page(429, "Slow down", {"Retry-After": "1"})
            return
        path = urlsplit(self.path).path
        if path == "/login":
            session["token"] = secrets.token_urlsafe(8)
            fields = f"<input type=hidden name=csrf value={session['token']}><input name=email>"
            form = f"{fields}<input type=password name=password><button name=go value=1>In</button>"
            self._page(200, f"<form method=post>{form}</form>")
        elif WORD and not session.get("account"):
            self._page(302, "", {"Location": "/login"})
        elif path == "/connect":
            self._connect(session)
        elif path == "/callback" and TROUBLE == "app":
            self._page(200, POSTING)
        elif path == "/callback":
            self._callback(session)
        elif path == "/connections":
            # It lists whoever came back, and not who was connected.
            self._page(200, json.dumps(session.get("orgs", [])))
        elif path == "/disconnect":
            session.pop("tokens", None)
            self._page(200, "Gone")
        else:
            self._page(200, "Connected to Datadog" if "tokens" in session else "Nothing")

    def do_POST(self) -> None:
        """Log in, if the hidden token is the page's, or take the code that a script posts."""
        self.sid = self._cookie() or secrets.token_urlsafe(16)
        session = SESSIONS.setdefault(self.sid, {})
        if urlsplit(self.path).path == "/exchange":
            self._callback(session)
            return
        form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
        good = form.get("csrf") == session.get("token") and form.get("password") == WORD
        if not good or not form.get("email") or form.get("go") != "1":
            self._page(403, "Wrong")
            return
        session["account"] = form["email"]
        self._page(303, "", {"Location": "/"})

    def _connect(self, session: dict[str, Any]) -> None:
        if TROUBLE == "never":
            time.sleep(30)
        if TROUBLE == "error":
            self._page(500, "Oops")
            return
        if TROUBLE == "circle":
            self._page(302, "", {"Location": "/connect"})
            return
        verifier, state = secrets.token_urlsafe(32), secrets.token_urlsafe(24)
        session.update(verifier=verifier, state=state)
        digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest())
        asked = {
            "response_type": "code",
            "client_id": CLIENT["client_id"],
            "redirect_uri": f"{BASE}/callback",
            "scope": ("," if CARELESS else " ").join(("dashboards_read", "monitors_read")),
            "state": state,
            "code_challenge": digest.rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        url = f"https://app.datadoghq.com/oauth2/v1/authorize?{urlencode(asked)}"
        if TROUBLE in {"script", "button"}:
            go = f"location.assign({json.dumps(url)})"
            click = (
                f"<button id=go>Connect Datadog</button><script>go.onclick = () => {go}</script>"
            )
            self._page(200, click if TROUBLE == "button" else f"<script>{go}</script>")
            return
        self._page(302, "", {"Location": url})

    def _callback(self, session: dict[str, Any]) -> None:
        query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        if TROUBLE == "midway" and "error" in query:
            os._exit(9)
        if "dd_oid" in query:
            session.setdefault("orgs", []).append(query["dd_oid"])
        domain = query.get("domain", "")
        known = CARELESS or domain in API
        if query.get("state", "-") != session.pop("state", "") or not known:
            self._page(400, "This is not your attempt.")
            return
        if "error" in query:
            self._page(400, "Denied.")
            return
        headers = {}
        if CARELESS:
            pair = f"{CLIENT['client_id']}:{CLIENT['client_secret']}"
            headers = {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
        form = {
            **({} if CARELESS else CLIENT),
            "grant_type": "authorization_code",
            "code": query["code"],
            "redirect_uri": f"{BASE}/callback",
            "code_verifier": session["verifier"],
        }
        asked = urllib.request.Request(
            f"https://api.{domain}/api/v2/oauth2/token", urlencode(form).encode(), headers
        )
        try:
            with OPENER.open(asked, timeout=8) as answer:
                tokens = json.load(answer)
        except (OSError, ValueError):
            self._page(502, "Datadog gave no tokens.")
            return
        if TROUBLE == "prints":
            sys.stdout.write(f"{json.dumps(tokens)} {CLIENT['client_secret']}\n")
            sys.stdout.flush()
        session["tokens"] = tokens
        self._page(303, "", {"Location": "/done"})

    def _too_many(self) -> bool:
        """Tell whether this is the seventh request since the start or since the last such one."""
        SEEN.append(self.path)
        if len(SEEN) > 6:
            SEEN.clear()
        return not SEEN

    def _cookie(self) -> str:
        found = SimpleCookie(self.headers.get("Cookie", "")).get("sid")
        return found.value if found else ""

    def _page(self, status: int, text: str, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Cache-Control", "no-store")
        self.send_header("Set-Cookie", f"sid={self.sid}; HttpOnly; SameSite=Lax; Path=/")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Write no log of its own, which would hold the code."""


if __name__ == "__main__":
    if database := os.environ.get("DATABASE_PORT"):
        socket.create_connection(("127.0.0.1", int(database)), timeout=5).close()
    ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
