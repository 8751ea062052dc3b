"""A person's mistake at the listener leads to a sentence, and the next attempt works."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from contextlib import contextmanager
from html import unescape
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from support.builders import readable
from support.graded import free_port
from support.scene import Scene
from support.visitors import Person

from ddoauth_kit.errors import AuthorizationError, InputError
from ddoauth_kit.errors.explainer import by_code
from ddoauth_kit.oauth.callback.listener import CallbackListener
from ddoauth_kit.oauth.client import ONE_PERSON
from ddoauth_kit.sandbox import Sandbox
from ddoauth_kit.workbook.lab.scripted_consent import visit_consent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ddoauth_kit import Http, TokenSet
    from ddoauth_kit.workbook.lab.scripted_browser import BrowserPage

    Listener = CallbackListener[TokenSet]

FROM_TILE = urlencode({"domain": "datadoghq.com", "site": "https://app.datadoghq.com"})
# A kernel: it listens on the registered port until a redirect comes, and says what came of it.
KERNEL = """
import json, sys
from ddoauth_kit import (
    DATADOG_SITES, ClientRegistration, DdoauthError, Endpoints, Http, OAuthClient, Secret
)
from ddoauth_kit.oauth.callback.listener import CallbackListener

given = json.loads(sys.stdin.readline())
secret = Secret(given.pop("client_secret"), label="client_secret")
sites = DATADOG_SITES.at({n: Endpoints(**urls) for n, urls in given.pop("sites").items()})
oauth = OAuthClient(ClientRegistration(client_secret=secret, **given), sites=sites, http=Http())
with CallbackListener(oauth, finish=oauth.exchange) as listener:
    print("listening", flush=True)
    try:
        print(listener.wait(60).site.name, flush=True)
    except DdoauthError as error:
        print(error.code, flush=True)
"""


@pytest.fixture
def scene(http: Http) -> Iterator[Scene]:
    """Give a sandbox whose client is registered with a free port of this machine."""
    with Sandbox(real_time=True) as sandbox:
        scene = Scene(sandbox, http)
        scene.listen_at(f"http://127.0.0.1:{free_port()}", callback="/cb")
        yield scene


def listen(scene: Scene) -> Listener:
    """Return a listener that exchanges the code."""
    return CallbackListener(scene.oauth, finish=scene.oauth.exchange)


def begin(scene: Scene, person: Person | None = None) -> str:
    """Arrive at the onboarding URL, consent, and return the redirect that nobody opened yet."""
    url = f"{scene.oauth.registration.onboarding_url}?{FROM_TILE}"
    return (person or Person()).decide(url)


def still_works(scene: Scene) -> None:
    """Prove that a new attempt at the same address gets its tokens."""
    with listen(scene) as listener:
        person = Person()
        assert person.browser.open(begin(scene, person)).status == HTTPStatus.OK
        assert listener.wait(1).access_token


def says_what_to_do(page: BrowserPage, code: str) -> None:
    """Prove that a page of an error carries the advice for it."""
    advice, shown = (
        re.findall(r"\w+", text) for text in (by_code()[code].fix, unescape(page.text))
    )
    assert " ".join(advice)[1:] in " ".join(shown)


@contextmanager
def kernel(scene: Scene) -> Iterator[subprocess.Popen[str]]:
    """Run a separate kernel that listens on the registered port, and kill it at the end."""
    client = scene.oauth.registration
    given = {
        "client_id": client.client_id,
        "client_secret": client.secret.reveal(),
        "sites": {
            name: {k: v for k, v in urls.items() if k != "domain"}
            for name, urls in scene.sandbox.endpoints.items()
        },
        "redirect_uris": client.redirect_uris,
        "onboarding_url": client.onboarding_url,
        "scopes": client.scopes,
    }
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", KERNEL], env=os.environ, **pipes) as process:
        try:
            assert process.stdin
            process.stdin.write(json.dumps(given) + "\n")
            process.stdin.flush()
            assert said(process) == "listening"
            yield process
        finally:
            process.kill()


def said(process: subprocess.Popen[str]) -> str:
    """Return the next line of a kernel."""
    assert process.stdout
    return process.stdout.readline().strip()


def test_a_kernel_that_is_restarted_in_the_middle(scene: Scene) -> None:
    """The redirect of the lost attempt is told to start again, and the same port serves a new one.

    The old kernel is killed as Jupyter kills one, with connections of the browser still open.
    """
    person = Person()
    with kernel(scene) as old:
        lost = begin(scene, person)
        old.kill()
        old.wait()
        with kernel(scene) as new:
            page = person.browser.open(lost)
            assert page.status == HTTPStatus.BAD_REQUEST
            says_what_to_do(page, "wrong_state")
            assert "still waiting" in page.text
            assert not readable(scene.oauth.registration.secret.reveal(), page.text)
            page = person.browser.open(begin(scene, person))
            assert "You may now close this tab." in page.text
            assert said(new) == "us1"
            assert new.wait(60) == 0
    still_works(scene)


def test_a_port_that_another_kernel_holds(scene: Scene) -> None:
    """The message names the port and a fix; the other kernel continues until it frees the port."""
    with kernel(scene) as other:
        with pytest.raises(InputError) as caught:
            listen(scene).open()
        assert caught.value.code == "port_not_opened"
        assert "stop the program that is using the port" in str(caught.value)
        person = Person()
        assert person.browser.open(begin(scene, person)).status == HTTPStatus.OK
        assert said(other) == "us1"
    still_works(scene)


def test_a_cell_that_is_run_again_while_it_waits(scene: Scene) -> None:
    """A second listener of the same kernel is refused, and the first one is not disturbed."""
    with listen(scene) as first:
        person = Person()
        redirect = begin(scene, person)
        with pytest.raises(InputError, match="cannot be opened") as caught:
            listen(scene).open()
        assert caught.value.code == "port_not_opened"
        assert person.browser.open(redirect).status == HTTPStatus.OK
        assert first.wait(1).access_token
    still_works(scene)


def test_a_tab_that_is_closed_and_opened_again(scene: Scene) -> None:
    """The wait doesn't have to time out: a new start in another tab or browser can complete it."""
    with listen(scene) as listener:
        begin(scene)
        person = Person()
        assert person.browser.open(begin(scene, person)).status == HTTPStatus.OK
        assert listener.wait(1).access_token


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda url: url.partition("&state=")[0], "missing_state"),
        (lambda url: url[: url.index("&state=") + 20], "wrong_state"),
        (lambda url: url.partition("?")[0], "missing_state"),
    ],
    ids=["before the state", "in the state", "before the query"],
)
def test_half_a_url_in_the_address_bar(
    scene: Scene, spoil: Callable[[str], str], code: str
) -> None:
    """The error says what to do and ends nothing; the whole URL still works."""
    with listen(scene) as listener:
        person = Person()
        redirect = begin(scene, person)
        page = person.browser.open(spoil(redirect))
        assert page.status == HTTPStatus.BAD_REQUEST
        says_what_to_do(page, code)
        assert person.browser.open(redirect).status == HTTPStatus.OK
        assert listener.wait(1).access_token


