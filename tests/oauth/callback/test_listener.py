"""The listener waits on loopback for one redirect, checks it as the client does, and closes."""

from __future__ import annotations

import re
import socket
import threading
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

import psutil
import pytest
from support.builders import readable
from support.graded import free_port
from support.listeners import has_ipv6, listen, onboard, still_works
from support.places import TESTS
from support.visitors import Person, get, waiting

from ddoauth_kit import TokenSet
from ddoauth_kit.errors import AuthorizationError, InputError, NetworkError
from ddoauth_kit.oauth.callback.listener import CallbackListener
from ddoauth_kit.oauth.client import ONE_PERSON
from ddoauth_kit.workbook.lab.scripted_consent import visit_consent

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.scene import Scene

    from ddoauth_kit.oauth.callback.addresses import CallbackUrls


def test_from_the_tile_to_tokens(scene: Scene) -> None:
    """The customer clicks Connect Accounts, consents, and the program has tokens of that site."""
    with listen(scene) as listener, waiting(listener) as outcome:
        tile = Person()
        url = scene.sandbox.endpoints["us1"]["app_url"] + "/integrations"
        page = tile.browser.open(url)
        (form,) = [
            f
            for f in page.forms
            if f.action.endswith("integrations/connect")
            and f.fields["client_id"] == scene.sandbox.client.client_id
        ]
        arrival = tile.browser.open(f"{url}/connect", form.fields).location
        assert arrival.startswith(listener.onboarding_url)
        assert "You may now close this tab." in tile.finish(arrival).text
    assert outcome[0].site.name == "us1"
    scene.whoami(outcome[0])


def test_onboarding_sends_on_with_challenge_and_state(scene: Scene) -> None:
    """The response is a 303 to the site's authorize endpoint, with S256, state and redirect URI."""
    with listen(scene) as listener:
        query = urlencode({"domain": "us3.datadoghq.com", "site": "https://us3.datadoghq.com"})
        heard = get(onboard(listener, query))
    assert heard.status == HTTPStatus.SEE_OTHER
    where, sent = heard.headers["location"].split("?")
    assert where == scene.sandbox.endpoints["us3"]["app_url"] + "/oauth2/v1/authorize"
    asked = parse_qs(sent)
    assert asked["code_challenge_method"] == ["S256"]
    assert len(asked["code_challenge"][0]) == 43
    assert len(asked["state"][0]) >= 22
    assert asked["redirect_uri"] == [listener.redirect_uri]


def test_from_outside_the_callback_decides(scene: Scene) -> None:
    """Without `domain` and `site`, the attempt starts at the client's first site."""
    with listen(scene) as listener, waiting(listener) as outcome:
        Person().finish(listener.onboarding_url)
    assert outcome[0].site.name == "us1"


def test_cookie_is_strict(scene: Scene) -> None:
    """The cookie is HttpOnly and Lax, has its own path and name, and reveals nothing."""
    with listen(scene) as one:
        first = get(onboard(one)).headers["set-cookie"]
    with listen(scene) as two:
        second = get(onboard(two)).headers["set-cookie"]
    assert first.split("; ")[1:] == ["Path=/", "HttpOnly", "SameSite=Lax"]
    assert first.split("=")[0] != second.split("=")[0]
    assert len(first.split("; ")[0].split("=")[1]) >= 43


def test_an_attempt_of_the_program(scene: Scene) -> None:
    """A lesson's request goes through the same listener, bound to the browser."""
    request = scene.oauth.begin(domain="datadoghq.com", session=ONE_PERSON)
    with listen(scene) as listener:
        url = listener.start_url(request)
        with waiting(listener) as outcome:
            assert Person().finish(url).status == HTTPStatus.OK
    assert outcome[0].site.name == "us1"


def test_nobody_else_begins_an_attempt_beside_the_programs_own(scene: Scene) -> None:
    """Another program on this machine cannot end the wait with its own organization."""
    request = scene.oauth.begin(domain="datadoghq.com", session=ONE_PERSON)
    with listen(scene) as listener:
        url = listener.start_url(request)
        assert get(onboard(listener)).status == HTTPStatus.NOT_FOUND
        with waiting(listener) as outcome:
            Person().finish(url)
    assert outcome[0].site.name == "us1"


