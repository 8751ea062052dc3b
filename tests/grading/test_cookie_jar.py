"""The customer's browser stores and sends cookies as Chromium does."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from support.chromium import NAMES

from ddoauth_kit.grading.cookie_jar import CookieJar, site_of
from ddoauth_kit.grading.customer import CustomerBrowser

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SET = (
    "plain=1",
    "lax=1; SameSite=Lax",
    "strict=1; SameSite=Strict",
    "none_clear=1; SameSite=None",
    "none_secure=1; SameSite=None; Secure",
    "secure=1; Secure",
    "deep=1; Path=/callback",
    "elsewhere=1; Path=/elsewhere",
    "domain=1; Domain=localhost",
    "foreign=1; Domain=127.0.0.1",
    "gone=1",
    "gone=2; Max-Age=0",
    "past=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT",
    "stays=1; Max-Age=600; HttpOnly",
    "__Host-good=1; Secure; Path=/",
    "__Host-deep=1; Secure; Path=/callback",
    "__Host-clear=1; Path=/",
    "__Secure-clear=1",
)
STEPS = ("/same", "/there", "/callback/in", "/posted", "/hopped", "/end")


@dataclass
class Places:
    """A server that is reached as two sites, and the names of cookies that came to each step."""

    port: int = 0
    seen: dict[str, list[str]] = field(default_factory=dict)
    over: threading.Event = field(default_factory=threading.Event)

    def at(self, host: str, path: str) -> str:
        """Return an address of this server."""
        return f"http://{host}:{self.port}{path}"

    def forget(self) -> None:
        """Start again."""
        self.seen.clear()
        self.over.clear()


def _body(places: Places, path: str) -> str:
    here, there = "localhost", "127.0.0.1"
    leads = {
        "/set": places.at(here, "/same"),
        "/same": places.at(there, "/there"),
        "/there": places.at(here, "/callback/in"),
        "/callback/in": places.at(there, "/form"),
        "/posted": places.at(here, "/go"),
        "/hopped": places.at(here, "/end"),
    }
    if path == "/form":
        form = f"<form method=post action='{places.at(here, '/posted')}'></form>"
        return f"{form}<script>document.forms[0].submit()</script>"
    return f"<meta http-equiv=refresh content='0;url={leads[path]}'>" if path in leads else "end"


@pytest.fixture(scope="module")
def places() -> Iterator[Places]:
    """Serve the steps."""
    found = Places()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path in STEPS:
                pairs = self.headers.get("Cookie", "").split("; ")
                found.seen[self.path] = sorted(pair.partition("=")[0] for pair in pairs if pair)
            hops = {"/go": ("127.0.0.1", "/hop"), "/hop": ("localhost", "/hopped")}
            self.send_response(302 if self.path in hops else 200)
            if self.path in hops:
                self.send_header("Location", found.at(*hops[self.path]))
            for cookie in SET if self.path == "/set" else ():
                self.send_header("Set-Cookie", cookie)
            body = _body(found, self.path).encode()
            if self.path == "/end":
                found.over.set()
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    found.port = server.server_port
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield found
    server.shutdown()
    server.server_close()


def _as_customer(places: Places) -> dict[str, list[str]]:
    places.forget()
    browser = CustomerBrowser()
    page = browser.open(places.at("localhost", "/set"))
    assert page.url.endswith("/form")
    assert browser.send(page.html.forms[0], page=page.url).url.endswith("/end")
    return dict(places.seen)


def _as_chromium(places: Places, folder: Path) -> dict[str, list[str]]:
    places.forget()
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        assert not os.environ.get("CI"), "Chromium must be installed here"
        pytest.skip("Chromium is not installed")
    flags = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage")
    profile = ("--no-first-run", f"--user-data-dir={folder}", "--remote-debugging-port=0")
    started = subprocess.Popen(
        [program, *flags, *profile, places.at("localhost", "/set")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        process_group=0,
    )
    try:
        assert places.over.wait(120), f"Chromium came as far as {list(places.seen)}"
    finally:
        os.killpg(started.pid, 9)
        started.wait()
    return dict(places.seen)


def test_cookies_come_as_from_chromium(places: Places, tmp_path: Path) -> None:
    """Eighteen cookies arrive at six steps of a flow over two sites as Chromium sends them."""
    assert _as_customer(places) == _as_chromium(places, tmp_path)


def test_cross_site_steps_are_told_apart(places: Places) -> None:
    """A redirect from another site carries Lax cookies and no Strict one; a POST neither."""
    seen = _as_customer(places)
    assert seen["/there"] == []
    assert "lax" in seen["/callback/in"]
    assert "strict" not in seen["/callback/in"]
    assert "lax" not in seen["/posted"]
    assert "plain" in seen["/posted"]


def test_a_cookie_without_same_site_ages(places: Places) -> None:
    """Two minutes after it was set, a cookie without SameSite stays behind on a foreign POST."""
    now = [1000.0]
    jar = CookieJar(now=lambda: now[0])
    url = places.at("localhost", "/")
    jar.take("plain=1", url=url)
    assert jar.header(url, method="POST", initiator="https://app.datadoghq.com/") == "plain=1"
    now[0] += 121
    assert jar.header(url, method="POST", initiator="https://app.datadoghq.com/") == ""
    assert jar.header(url, method="GET", initiator="https://app.datadoghq.com/") == "plain=1"


def test_domain_cookies_reach_subdomains_only() -> None:
    """A domain cookie travels down and never up; a host-only one stays at its host."""
    jar = CookieJar()
    jar.take("wide=1; Domain=example.com", url="https://app.example.com/")
    jar.take("own=1", url="https://app.example.com/")
    jar.take("up=1; Domain=app.example.com", url="https://example.com/")
    assert jar.header("https://api.example.com/") == "wide=1"
    assert jar.header("https://app.example.com/") == "wide=1; own=1"
    assert jar.header("https://example.org/") == ""


def test_a_site_is_scheme_and_name() -> None:
    """The schemes http and https of one name are two sites, as are `localhost` and 127.0.0.1."""
    assert site_of("https://a.example.com/") == site_of("https://b.example.com/x")
    assert site_of("http://example.com") != site_of("https://example.com")
    assert site_of("http://localhost:1") != site_of("http://127.0.0.1:1")