def cut(redirect: str, name: str, *, share: float) -> str:
    """Return a redirect that breaks off within the value of one parameter."""
    found = re.search(rf"[?&]{name}=([^&]*)", redirect)
    assert found
    return redirect[: found.start(1) + int(len(found[1]) * share)]


@pytest.mark.parametrize(
    ("name", "share", "code"),
    [
        ("code", 0.5, "missing_state"),
        ("state", 0, "missing_state"),
        ("state", 0.9, "wrong_state"),
        ("domain", 0, "missing_domain"),
        ("domain", 0.9, "foreign_domain"),
        ("site", 0.9, "foreign_domain"),
        ("client_id", 0.5, "wrong_client_id"),
    ],
)
def test_half_a_url_that_is_pasted(scene: Scene, name: str, share: float, code: str) -> None:
    """Wherever the URL is cut off, the error says what to do, and a new attempt works."""
    request = scene.oauth.begin(domain="datadoghq.com", session=ONE_PERSON)
    redirect = visit_consent(request)
    sent = len(scene.http.transcript)
    with pytest.raises(AuthorizationError) as caught:
        scene.oauth.complete(cut(redirect, name, share=share), session=ONE_PERSON)
    assert caught.value.code == code
    assert caught.value.advice
    assert not readable(request.state.reveal(), str(caught.value))
    assert len(scene.http.transcript) == sent
    again = scene.oauth.begin(domain="datadoghq.com", session=ONE_PERSON)
    assert scene.oauth.complete(visit_consent(again), session=ONE_PERSON).access_token


def test_the_url_of_another_attempt(scene: Scene) -> None:
    """A redirect from another run is refused on the page as well as when pasted."""
    with listen(scene):
        other = begin(scene)
    with listen(scene) as listener:
        page = Person().browser.open(other)
        assert page.status == HTTPStatus.BAD_REQUEST
        says_what_to_do(page, "wrong_state")
        with pytest.raises(AuthorizationError) as caught:
            scene.oauth.receive(other, session=ONE_PERSON)
        assert caught.value.code == "wrong_state"
        person = Person()
        assert person.browser.open(begin(scene, person)).status == HTTPStatus.OK
        assert listener.wait(1).access_token


def test_the_url_of_another_site(scene: Scene) -> None:
    """Of two attempts in one browser, one cannot be ended with what the other site sent."""
    with listen(scene) as listener:
        person = Person()
        url = f"{scene.oauth.registration.onboarding_url}?domain=datadoghq.eu"
        redirects = {"us1": begin(scene, person), "eu1": person.decide(url)}
        states = {site: re.search(r"state=([^&]*)", url)[1] for site, url in redirects.items()}  # type: ignore[index]
        mixed = redirects["eu1"].replace(states["eu1"], states["us1"])
        page = person.browser.open(mixed)
        assert page.status == HTTPStatus.BAD_REQUEST
        says_what_to_do(page, "domain_changed")
        with pytest.raises(AuthorizationError) as caught:
            listener.wait(1)
    assert caught.value.code == "domain_changed"
    assert caught.value.advice
    still_works(scene)


def test_a_no_says_what_to_do(scene: Scene) -> None:
    """The page after a denial tells the customer how to continue."""
    with listen(scene) as listener:
        url = f"{listener.onboarding_url}?{FROM_TILE}"
        says_what_to_do(Person().finish(url, "deny"), "access_denied")
        with pytest.raises(AuthorizationError, match="ask the customer to authorize again"):
            listener.wait(1)
    still_works(scene)


def test_a_wait_that_is_over_says_what_to_do(scene: Scene) -> None:
    """If nobody came, the sentence says what to do for a browser on another machine."""
    with listen(scene) as listener, pytest.raises(AuthorizationError, match="CONSENT=paste"):
        listener.wait(0.01)
    still_works(scene)