@pytest.mark.parametrize(("decision", "end"), [("approve", TokenSet), ("deny", AuthorizationError)])
def test_the_programs_own_attempt_can_be_pasted_without_the_link(
    scene: Scene, decision: str, end: type[object]
) -> None:
    """A person who opens the authorization URL by hand may paste the final address, even a no."""
    request = scene.oauth.begin(domain="datadoghq.com", session=ONE_PERSON)
    with listen(scene) as listener:
        listener.start_url(request)
        with waiting(listener) as outcome:
            listener.take(visit_consent(request, decision=decision))
    assert isinstance(outcome[0], end)


def test_a_failed_registration_leaves_no_port_open(scene: Scene) -> None:
    """The error comes out, and the port is closed."""
    ports: list[int] = []

    def refuse(urls: CallbackUrls) -> None:
        ports.append(urlsplit(urls.redirect_uri).port or 0)
        raise InputError("sandbox_not_started", "it is gone")

    listener = CallbackListener(scene.oauth, finish=scene.oauth.exchange, register=refuse)
    with pytest.raises(InputError):
        listener.open()
    socket.create_server(("127.0.0.1", ports[0])).close()


def test_an_attempt_that_ends_elsewhere_is_refused(scene: Scene) -> None:
    """A request with another redirect URI would never come back here."""
    request = scene.oauth.begin(domain="datadoghq.com", session=ONE_PERSON)
    with listen(scene) as listener, pytest.raises(InputError) as caught:
        listener.start_url(replace(request, redirect_uri="https://acme.example.com/callback"))
    assert caught.value.code == "unregistered_redirect_uri"


def test_three_ways_in(scene: Scene) -> None:
    """Listener, pasted URL and scripted consent end in the same tokens, by the same checks."""
    scripted = scene.tokens()
    request = scene.oauth.begin(domain="datadoghq.com", session=ONE_PERSON)
    pasted = scene.oauth.complete(visit_consent(request), session=ONE_PERSON)
    with listen(scene) as listener, waiting(listener) as outcome:
        Person().finish(onboard(listener))
    kinds = {(t.site, t.scopes, t.client_id, t.dd_oid) for t in (scripted, pasted, outcome[0])}
    assert len(kinds) == 1


@pytest.mark.checklist("L1")
def test_only_loopback_is_bound(scene: Scene) -> None:
    """Requests to another address of this machine get no response."""
    with listen(scene) as listener:
        port = urlsplit(listener.redirect_uri).port
        families = {socket.AF_INET, socket.AF_INET6}
        found = [each for card in psutil.net_if_addrs().values() for each in card]
        for address in {each.address for each in found if each.family in families}:
            if not address.startswith("127.") and address != "::1":
                with pytest.raises(OSError):  # noqa: PT011 - refused or unreachable, as it may be
                    socket.create_connection((address, port), timeout=1).close()
        # The whole of 127/8 is this machine; a listener on all addresses would answer here too.
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.2", port), timeout=1).close()


@pytest.mark.checklist("L1")
@pytest.mark.parametrize(
    "uri", ["https://acme.example.com/callback", "https://127.0.0.1/cb", "http://127.0.0.1:0/cb"]
)
def test_other_redirect_uris_are_not_listened_for(scene: Scene, uri: str) -> None:
    """A client without a loopback redirect URI gets a sentence, and no port is opened."""
    scene.give(redirect_uris=(uri,))
    with pytest.raises(InputError) as caught:
        listen(scene)
    assert caught.value.code == "no_loopback_redirect_uri"
    assert uri in str(caught.value)


@pytest.mark.checklist("L2")
def test_the_ip_literal_wins(scene: Scene) -> None:
    """If `localhost` and 127.0.0.1 are both registered, 127.0.0.1 is used."""
    port = free_port()
    number, name = f"http://127.0.0.1:{port}/cb", f"http://localhost:{port}/cb"
    scene.give(redirect_uris=(name, number), onboarding_url=f"http://127.0.0.1:{port}/onboard")
    listener = listen(scene)
    assert listener.redirect_uri == number
    assert listener.warnings == ()


@pytest.mark.checklist("L2")
def test_localhost_works_with_a_warning(scene: Scene) -> None:
    """A client registered only with `localhost` is served, with a note about it."""
    scene.listen_at(f"http://localhost:{free_port()}")
    with listen(scene) as listener:
        assert "127.0.0.1" in " ".join(listener.warnings)
        still_works(listener)


