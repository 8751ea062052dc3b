"""Hosts, paths, methods and sizes are checked before any handler, and all is journalled."""

from __future__ import annotations

import http.client
import socket
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from support.loopback import PLAIN

from ddoauth_kit.sandbox import Sandbox, SandboxError
from ddoauth_kit.sandbox.facts.sites import SITES
from ddoauth_kit.sandbox.server import dispatch as dispatching
from ddoauth_kit.sandbox.server.transport import WIRE_LOG

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Partner


@pytest.mark.behaviour("nine-sites")
@pytest.mark.parametrize("site", SITES)
def test_each_site_answers_by_its_own_hosts(shared: Partner, site: str) -> None:
    """Asking the wrong host of a site fails with 404."""
    urls = shared.sandbox.endpoints[site]
    assert shared.http.post(f"{urls['api_url']}/oauth2/v1/token").status_code == 400
    wrong = {
        "app_url": ("/oauth2/v1/token", "/api/v2/current_user"),
        "api_url": ("/oauth2/v1/authorize", "/integrations", "/api/v2/logs"),
        "logs_intake_url": ("/api/v2/series", "/oauth2/v1/token"),
        "events_intake_url": ("/api/v2/events", "/api/v2/logs"),
    }
    for host, paths in wrong.items():
        for path in paths:
            assert shared.http.get(f"{urls[host]}{path}").status_code == 404, path


@pytest.mark.behaviour("unknown-path")
def test_unknown_paths(partner: Partner) -> None:
    """API hosts return 404 in JSON, all others on a page."""
    for path in ("/mars/app/integrations", "/us1", "/us1/web/x", "/favicon.ico", "/us1/app"):
        answer = partner.http.get(f"{partner.sandbox.base_url}{path}")
        assert answer.status_code == 404
        assert answer.headers["content-type"].startswith("text/html")
    answer = partner.call("/api/v9/nothing")
    assert (answer.status_code, answer.json()) == (404, {"errors": ["Not found"]})


@pytest.mark.behaviour("wrong-method")
def test_wrong_methods(partner: Partner) -> None:
    """A 405 lists the supported methods."""
    answer = partner.call("/oauth2/v1/token")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert answer.json() == {"errors": ["Method not allowed"]}
    page = partner.http.delete(f"{partner.urls['app_url']}/oauth2/v1/authorize")
    assert (page.status_code, page.headers["allow"]) == (405, "GET, POST")
    both = partner.call("/api/v1/events", method="PUT")
    assert both.headers["allow"] == "GET, POST"
    assert partner.http.options(f"{partner.urls['app_url']}/developer").status_code == 405


@pytest.mark.behaviour("body-limit")
def test_large_bodies(partner: Partner) -> None:
    """5 MB pass, one byte more does not, and the connection lives on."""
    url = f"{partner.urls['api_url']}/oauth2/v1/token"
    most = 5 * 1024 * 1024
    assert partner.http.post(url, content=b"a" * most).status_code == 400
    answer = partner.http.post(url, content=b"a" * (most + 1))
    assert (answer.status_code, answer.json()) == (413, {"errors": ["Payload too large"]})
    page = partner.http.post(f"{partner.urls['app_url']}/switch-org", content=b"a" * (most + 1))
    assert page.status_code == 413
    assert page.headers["content-type"].startswith("text/html")


@pytest.mark.behaviour("foreign-host")
@pytest.mark.checklist("S9")
@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "localhost.:{port}"])
def test_foreign_hosts(partner: Partner, host: str) -> None:
    """A rebound name, another port and no port are refused on every page."""
    port = httpx.URL(partner.sandbox.base_url).port
    headers = {"Host": host.format(port=port)}
    url = f"{partner.urls['app_url']}/integrations"
    assert partner.http.get(url, headers=headers).status_code == 421


@pytest.mark.behaviour("foreign-host")
def test_own_names(partner: Partner) -> None:
    """Loopback has three names."""
    port = httpx.URL(partner.sandbox.base_url).port
    for name in ("127.0.0.1", "localhost", "LOCALHOST", "[::1]"):
        answer = partner.http.get(partner.sandbox.base_url, headers={"Host": f"{name}:{port}"})
        assert answer.status_code == 200


@pytest.mark.checklist("S9")
def test_forwarded_headers_are_not_believed(partner: Partner) -> None:
    """X-Forwarded-* neither admits a foreign host nor appears in a response."""
    forwarded = {
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Prefix": "/evil",
        "X-Forwarded-For": "192.0.2.1",
    }
    answer = partner.http.get(f"{partner.urls['app_url']}/integrations", headers=forwarded)
    assert answer.status_code == 200
    assert "evil" not in answer.text + str(answer.headers)
    foreign = {"Host": "evil.example", "X-Forwarded-Host": "127.0.0.1"}
    assert partner.http.get(partner.sandbox.base_url, headers=foreign).status_code == 421


