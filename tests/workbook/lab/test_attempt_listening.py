"""A lab's listener works on this machine and behind a proxy of Jupyter's."""

from __future__ import annotations

import os
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest
from support.visitors import Heard, Person, get

from ddoauth_kit.workbook import open_lab, open_sandbox_lab
from ddoauth_kit.workbook.lab import attempt as listening
from ddoauth_kit.workbook.lab import shared_sandbox as jupyter_server
from ddoauth_kit.workbook.lab.attempt import listener_of

if TYPE_CHECKING:
    from pathlib import Path


PORTS = "/user/abc/proxy/"
HUB = "https://hub.example"


@pytest.fixture
def behind_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be in a kernel of a server that shows ports to browsers."""
    monkeypatch.setattr(listening, "ports_path", lambda: PORTS)


@pytest.fixture
def on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be in a kernel of a server that shows no ports."""
    monkeypatch.setattr(listening, "ports_path", lambda: "")


def through(link: str, *, host: str = "hub.example", **headers: str) -> Heard:
    """Send a request as Jupyter's proxy does: the path without its prefix, the host unchanged."""
    port, _, rest = link.removeprefix(HUB).removeprefix(PORTS).partition("/")
    return get(
        f"http://127.0.0.1:{port}/{rest}",
        **{
            "host": host,
            "x-forwarded-prefix": f"{PORTS}{port}",
            "x-forwarded-proto": "https,http",
            "authorization": "token canary",
            "cookie": "_xsrf=canary; username-hub=canary",
            **headers,
        },
    )


@pytest.mark.usefixtures("on_this_machine")
def test_tokens_are_kept_as_a_cell_keeps_them() -> None:
    """The listener ends in `lab.exchange`, on a free port that the sandbox's client then has."""
    with open_lab() as lab, listener_of(lab) as listener:
        first = lab.registration.redirect_uris[0]
        assert listener.redirect_uri in lab.registration.redirect_uris
        page = Person().finish(f"{listener.onboarding_url}?domain=datadoghq.com")
        assert "You may now close this tab." in page.text
        tokens = listener.wait(60)
        assert lab.connect().refresh_token == tokens.refresh_token
        assert lab.authorization_request().redirect_uri == first, "lessons name what they named"
        assert listener.link_to("http://127.0.0.1:1/x") == "http://127.0.0.1:1/x"


@pytest.mark.usefixtures("on_this_machine")
def test_two_private_clients_listen_at_once() -> None:
    """Each has its own free port, and its own registration names it."""
    with (
        open_sandbox_lab(private=True) as one,
        open_sandbox_lab("eu1", private=True) as two,
        listener_of(one) as first,
        listener_of(two) as second,
    ):
        for lab, listener in ((one, first), (two, second)):
            Person().finish(f"{listener.onboarding_url}?domain={lab.site.domain}")
            assert listener.wait(60).client_id == lab.registration.client_id


@pytest.mark.usefixtures("on_this_machine")
def test_from_the_tile_of_the_sandbox() -> None:
    """Connect Accounts leads to the listener while it is running."""
    with open_lab("us5") as lab, listener_of(lab) as listener:
        person = Person()
        url = f"{lab.site.app_url}/integrations"
        forms = person.browser.open(url).forms
        wanted = lab.registration.client_id
        form = next(f for f in forms if "connect" in f.action and f.fields["client_id"] == wanted)
        arrival = person.browser.open(f"{url}/connect", form.fields).location
        assert arrival.startswith(listener.onboarding_url)
        person.finish(arrival)
        assert listener.wait(60).site.name == "us5"