@pytest.mark.checklist("L2")
@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_localhost_is_taken_whole_or_not_at_all(scene: Scene) -> None:
    """If a program listens for `localhost` on IPv6, it would get the code, so nothing is opened."""
    port = free_port()
    scene.listen_at(f"http://localhost:{port}")
    with (
        socket.create_server(("::1", port), family=socket.AF_INET6),
        pytest.raises(InputError, match="::1"),
    ):
        listen(scene).open()
    with listen(scene) as listener:
        still_works(listener)


@pytest.mark.checklist("L3")
def test_the_port_is_open_before_the_browser_and_closed_after(scene: Scene) -> None:
    """The registered port is open from the start and closed by the response."""
    listener = listen(scene)
    port = urlsplit(scene.oauth.registration.redirect_uris[0]).port
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
    with listener:
        socket.create_connection(("127.0.0.1", port)).close()
        still_works(listener)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))


@pytest.mark.checklist("L3")
def test_a_second_run_on_the_same_port_works(scene: Scene) -> None:
    """Connections of the first run that linger do not keep the port."""
    for _ in range(3):
        with listen(scene) as listener:
            still_works(listener)


@pytest.mark.checklist("L3")
def test_a_taken_port_is_named(scene: Scene) -> None:
    """A program on the port leads to a sentence; when it ends, the next attempt works."""
    port = urlsplit(scene.oauth.registration.redirect_uris[0]).port
    with socket.create_server(("127.0.0.1", port)), pytest.raises(InputError) as caught:
        listen(scene).open()
    assert caught.value.code == "port_not_opened"
    assert str(port) in str(caught.value)
    with listen(scene) as listener:
        still_works(listener)


@pytest.mark.checklist("L3")
def test_a_free_port_is_for_clients_that_can_be_registered(scene: Scene) -> None:
    """The sandbox's client gets the two URLs of a free port before any browser comes."""

    def take(urls: Any) -> None:
        scene.sandbox.add_redirect_uri(urls.redirect_uri)
        scene.give(redirect_uris=(urls.redirect_uri,), onboarding_url=urls.onboarding_url)

    finish = scene.oauth.exchange
    with CallbackListener(scene.oauth, finish=finish, register=take) as listener:
        assert scene.oauth.registration.redirect_uris == (listener.redirect_uri,)
        still_works(listener)


@pytest.mark.checklist("L4")
@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"path": "/favicon.ico"}, 404),
        ({"path": "/"}, 404),
        ({"path": "/oauth/callback/"}, 404),
        ({"path": "/oauth%2Fcallback"}, 404),
        ({"path": "/start/guess"}, 404),
        ({"method": "HEAD"}, 405),
        ({"method": "POST"}, 405),
        ({"method": "OPTIONS"}, 405),
        ({"host": "evil.example"}, 421),
        ({"host": "127.0.0.1"}, 421),
        ({"host": "127.0.0.1.evil.example:80"}, 421),
        ({"sec_fetch_dest": "iframe"}, 403),
        ({"sec_fetch_dest": "image"}, 403),
        ({"sec_purpose": "prefetch;prerender"}, 403),
    ],
)
def test_what_is_no_redirect_does_not_end_the_wait(
    scene: Scene, change: dict[str, str], status: int
) -> None:
    """Other paths, methods, names and frames get 4xx even with a good redirect, and end nothing."""
    with listen(scene) as listener:
        person = Person()
        redirect = person.decide(onboard(listener))
        cookie = "; ".join(f"{c.name}={c.value}" for c in _cookies(person))
        parts = urlsplit(redirect)
        url = parts._replace(path=change.pop("path", parts.path)).geturl()
        heard = get(url, cookie=cookie, **change)
        assert heard.status == status
        assert "set-cookie" not in heard.headers
        assert not any(readable(value, heard.text) for value in parse_qs(parts.query)["state"])
        with waiting(listener) as outcome:
            assert person.browser.open(redirect).status == HTTPStatus.OK
    assert outcome[0].access_token


def _cookies(person: Person) -> list[Any]:
    return list(person.browser.cookies)