@pytest.mark.checklist("S9")
def test_public_url(make_sandbox: Callable[..., Sandbox]) -> None:
    """A proxy's host is served on request, and the cookie works with and without its prefix."""
    sandbox = make_sandbox(public_url="https://hub.example/user/x/proxy/1/")
    urls = sandbox.endpoints["us1"]
    assert urls["app_url"] == "https://hub.example/user/x/proxy/1/us1/app"
    assert urls["api_url"] == f"{sandbox.base_url}/us1/api"
    local = f"{sandbox.base_url}/us1/app/integrations"
    for headers in ({"Host": "hub.example"}, {}):
        page = httpx.get(local, headers=headers, **PLAIN)
        assert page.status_code == 200
        cookies = page.headers.get_list("set-cookie")
        paths = [cookie.rpartition("; Path=")[2] for cookie in cookies]
        assert paths == ["/us1", "/user/x/proxy/1/us1"]
    assert httpx.get(local, headers={"Host": "evil.example"}, **PLAIN).status_code == 421


@pytest.mark.checklist("S10")
@pytest.mark.parametrize(
    "url",
    [
        "hub.example",
        "ftp://a/",
        "https://",
        "https://a/?b",
        "https://a/#b",
        "https://[a",
        "https://a/b;Domain=example.com",
        "https://a;b/",
        'https://a/"b',
        "https://a/'b",
        "https://a/b\r\nSet-Cookie: c=d",
        "https://a/b\n",
        "\nhttps://a/",
        "https://a/b c",
        "https://a /b",
        "https://user@a/",
        "https://user:secret@a/",
        "https://a\\b/",
        "https://a/<b>",
        "https://a//b",
        "https://a/../b",
        "https://a/%2e%2e/b",
        "https://a/./b",
        "https://a/%zz",
        "https://a:b/",
        "https://a:123456/",
        "https://a,b/",
        "https://\u0430/",
        "https://a/\u0430",
        "https://a/{b}",
        "https://-a/",
        "javascript://a/",
        "HTTPS:/a",
    ],
)
def test_bad_public_urls(url: str) -> None:
    """A public URL without a scheme or host is refused."""
    with pytest.raises(SandboxError, match="must look like https://host/path"):
        Sandbox(public_url=url)


def test_journal_names_what_happened(partner: Partner, sandbox: Sandbox) -> None:
    """Site, host, method, path, status, operation and field names are recorded."""
    partner.callback()
    token = partner.tokens()["access_token"]
    partner.call("/api/v1/monitor/7", token=token)
    partner.http.get(f"{sandbox.base_url}/nowhere")
    entries = [(e.site, e.role, e.method, e.path, e.status, e.operation) for e in sandbox.journal]
    assert entries[:2] == [
        ("us1", "app", "GET", "/oauth2/v1/authorize", 200, None),
        ("us1", "app", "POST", "/oauth2/v1/authorize", 303, None),
    ]
    assert entries[-2:] == [
        ("us1", "api", "GET", "/api/v1/monitor/7", 404, "GetMonitor"),
        (None, None, "GET", "/nowhere", 404, None),
    ]
    assert sandbox.journal[1].fields == ("csrf", "request", "decision")


def test_journal_keeps_no_secrets(partner: Partner, sandbox: Sandbox) -> None:
    """No value from a query, a body, a header or an unserved path is stored."""
    tokens = partner.tokens()
    key = partner.make_key(tokens["access_token"]).json()["data"]["attributes"]["key"]
    partner.call(f"/v1/input/{key}", key=key)
    partner.call("/api/v1/validate", params={"api_key": key})
    partner.http.get(f"{sandbox.base_url}/{tokens['access_token']}")
    partner.refresh(tokens["refresh_token"])
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    bare = tokens["refresh_token"]
    partner.call("/oauth2/v1/token", content=bare, headers=form)
    text = repr(sandbox.journal)
    assert "/v1/input/<masked>" in text
    assert not [secret for secret in sandbox.issued_secrets() if secret in text]


def test_mistake_of_the_sandbox_is_a_500(
    partner: Partner, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A bug leads to a 500 and a log entry, and does not end the server."""

    def broken(*_: Any) -> None:
        raise RuntimeError("a bug")

    monkeypatch.setattr(dispatching, "route_request", broken)
    assert partner.call("/api/v2/current_user").status_code == 500
    monkeypatch.undo()
    assert "failed to answer" in caplog.text
    assert partner.call("/api/v2/current_user").status_code == 401


def test_noise_on_the_wire(partner: Partner, caplog: pytest.LogCaptureFixture) -> None:
    """Invalid HTTP, odd encodings and endless names do no harm and aren't logged."""
    port = httpx.URL(partner.sandbox.base_url).port
    assert port
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.putrequest("GET", "/us1/app/integrations?%ff=%ff&a=%00")
    connection.putheader("Cookie", "ddoauth=\xff; =;;")
    connection.endheaders()
    assert connection.getresponse().status == 200
    connection.close()
    with socket.create_connection(("127.0.0.1", port)) as raw:
        raw.sendall(b"no http at all\r\n\r\n")
        assert b" 400 " in raw.recv(1000)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    url = f"{partner.urls['api_url']}/oauth2/v1/token"
    for body in (b"\xff=\xff", b"a&" * 5000, b"a=b&" * 5000):
        assert partner.http.post(url, content=body, headers=form).status_code == 400
    assert {record.name for record in caplog.records} <= {WIRE_LOG.name}
    assert not WIRE_LOG.propagate
