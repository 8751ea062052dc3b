"""The server that partners copy completes the whole flow under Datadog's own names."""

from __future__ import annotations

import os
import re
import socket
import ssl
import sys
import time
from contextlib import ExitStack, contextmanager
from html import unescape
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

import httpx
import pytest
from support.graded import free_port

from ddoauth_kit.grading.front.process import ForeignProcess
from ddoauth_kit.grading.front.session import front_before
from ddoauth_kit.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PASSWORD = "canary-password-4711"


class Place:
    """A running server, its sandbox, and browsers that reach both."""

    def __init__(self, sandbox: Sandbox, session: Any, port: int, output: Path) -> None:
        self.sandbox = sandbox
        self._session = session
        self.url = f"http://127.0.0.1:{port}"
        self.output = output
        self.opened = ExitStack()

    def browser(self, account: str = "ada") -> httpx.Client:
        """Return a browser that is logged in at the server."""
        context = ssl.create_default_context(cafile=str(self._session.ca_file))
        browser = httpx.Client(
            mounts={"https://": httpx.HTTPTransport(verify=context, proxy=self._session.url)},
            trust_env=False,
        )
        self.opened.enter_context(browser)
        fields = {"account": account, "password": PASSWORD}
        assert browser.post(f"{self.url}/login", data=fields).status_code == 200
        return browser

    def consent(self, browser: httpx.Client, *, domain: str = "", decision: str = "approve") -> str:
        """Start from a site's tile, decide on Datadog's page, and return the redirect."""
        tile = {"domain": domain, "site": f"https://app.{domain}"} if domain else {}
        begun = browser.get(f"{self.url}/connect/datadog", params=tile)
        assert begun.status_code == 303, begun.text
        page = browser.get(begun.headers["location"])
        form = next(
            f for f in re.findall(r"<form.*?</form>", page.text, re.DOTALL) if "decision" in f
        )
        fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form))
        action = unescape(re.findall(r'action="([^"]*)"', form)[0])
        target = urljoin(str(page.url), action)
        sent = browser.post(target, data={**fields, "decision": decision})
        return str(sent.headers["location"])


@contextmanager
def _running(folder: Path, *, workers: int) -> Iterator[Place]:
    port = free_port()
    redirect_uri = f"http://127.0.0.1:{port}/oauth/callback"
    output = folder / "output"
    with Sandbox(real_time=True) as sandbox, output.open("wb") as written:
        client = sandbox.add_redirect_uri(redirect_uri)
        before = {
            **os.environ,
            "DD_CLIENT_ID": client.client_id,
            "DD_CLIENT_SECRET": client.client_secret,
            "REDIRECT_URI": redirect_uri,
            "SCOPES": "api_keys_write monitors_read events_read",
            "STATE_FOLDER": str(folder / "state"),
            "SESSION_SECRET": "canary-session-4711",
            "LOGIN_PASSWORD": PASSWORD,
            "PORT": str(port),
            "WORKERS": str(workers),
        }
        with (
            front_before(sandbox.base_url, before=before, record=lambda _: None) as session,
            ForeignProcess(
                [sys.executable, "-P", "-m", "ddoauth_kit.grading.reference_server"],
                environment=session.environment.variables,
                folder=folder,
                output=written,
            ),
        ):
            _wait(port)
            place = Place(sandbox, session, port, output)
            with place.opened:
                yield place


def _wait(port: int) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        with socket.socket() as asked:
            if asked.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the server did not start")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Run the server with two workers behind the front."""
    with _running(tmp_path_factory.mktemp("acme"), workers=2) as running:
        yield running


@pytest.mark.parametrize(("site", "domain"), [("us1", "datadoghq.com"), ("eu1", "datadoghq.eu")])
def test_a_customer_connects_and_is_served(place: Place, site: str, domain: str) -> None:
    """Consent, tokens, key, data, a call, a refresh and the end, each on the customer's site."""
    browser = place.browser(f"account-{site}")
    arrived = browser.get(place.consent(browser, domain=domain))
    assert arrived.status_code == 303, arrived.text
    assert arrived.headers["location"] == "/connected"
    page = browser.get(f"{place.url}/connected")
    assert f"Connected to Datadog: Acme ({site}) on {site}." in page.text
    assert page.headers["cache-control"] == "no-store"
    assert browser.post(f"{place.url}/send").json() == {"sent": True}
    assert browser.get(f"{place.url}/call").json() == {"status": 200}
    assert browser.post(f"{place.url}/refresh").json() == {"refreshed": True}
    (kept,) = browser.get(f"{place.url}/connections").json()["connected"]
    assert kept["site"] == site
    assert browser.post(f"{place.url}/disconnect").json() == {"disconnected": True}
    assert browser.get(f"{place.url}/connections").json() == {"connected": []}
    sites = {entry.site for entry in place.sandbox.journal if entry.role not in {"app", None}}
    assert site in sites


def test_failures_are_pages_and_leak_nothing(place: Place) -> None:
    """A no, a stranger and a second arrival get a page below 500, and no secret is written."""
    browser = place.browser("grace")
    denied = browser.get(place.consent(browser, decision="deny"))
    assert denied.status_code == 400
    assert browser.get(f"{place.url}/oauth/callback").status_code == 400
    redirect = place.consent(browser)
    stranger = place.browser("mallory")
    assert stranger.get(redirect).status_code == 400
    assert browser.get(redirect).status_code == 303
    assert browser.get(redirect).status_code == 400
    with httpx.Client(trust_env=False) as nobody:
        assert nobody.get(f"{place.url}/connect/datadog").status_code == 403
        assert nobody.get(f"{place.url}/connections").status_code == 403
    written = place.output.read_text("utf-8")
    for secret in (*place.sandbox.issued_secrets(), PASSWORD):
        assert secret not in written


def test_accounts_do_not_see_each_other(place: Place) -> None:
    """An account has its own connections, even if two accounts connect the same organization."""
    first, second = place.browser("first"), place.browser("second")
    assert first.get(place.consent(first)).status_code == 303
    assert len(first.get(f"{place.url}/connections").json()["connected"]) == 1
    assert second.get(f"{place.url}/connections").json() == {"connected": []}