@pytest.mark.checklist("L4")
@pytest.mark.parametrize(
    ("redirect", "code"),
    [
        ("?code=c&state=guess&domain=datadoghq.com", "wrong_state"),
        ("?code=c&domain=datadoghq.com", "missing_state"),
        ("?", "missing_state"),
        ("?code", "not_a_redirect"),
        ("?error=access_denied&state=guess", "wrong_state"),
    ],
)
def test_a_forged_redirect_does_not_end_the_wait(scene: Scene, redirect: str, code: str) -> None:
    """An unknown state is refused in the browser, and the attempt under way still works."""
    with listen(scene) as listener:
        get(onboard(listener))
        heard = get(listener.redirect_uri + redirect)
        assert heard.status == HTTPStatus.BAD_REQUEST
        assert "still waiting" in heard.text
        with pytest.raises(AuthorizationError) as caught:
            scene.oauth.receive(listener.redirect_uri + redirect, session="any")
        assert caught.value.code == code, "pasted, it is refused for the same reason"
        still_works(listener)


@pytest.mark.checklist("L4")
@pytest.mark.checklist("C4")
def test_another_browser_cannot_finish(scene: Scene) -> None:
    """A redirect in a browser without the cookie is refused; in its own it is believed."""
    with listen(scene) as listener:
        person = Person()
        redirect = person.decide(onboard(listener))
        assert Person().browser.open(redirect).status == HTTPStatus.BAD_REQUEST
        with waiting(listener) as outcome:
            assert person.browser.open(redirect).status == HTTPStatus.OK
    assert outcome[0].access_token


@pytest.mark.checklist("C4")
def test_a_planted_cookie_is_no_session(scene: Scene) -> None:
    """A value that this listener did not make is replaced, not taken over."""
    with listen(scene) as listener:
        name = get(onboard(listener)).headers["set-cookie"].partition("=")[0]
        heard = get(onboard(listener), cookie=f"{name}=planted; other=1")
        assert heard.headers["set-cookie"].startswith(f"{name}=")
        assert "planted" not in heard.headers["set-cookie"]


@pytest.mark.checklist("C4")
def test_a_second_onboarding_replaces_nothing(scene: Scene) -> None:
    """The same browser starts twice, another one once; the first attempt still works."""
    with listen(scene) as listener:
        person = Person()
        redirect = person.decide(onboard(listener))
        person.follow(onboard(listener))
        Person().follow(onboard(listener))
        with waiting(listener) as outcome:
            assert person.browser.open(redirect).status == HTTPStatus.OK
    assert outcome[0].access_token


def test_a_link_works_in_one_browser(scene: Scene) -> None:
    """A start link may be opened again in its browser, and not in another."""
    request = scene.oauth.begin(domain="datadoghq.com", session=ONE_PERSON)
    with listen(scene) as listener:
        url, person = listener.start_url(request), Person()
        assert person.follow(url)[1].status == HTTPStatus.OK
        assert person.follow(url)[1].status == HTTPStatus.OK
        refused = Person().follow(url)[1]
        assert refused.status == HTTPStatus.BAD_REQUEST
        assert "wrong_state" not in refused.text


def test_two_names_of_this_machine_share_a_session(scene: Scene) -> None:
    """A browser that arrives at `localhost` is first sent to the redirect URI's own host name."""
    port = urlsplit(scene.oauth.registration.redirect_uris[0]).port
    scene.give(onboarding_url=f"http://localhost:{port}/onboard")
    with listen(scene) as listener:
        assert listener.onboarding_url == f"http://localhost:{port}/onboard"
        still_works(listener)


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("domain=evil.example", "unknown site"),
        ("domain=datadoghq.com.evil.example", "unknown site"),
        ("domain=datadoghq.eu&site=https://app.datadoghq.com", "inconsistent site"),
        ("domain=datadoghq.com&domain=datadoghq.eu", "duplicate parameter"),
        ("domain", "not a redirect"),
    ],
)
def test_an_edited_onboarding_url_is_refused(scene: Scene, query: str, word: str) -> None:
    """A made-up `domain` does not redirect the browser, says why, and the next attempt works."""
    with listen(scene) as listener:
        heard = get(onboard(listener, query))
        assert heard.status == HTTPStatus.BAD_REQUEST
        assert word in heard.text
        assert "location" not in heard.headers
        still_works(listener)


