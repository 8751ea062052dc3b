"""The page after consent can be reloaded, at an address that does not reveal the code."""

from __future__ import annotations

import socket
import threading
import time
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import pytest
from support.graded import free_port
from support.scene import Scene
from support.visitors import Heard, Person, get, waiting
from support.waiting import until

from ddoauth_kit.oauth.callback import callback_pages as pages
from ddoauth_kit.oauth.callback.lasting_page import LastingPage
from ddoauth_kit.oauth.callback.listener import CallbackListener
from ddoauth_kit.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ddoauth_kit import Http, TokenSet

FROM_TILE = urlencode({"domain": "datadoghq.com", "site": "https://app.datadoghq.com"})
LOOPBACK = ("127.0.0.1",)


@pytest.fixture
def listener(http: Http) -> Iterator[CallbackListener[TokenSet]]:
    """Listen for a client of the sandbox, on a free port."""
    with Sandbox() as sandbox:
        scene = Scene(sandbox, http)
        scene.listen_at(f"http://127.0.0.1:{free_port()}")
        with CallbackListener(scene.oauth, finish=scene.oauth.exchange) as listener:
            yield listener


def answered(listener: CallbackListener[TokenSet], decision: str = "approve") -> Heard:
    """Return the listener's response to the redirect of a browser window."""
    begun = get(f"{listener.onboarding_url}?{FROM_TILE}")
    redirect = Person().decide(begun.headers["location"], decision)
    cookie = begun.headers["set-cookie"].partition(";")[0]
    return get(redirect, cookie=cookie, sec_fetch_mode="navigate")


def is_open(port: int) -> bool:
    """Return whether somebody listens there."""
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.checklist("L3")
def test_the_page_can_be_reloaded_and_the_redirect_s_port_is_closed(
    listener: CallbackListener[TokenSet],
) -> None:
    """The same page comes again and again, the registered port is closed, the code is gone."""
    with waiting(listener) as outcome:
        reply = answered(listener)
        assert reply.status == HTTPStatus.SEE_OTHER
        shown = [get(reply.headers["location"]) for _ in "123"]
    assert outcome[0].access_token
    assert {page.status for page in shown} == {HTTPStatus.OK}
    assert len({page.text for page in shown}) == 1
    assert "You can reload this page for a minute" in shown[0].text
    assert "code=" not in reply.headers["location"]
    assert not is_open(urlsplit(listener.redirect_uri).port or 0)
    assert get(reply.headers["location"]).status == HTTPStatus.OK


def test_the_wait_ends_when_the_browser_has_the_page(
    listener: CallbackListener[TokenSet],
) -> None:
    """A program that ends after `wait`, as a command does, does not end before its page is seen."""
    with waiting(listener) as outcome:
        reply = answered(listener)
        time.sleep(0.3)
        assert outcome == []
        get(reply.headers["location"])
    assert outcome[0].access_token


def test_a_denial_stays_where_it_is(listener: CallbackListener[TokenSet]) -> None:
    """Only a successful attempt has its own page."""
    with waiting(listener) as outcome:
        assert answered(listener, "deny").status == HTTPStatus.BAD_REQUEST
    assert outcome[0].code == "access_denied"


def test_nothing_else_is_there_and_the_port_closes() -> None:
    """Another path is not found; unseen, the wait still ends; after its time the port is closed."""
    seen, reply = threading.Event(), pages.success_page({}, lasts=True)
    page = LastingPage(reply, hosts=LOOPBACK, seen=seen.set, first_look=0.1)
    origin = f"http://127.0.0.1:{page.port}"
    for path in ("/", "/authorized/", "/oauth/callback?code=x&state=y", f"{page.path}x"):
        assert get(f"{origin}{path}").status == HTTPStatus.NOT_FOUND
    assert seen.wait(30)
    short = LastingPage(reply, hosts=LOOPBACK, seen=seen.set, lasts=0.2)
    until(lambda: not is_open(short.port))
    assert is_open(page.port)
    page._server.close()
