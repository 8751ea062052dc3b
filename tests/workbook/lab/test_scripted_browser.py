"""The small browser stores cookies, returns redirects, reads forms, and uses no proxy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.loopback import Answer

from ddoauth_kit.errors import NetworkError
from ddoauth_kit.workbook.lab.scripted_browser import Browser

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.loopback import RecordingServer

PAGE = """<!doctype html><title>Consent</title>
<style>body { color: red }</style><script>alert("no word")</script>
<input name="stray" value="outside of forms">
<form action="/yes"><input name="state" value="a &amp; b"><input name="empty">
<button name="decision" value="approve">Yes</button></form>
<form><input type="hidden" name="other" value="1"></form>
<p>Two   words</p>"""


def test_cookies_are_kept(serve: Callable[..., RecordingServer]) -> None:
    """A cookie from one response is sent with the next request, but not by another browser."""
    server = serve(Answer(headers=(("set-cookie", "session=abc; Path=/"),)), Answer())
    browser = Browser()
    browser.open(f"{server.url}/first")
    browser.open(f"{server.url}/second")
    Browser().open(f"{server.url}/third")
    assert [arrived.headers.get("cookie") for arrived in server.arrived] == [
        None,
        "session=abc",
        None,
    ]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("form", [None, {"decision": "approve"}])
def test_a_redirect_is_handed_back(
    status: int, form: dict[str, str] | None, serve: Callable[..., RecordingServer]
) -> None:
    """A redirect is what the caller came for: its target is not visited."""
    target = "https://acme.example.com/callback?code=x"
    server = serve(Answer(status=status, headers=(("location", target),)))
    page = Browser().open(f"{server.url}/authorize", form)
    assert (page.status, page.location) == (status, target)
    assert len(server.arrived) == 1


@pytest.mark.parametrize("form", [{"decision": "approve", "state": "a & b=c/ü"}, {}])
def test_a_form_is_posted(form: dict[str, str], serve: Callable[..., RecordingServer]) -> None:
    """A form is sent as a POST with its fields encoded, even if it has none."""
    server = serve()
    Browser().open(f"{server.url}/yes", form)
    (arrived,) = server.arrived
    assert arrived.method == "POST"
    assert arrived.form == form


@pytest.mark.parametrize("status", [200, 404, 500])
def test_a_page_is_read(status: int, serve: Callable[..., RecordingServer]) -> None:
    """Text and forms are read from a page of any status, and fields know their form."""
    page = Browser().open(f"{serve(Answer(PAGE, status)).url}/page")
    consent, other = page.forms
    assert page.status == status
    assert page.text == "Consent Yes Two words"
    assert (consent.action, consent.decides) == ("/yes", True)
    assert consent.fields == {"state": "a & b", "empty": ""}
    assert (other.action, other.decides, other.fields) == ("", False, {"other": "1"})


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy"])
def test_no_proxy_is_used(
    name: str, serve: Callable[..., RecordingServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy from the environment can't reach this machine's sandbox, and is not used."""
    proxy, server = serve(), serve()
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.setenv(name, proxy.url)
    assert Browser().open(f"{server.url}/page").status == 200
    assert len(server.arrived) == 1
    assert proxy.arrived == []


def test_a_server_that_is_gone_is_a_sentence(serve: Callable[..., RecordingServer]) -> None:
    """The error has the system's reason and the next step, and not the URL with what it carries."""
    server = serve()
    server.close()
    with pytest.raises(NetworkError, match="Connection refused") as caught:
        Browser().open(f"{server.url}/cb?code=canary-code")
    assert caught.value.code == "no_network"
    assert "canary" not in str(caught.value)
    assert "from its first cell" in str(caught.value)