def endings() -> list[tuple[str, Callable[[str], str], str]]:
    """Return the ways a person or an attacker may spoil a valid redirect, with the result."""
    return [
        ("domain edited", lambda url: url.replace("domain=datadoghq.com", "domain=datadoghq.eu"),
         "inconsistent_site"),
        ("another site's", lambda url: url.replace("datadoghq.com", "datadoghq.eu"),
         "domain_changed"),
        ("foreign", lambda url: url.replace("domain=datadoghq.com", "domain=evil.example"),
         "foreign_domain"),
        ("code removed", lambda url: url.replace("code=", "other="), "missing_code"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("spoil", "code"), [e[1:] for e in endings()], ids=[e[0] for e in endings()]
)
def test_an_edited_redirect_ends_the_attempt(
    scene: Scene, spoil: Callable[[str], str], code: str
) -> None:
    """The browser and the program hear why; nothing is sent; a new listener works."""
    with listen(scene) as listener:
        person = Person()
        redirect = spoil(person.decide(onboard(listener)))
        sent = len(scene.http.transcript)
        with waiting(listener) as outcome:
            page = person.browser.open(redirect)
    assert outcome[0].code == code
    assert page.status == HTTPStatus.BAD_REQUEST
    assert code.replace("_", " ") in page.text
    assert outcome[0].advice[1:] in page.text
    assert len(scene.http.transcript) == sent
    with listen(scene) as listener:
        still_works(listener)


def test_deny(scene: Scene) -> None:
    """A customer who says no ends the wait at once, with a sentence; the next attempt works."""
    with listen(scene) as listener, waiting(listener) as outcome:
        page = Person().finish(onboard(listener), decision="deny")
    assert outcome[0].code == "access_denied"
    assert "access denied" in page.text
    with listen(scene) as listener:
        still_works(listener)


def test_a_failed_exchange_is_heard_by_both(scene: Scene) -> None:
    """The token endpoint's refusal is on the page and in the error."""
    scene.sandbox.inject("expired-code:1")
    with listen(scene) as listener, waiting(listener) as outcome:
        page = Person().finish(onboard(listener))
    assert outcome[0].code == "invalid_grant"
    assert "You may now close this tab" in page.text
    assert page.status == HTTPStatus.BAD_REQUEST


def test_an_unexpected_failure_is_heard_by_the_program(scene: Scene) -> None:
    """An error that is not the kit's reaches the waiting caller, but not the browser."""

    def fail(_response: object) -> None:
        raise RuntimeError("canary")

    with CallbackListener(scene.oauth, finish=fail) as listener:
        page = Person().finish(onboard(listener))
        with pytest.raises(RuntimeError, match="canary"):
            listener.wait(1)
    assert page.status == HTTPStatus.INTERNAL_SERVER_ERROR
    assert "canary" not in page.text


def test_comes_back_twice(scene: Scene) -> None:
    """A redirect that is opened again gets a page that says so; the tokens are unchanged."""
    with listen(scene) as listener:
        person = Person()
        redirect = person.decide(onboard(listener))
        assert person.browser.open(redirect).status == HTTPStatus.OK
        again = person.browser.open(redirect)
        assert again.status == HTTPStatus.CONFLICT
        assert "already ended" in again.text
        assert person.follow(onboard(listener))[1].status == HTTPStatus.CONFLICT
        assert listener.wait(1).access_token
    with listen(scene) as listener:
        assert person.browser.open(redirect).status == HTTPStatus.BAD_REQUEST
        still_works(listener)


@pytest.mark.checklist("L5")
def test_pages_show_no_secret_and_load_nothing(scene: Scene) -> None:
    """Good, bad and strange endings carry no code, token or state, and strict headers."""
    pages, values = [], []
    for decision in ("approve", "deny"):
        with listen(scene) as listener:
            person = Person()
            redirect = person.decide(onboard(listener), decision)
            values += [v for name, v in _query(redirect).items() if name in {"code", "state"}]
            cookie = "; ".join(f"{c.name}={c.value}" for c in _cookies(person))
            pages += [get(onboard(listener)), get(listener.redirect_uri + "?state=<b>x</b>&code=c")]
            pages += [get(redirect, cookie=cookie), get(f"{redirect}&next=https://evil.example")]
    secrets = [*values, *scene.sandbox.issued_secrets()]
    assert len(values) == 3
    for heard in pages:
        assert not [s for s in secrets if readable(s, heard.text)]
        assert "default-src 'none'" in heard.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in heard.headers["content-security-policy"]
        assert heard.headers["referrer-policy"] == "no-referrer"
        assert heard.headers["cache-control"] == "no-store"
        assert heard.headers["x-content-type-options"] == "nosniff"
        assert heard.headers["x-frame-options"] == "DENY"
        assert not {"server", "access-control-allow-origin"} & heard.headers.keys()
        for mark in ("<b>", "<script", "src=", "href=", "evil.example"):
            assert mark not in heard.text


def _query(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


FOREIGN = "canary your account is closed call 555 0100"


@pytest.mark.checklist("L5")
@pytest.mark.parametrize("decision", ["approve", "deny"])
@pytest.mark.parametrize(
    "parameter",
    [
        "client_id",
        "domain",
        "site",
        "iss",
        "error",
        "error_description",
        "error_uri",
        "dd_oid",
        "dd_org_name",
        "code",
        "state",
        "scope",
        "next",
        FOREIGN,
    ],
)
def test_words_from_outside_are_not_repeated(scene: Scene, parameter: str, decision: str) -> None:
    """Whatever a redirect says, the page has only the kit's own words and perhaps an org's name.

    That one is cut, escaped, and stands after a consent in its own box.
    """
    with listen(scene) as listener:
        person = Person()
        redirect = person.decide(onboard(listener), decision)
        said = {**_query(redirect), parameter: f"{FOREIGN} <script>"}
        cookie = "; ".join(f"{c.name}={c.value}" for c in _cookies(person))
        address = redirect.partition("?")[0]
        heard = get(f"{address}?{urlencode(said)}", cookie=cookie)
        again = get(f"{onboard(listener)}&{urlencode({parameter: FOREIGN})}")
    for page in (heard, again):
        assert "<script" not in page.text
        if (parameter, decision) != ("dd_org_name", "approve"):
            assert "canary" not in page.text
    assert "<dd>canary" not in again.text


def test_the_last_page_says_what_was_granted(scene: Scene) -> None:
    """It names organization, site and granted scopes, cuts a long name, and carries no secret."""
    scene.sandbox.inject("narrowed-scopes")
    with listen(scene) as listener, waiting(listener) as outcome:
        person = Person()
        redirect = person.decide(onboard(listener), "approve")
        said = {**_query(redirect), "dd_org_name": "Acme <b>" + "x" * 200}
        cookie = "; ".join(f"{c.name}={c.value}" for c in _cookies(person))
        page = get(f"{redirect.partition('?')[0]}?{urlencode(said)}", cookie=cookie)
    scopes = outcome[0].scopes
    assert f"<dd>Acme &lt;b&gt;{'x' * 72}</dd>" in page.text
    assert "us1 (datadoghq.com)" in page.text
    assert f"<dt>Granted scopes ({len(scopes.granted)})</dt>" in page.text
    assert f"<dd>{', '.join(scopes.withheld)}</dd>" in page.text
    for secret in scene.sandbox.issued_secrets():
        assert secret not in page.text


@pytest.mark.checklist("L6")
def test_hard_timeout(scene: Scene) -> None:
    """If nobody comes or the tab is closed, the error says which, and the next run works."""
    with listen(scene) as listener, pytest.raises(AuthorizationError) as caught:
        listener.wait(0.05)
    assert caught.value.code == "no_redirect_in_time"
    assert "No browser opened the link" in str(caught.value)
    with listen(scene) as listener:
        Person().follow(onboard(listener))
        with pytest.raises(AuthorizationError, match="did not come back"):
            listener.wait(0.05)
    with listen(scene) as listener:
        still_works(listener)


@pytest.mark.checklist("L6")
def test_a_redirect_after_the_timeout_grants_nothing(scene: Scene) -> None:
    """Its port is closed, its attempt is void, and pasting it later is refused."""
    with listen(scene) as listener:
        redirect = Person().decide(onboard(listener))
        with pytest.raises(AuthorizationError):
            listener.wait(0.05)
    with pytest.raises(NetworkError, match="Connection refused"):
        Person().browser.open(redirect)
    with pytest.raises(AuthorizationError) as caught:
        scene.oauth.receive(redirect, session=ONE_PERSON)
    assert caught.value.code == "wrong_state"


@pytest.mark.checklist("L6")
def test_a_redirect_in_the_last_moment_counts(scene: Scene) -> None:
    """An exchange that is under way when the time is over is waited for."""
    begun = threading.Event()

    def slowly(response: Any) -> TokenSet:
        begun.set()
        threading.Event().wait(0.4)
        return scene.oauth.exchange(response)

    with CallbackListener(scene.oauth, finish=slowly) as listener:
        person = Person()
        redirect = person.decide(onboard(listener))
        browser = threading.Thread(target=person.browser.open, args=(redirect,))
        browser.start()
        begun.wait(60)
        assert listener.wait(0.01).access_token
        browser.join(60)


@pytest.mark.checklist("L6")
def test_cancel(scene: Scene) -> None:
    """Another thread ends the wait at once; the next attempt works."""
    with listen(scene) as listener, waiting(listener) as outcome:
        listener.cancel()
    assert outcome[0].code == "wait_cancelled"
    with listen(scene) as listener:
        still_works(listener)


@pytest.mark.checklist("L6")
def test_the_programs_own_attempt_can_still_be_pasted(scene: Scene) -> None:
    """An attempt that the listener did not see the end of is given back to the program."""
    request = scene.oauth.begin(domain="datadoghq.com", session=ONE_PERSON)
    with listen(scene) as listener:
        redirect = Person().decide(listener.start_url(request))
        with pytest.raises(AuthorizationError):
            listener.wait(0.05)
    assert scene.oauth.complete(redirect, session=ONE_PERSON).access_token


@pytest.mark.checklist("L6")
def test_a_redirect_that_did_not_get_here_can_be_pasted(scene: Scene) -> None:
    """An attempt started in a browser can be finished by pasting; a wrong redirect is refused."""
    with listen(scene) as listener, waiting(listener) as outcome:
        redirect = Person().decide(onboard(listener))
        for foreign in ("code and state", redirect.replace("state=", "state=x")):
            with pytest.raises(AuthorizationError):
                listener.take(foreign)
        listener.take(redirect)
        listener.take(redirect)
    scene.whoami(outcome[0])


@pytest.mark.checklist("L6")
@pytest.mark.parametrize(
    ("decision", "domain", "code"),
    [
        ("deny", "datadoghq.com", "access_denied"),
        ("approve", "datadog.example", "foreign_domain"),
    ],
)
def test_a_pasted_end_of_the_attempt_ends_the_wait(
    scene: Scene, decision: str, domain: str, code: str
) -> None:
    """A pasted denial ends the attempt, and so does consent with an edited domain."""
    with listen(scene) as listener, waiting(listener) as outcome:
        redirect = Person().decide(onboard(listener), decision)
        listener.take(redirect.replace("datadoghq.com", domain))
    assert outcome[0].code == code


@pytest.mark.checklist("L7")
@pytest.mark.parametrize("name", ["code", "state", "domain"])
def test_a_duplicate_parameter_is_refused(scene: Scene, name: str) -> None:
    """A redirect with a repeated parameter is refused, and does not end the wait."""
    with listen(scene) as listener:
        person = Person()
        redirect = person.decide(onboard(listener))
        page = person.browser.open(f"{redirect}&{name}=other")
        assert page.status == HTTPStatus.BAD_REQUEST
        assert "duplicate parameter" in page.text
        with waiting(listener) as outcome:
            assert person.browser.open(redirect).status == HTTPStatus.OK
    assert outcome[0].access_token


@pytest.mark.checklist("L8")
def test_frames_are_refused(scene: Scene) -> None:
    """No page can embed the flow: the listener responds only to top-level navigation."""
    with listen(scene) as listener:
        for dest in ("iframe", "frame", "embed", "object", "fencedframe"):
            assert get(onboard(listener), sec_fetch_dest=dest).status == HTTPStatus.FORBIDDEN
        assert get(onboard(listener), sec_fetch_dest="document").status == HTTPStatus.SEE_OTHER


def test_each_item_of_the_checklist_is_proven() -> None:
    """L1 to L10 are each covered by a test in this folder."""
    text = "".join(path.read_text("utf-8") for path in (TESTS / "oauth").rglob("test_*.py"))
    assert {f"L{n}" for n in range(1, 11)} <= set(re.findall(r'checklist\("(L\d+)"\)', text))


def test_nothing_is_logged(scene: Scene, capfd: pytest.CaptureFixture[str], caplog: Any) -> None:
    """A whole flow, a refusal and a broken request leave no line anywhere."""
    caplog.set_level(0)
    with listen(scene) as listener:
        get(onboard(listener), method="POST")
        still_works(listener)
    assert capfd.readouterr() == ("", "")
    ours = [r for r in caplog.records if r.name.startswith("ddoauth_kit.oauth")]
    assert not [*ours, *(r for r in caplog.records if "code=" in r.getMessage())]