@pytest.mark.usefixtures("behind_a_proxy")
def test_the_first_link_teaches_the_host() -> None:
    """Until a browser comes by a link, foreign hosts are refused; then one is known, for good."""
    with open_lab() as lab, listener_of(lab) as listener:
        onboard = f"{listener.onboarding_url}?domain=datadoghq.com"
        link = listener.link_to(onboard)
        assert link.startswith(f"{PORTS}{urlsplit(onboard).port}/start/")
        proxied = f"{PORTS}{urlsplit(onboard).port}/onboarding"
        assert through(proxied).status == HTTPStatus.MISDIRECTED_REQUEST
        assert through(link, x_forwarded_prefix="/else/").status == HTTPStatus.MISDIRECTED_REQUEST
        assert through(f"{link}x").status == HTTPStatus.MISDIRECTED_REQUEST
        assert through(link).headers["location"].startswith(f"{HUB}{proxied}?domain=")
        assert listener.redirect_uri == f"{HUB}{PORTS}{urlsplit(onboard).port}/oauth/callback"
        assert listener.redirect_uri in lab.registration.redirect_uris
        assert through(link, host="evil.example").status == HTTPStatus.MISDIRECTED_REQUEST
        assert through(proxied, host="evil.example").status == HTTPStatus.MISDIRECTED_REQUEST
        assert listener.redirect_uri.startswith(HUB)


@pytest.mark.usefixtures("behind_a_proxy")
def test_the_consent_page_is_reached_through_the_proxy() -> None:
    """The browser is sent to the sandbox's proxied port, with a cookie for this prefix alone."""
    with open_lab() as lab, listener_of(lab) as listener:
        link = listener.link_to(f"{listener.onboarding_url}?domain=datadoghq.com")
        heard = through(through(link).headers["location"])
        assert heard.status == HTTPStatus.SEE_OTHER
        sandbox = urlsplit(lab.site.app_url).port
        assert heard.headers["location"].startswith(f"{HUB}{PORTS}{sandbox}/us1/app/oauth2/")
        query = parse_qs(urlsplit(heard.headers["location"]).query)
        assert query["redirect_uri"] == [listener.redirect_uri]
        cookie = heard.headers["set-cookie"].split("; ")[1:]
        port = urlsplit(listener.redirect_uri).path.split("/")[4]
        assert cookie == [f"Path={PORTS}{port}/", "HttpOnly", "SameSite=Lax", "Secure"]
        consent = through(heard.headers["location"])
        assert consent.status == HTTPStatus.OK
        assert f"Path={PORTS}{sandbox}/us1" in consent.headers["set-cookie"]
        assert lab.site.api_url.startswith("http://127.0.0.1:"), "programs keep to loopback"
        assert "canary" not in repr(vars(listener))


@pytest.mark.usefixtures("behind_a_proxy")
def test_plain_http_beyond_this_machine_is_refused() -> None:
    """A server that others reach over http can't be a redirect URI's host; the page says so."""
    with open_lab() as lab, listener_of(lab) as listener:
        link = listener.link_to(listener.onboarding_url)
        heard = through(link, host="10.0.0.5:8888", x_forwarded_proto="http")
        assert heard.status == HTTPStatus.BAD_REQUEST
        assert "Reason: bad redirect uri" in heard.text
        assert through(link).status == HTTPStatus.SEE_OTHER, "the next attempt works"


@pytest.mark.parametrize(
    ("environ", "path"),
    [
        ({"JUPYTERHUB_SERVICE_PREFIX": "/user/ada@example.com/"}, "/user/ada@example.com/proxy/"),
        ({"JUPYTERHUB_SERVICE_PREFIX": "//evil.example/"}, ""),
        ({"JUPYTERHUB_SERVICE_PREFIX": 'x" onclick="'}, ""),
        ({"JPY_PARENT_PID": str(os.getpid())}, "/base/proxy/"),
        ({"JPY_PARENT_PID": "1"}, ""),
        ({}, ""),
    ],
)
def test_where_ports_are_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, environ: dict[str, str], path: str
) -> None:
    """A hub sets a variable, another server has its own file; an invalid path is not used."""
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr(jupyter_server, "find_spec", lambda _name: True)
    (tmp_path / f"jpserver-{os.getpid()}.json").write_text('{"base_url": "/base/"}')
    assert jupyter_server.ports_path(environ=environ) == path
    monkeypatch.setattr(jupyter_server, "find_spec", lambda _name: None)
    assert jupyter_server.ports_path(environ=environ) == ""
