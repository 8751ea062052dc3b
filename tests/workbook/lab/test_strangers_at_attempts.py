"""A stranger on the same machine never gets a grant of theirs into the place of the user's."""

from __future__ import annotations

import secrets
import socket
import threading
import webbrowser
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from support.backends import live_lab
from support.loopback import held_port
from support.visitors import Person, get, say, waiting

from ddoauth_kit import OAuthClient
from ddoauth_kit.commands.consent import listen_for_consent
from ddoauth_kit.oauth.client import ONE_PERSON
from ddoauth_kit.sandbox import Sandbox
from ddoauth_kit.workbook import open_sandbox_lab
from ddoauth_kit.workbook.lab import listen_or_paste
from ddoauth_kit.workbook.lab.attempt import begin_attempt
from ddoauth_kit.workbook.lab.scripted_consent import visit_consent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ddoauth_kit.workbook import Lab

pytestmark = [pytest.mark.checklist("L9"), pytest.mark.checklist("L10")]


@dataclass
class Waiting:
    """What waits for the user: a link, and the outcome of `wait` once the block has ended."""

    url: str
    outcome: list[Any]


@contextmanager
def _panel(lab: Lab) -> Iterator[Waiting]:
    attempt = begin_attempt(lab)
    with waiting(attempt, timeout=60) as outcome:
        yield Waiting(attempt.url, outcome)


@contextmanager
def _terminal(lab: Lab) -> Iterator[Waiting]:
    told, outcome, url = threading.Event(), [], []

    def hear(line: str) -> None:
        if line.startswith("Authorize in your browser: "):
            url.append(line.rpartition(" ")[2])
            told.set()

    def wait() -> None:
        outcome.append(
            listen_for_consent(
                lab.oauth,
                domain=lab.site.domain,
                finish=lab.exchange,
                say=hear,
                browse=lambda _: None,
                seconds=60,
            )
        )

    thread = threading.Thread(target=wait)
    thread.start()
    assert told.wait(60)
    yield Waiting(url[0], outcome)
    thread.join(60)


@contextmanager
def _lab(mode: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lab]:
    for name in listen_or_paste.ELSEWHERE:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(webbrowser, "get", lambda: webbrowser)
    with held_port() as port:
        uri = f"http://127.0.0.1:{port}/callback"
        with open_sandbox_lab() if mode == "sandbox" else live_lab(monkeypatch, uri) as lab:
            yield lab


def _redirect_of_a_stranger(lab: Lab, redirect_uri: str, organization: str) -> str:
    """Return a redirect with a good code, of a stranger who consented for their organization."""
    oauth = OAuthClient(lab.registration, sites=lab.oauth.sites)
    request = oauth.begin(domain=lab.site.domain, redirect_uri=redirect_uri, session=ONE_PERSON)
    return visit_consent(request, organization=organization)


def _heads(redirect: str) -> Iterator[str]:
    """Yield what a stranger sends at the redirect URI, as the lines of requests."""
    parts = urlsplit(redirect)
    pairs = dict(parse_qsl(parts.query))
    host, path = parts.netloc, parts.path
    state, code = pairs["state"], pairs["code"]
    changes: list[dict[str, str]] = [
        {},
        {"state": ""},
        {"state": state.swapcase()},
        {"state": secrets.token_urlsafe(32)},
        {"state": f"{state} "},
        {"code": ""},
        {"code": code[::-1]},
        {"iss": "https://app.datadoghq.com"},
        {"error": "access_denied"},
        {"dd_oid": "00000000-0000-4000-8000-000000000000"},
        {"dd_org_name": "Acme (us1)"},
        {"domain": "evil.example"},
        {"client_id": "another"},
    ]
    targets = [f"{path}?{urlencode(pairs | change)}" for change in changes]
    targets += [f"{path}?{urlencode({k: v for k, v in pairs.items() if k != 'state'})}"]
    targets += [f"{path}?{parts.query}&state={state}", f"{path}?{parts.query}&code={code}"]
    targets += [f"{path}?error=access_denied", f"{path}?error=access_denied&state=x", path]
    targets += [f"{path}/?{parts.query}", f"/{path}?{parts.query}", f"{path}%2f?{parts.query}"]
    targets += [f"{path};x?{parts.query}", f"{path}?{parts.query.replace('&', ';')}"]
    for target in targets:
        yield f"GET {target} HTTP/1.1\r\nHost: {host}\r\n"
    whole = f"{path}?{parts.query}"
    for method in ("POST", "HEAD", "OPTIONS", "PUT"):
        yield f"{method} {whole} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n"
    for line in (
        "Cookie: ddoauth_0000000000000000=x",
        f"Cookie: ddoauth_{secrets.token_hex(8)}={state}",
        f"X-Forwarded-Host: {host}\r\nX-Forwarded-Prefix: /proxy",
        "Sec-Fetch-Dest: iframe",
        "Origin: http://evil.example",
    ):
        yield f"GET {whole} HTTP/1.1\r\nHost: {host}\r\n{line}\r\n"
    for other in ("localhost", "evil.example", "127.0.0.1", "[::1]", "0.0.0.0"):
        yield f"GET {whole} HTTP/1.1\r\nHost: {other}\r\n"
    yield f"GET {redirect} HTTP/1.1\r\nHost: {host}\r\n"
    yield f"GET {whole} HTTP/1.0\r\nHost: {host}\r\n"


@pytest.mark.parametrize(
    ("mode", "way"),
    [("sandbox", _panel), ("live", _panel), ("sandbox", _terminal), ("live", _terminal)],
)
def test_a_grant_of_a_stranger_never_arrives(
    mode: str, way: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Forged and foreign redirects, floods and silent connections end nothing and keep nobody out.

    The user's own consent then arrives, and only their organization's grant is stored.
    """
    with Sandbox() as same:
        stranger = same.orgs["us1"][1].id
    with _lab(mode, monkeypatch) as lab, ExitStack() as silent:
        with way(lab) as waits:
            parts = urlsplit(waits.url)
            port = int(parts.port or 0)
            uri = next(u for u in lab.registration.redirect_uris if f":{port}/" in u)
            heads = list(_heads(_redirect_of_a_stranger(lab, uri, stranger)))
            assert len(heads) >= 40
            for head in heads:
                assert say(port, f"{head}\r\n").status >= 400, head
            for number in range(150):
                connection = socket.create_connection(("127.0.0.1", port), timeout=60)
                silent.callback(connection.close)
                connection.sendall(b"GET /start/"[: number % 12])
            for path in ("/onboard", "/onboarding", f"/start/{secrets.token_urlsafe(24)}") * 20:
                assert get(f"http://{parts.netloc}{path}?domain=datadoghq.com").status == 404
            assert waits.outcome == []
            assert not any(each.purpose == "token exchange" for each in lab.transcript)
            user = Person()
            redirect = user.decide(waits.url)
            assert get(waits.url).status == 400, "the link is bound to the first browser"
            assert say(port, f"{heads[0]}\r\n").status == 400
            assert user.browser.open(redirect).status == 200
        with suppress(OSError):  # a second redirect finds nobody, or what has ended
            assert say(port, f"{heads[0]}\r\n").status >= 400
        (tokens,) = waits.outcome
        assert tokens.dd_oid != stranger
        kept = {slot.org for slot in lab.store.slots() if slot.kind == "grant"}
        assert kept == {tokens.dd_oid}
