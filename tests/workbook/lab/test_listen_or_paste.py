"""In live mode, the listener is used if the browser returns here; otherwise the person pastes."""

from __future__ import annotations

import socket
import threading
import webbrowser
from typing import TYPE_CHECKING

import pytest
from support.backends import live_lab
from support.loopback import held_port
from support.visitors import Person

from ddoauth_kit.errors import AuthorizationError, InputError
from ddoauth_kit.oauth.client import ONE_PERSON
from ddoauth_kit.workbook import Lab, open_lab, provoke
from ddoauth_kit.workbook.lab import listen_or_paste as paste
from ddoauth_kit.workbook.lab import listen_or_paste as person
from ddoauth_kit.workbook.lab.scripted_consent import visit_consent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ddoauth_kit.oauth.authorization_request import AuthorizationRequest


class Desk:
    """Simulate a machine with a browser, and a person who decides or does not come."""

    def __init__(self) -> None:
        self.opened: list[str] = []
        self.pasted: list[str] = []
        self.decision = "approve"
        self.comes = True
        self.visits: list[threading.Thread] = []
        self.request: AuthorizationRequest | None = None

    def open(self, url: str) -> bool:
        """Open a page, and come back from it a moment later."""
        self.opened.append(url)
        if self.comes:
            self.visits.append(threading.Thread(target=Person().finish, args=(url, self.decision)))
            self.visits[-1].start()
        return True

    def paste(self, _prompt: str) -> str:
        """Authorize at the displayed address, and paste the final address."""
        self.pasted.append(self.opened[-1])
        url = self.opened[-1]
        return Person().decide(url)


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    """Sit at this machine, in front of a notebook."""
    desk = Desk()
    for name in (*person.ELSEWHERE, "DDOAUTH_CONSENT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(webbrowser, "open", desk.open)
    monkeypatch.setattr(webbrowser, "get", lambda: desk)
    monkeypatch.setattr(paste, "getpass", desk.paste)
    monkeypatch.setattr(person, "_somebody_is_there", lambda: True)
    return desk


@pytest.fixture
def live(monkeypatch: pytest.MonkeyPatch, desk: Desk) -> Iterator[Lab]:
    """Open a live lab that uses a sandbox as Datadog, with a loopback redirect URI."""
    with held_port() as port, live_lab(monkeypatch, f"http://127.0.0.1:{port}/cb") as lab:
        yield lab
        for visit in desk.visits:
            visit.join(60)


def port_of(lab: Lab) -> int:
    """Return the port of the registered redirect URI."""
    return int(lab.registration.redirect_uris[0].split(":")[2].split("/")[0])


def test_the_browser_opens_and_comes_back(
    live: Lab, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    """One call opens the browser at the listener's link and returns the checked response."""
    tokens = live.exchange(live.authorize())
    assert tokens.scopes.granted == ("api_keys_write",)
    assert desk.opened[0].startswith(f"http://127.0.0.1:{port_of(live)}/start/")
    assert desk.pasted == []
    said = capsys.readouterr().out
    assert "start/" not in said, "the link is an output that is replaced"
    assert f"from the organization {tokens.dd_org_name} ({tokens.dd_oid})" in said


def test_deny(live: Lab, desk: Desk) -> None:
    """A no is an error at once, and the next attempt works."""
    desk.decision = "deny"
    with pytest.raises(AuthorizationError) as caught:
        live.authorize()
    assert caught.value.code == "access_denied"
    assert len(desk.opened) == 1
    desk.decision = "approve"
    assert live.authorize().code


def test_who_does_not_come_back_may_paste(
    live: Lab, desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """After the wait, a paste is requested: the browser may be on another machine."""
    desk.comes = False
    monkeypatch.setattr(person, "WAIT", 0.05)
    assert live.exchange(live.authorize()).access_token
    assert len(desk.pasted) == 1
    said = capsys.readouterr().out
    assert "[no_redirect_in_time]" in said
    assert "Consent came from the organization" in said


@pytest.mark.checklist("L9")
def test_the_organization_is_named_before_anything_is_kept(
    live: Lab, capsys: pytest.CaptureFixture[str]
) -> None:
    """`authorize` prints whose consent it is, while the code is still unspent."""
    live.authorize()
    assert "Consent came from the organization" in capsys.readouterr().out
    assert not any(each.purpose == "token exchange" for each in live.transcript)


def test_a_taken_port_leads_to_pasting(
    live: Lab, desk: Desk, capsys: pytest.CaptureFixture[str]
) -> None:
    """The reason is printed, and the attempt continues."""
    desk.comes = False
    with socket.create_server(("127.0.0.1", port_of(live))):
        assert live.authorize().code
    assert "[port_not_opened]" in capsys.readouterr().out
    assert len(desk.pasted) == 1


@pytest.mark.parametrize(
    "variable", ["SSH_CONNECTION", "JUPYTERHUB_SERVICE_PREFIX", "DDOAUTH_CONSENT"]
)
def test_a_browser_elsewhere_is_not_listened_for(
    live: Lab, desk: Desk, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    """If the kernel is on another machine, the redirect is pasted from the start."""
    desk.comes = False
    monkeypatch.setenv(variable, "paste")
    assert live.authorize().code
    assert len(desk.pasted) == 1


def test_no_browser_means_pasting(live: Lab, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a browser shows the link and asks."""

    def none() -> None:
        raise webbrowser.Error

    desk.comes = False
    monkeypatch.setattr(webbrowser, "get", none)
    assert live.authorize().code
    assert len(desk.pasted) == 1


def test_nobody_is_not_waited_for(live: Lab, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run without a person says so at once, opens no port and no browser."""
    monkeypatch.setattr(person, "_somebody_is_there", lambda: False)
    with pytest.raises(InputError) as caught:
        live.authorize()
    assert caught.value.code == "no_person"
    assert desk.opened == []


def first_paste(desk: Desk, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[str], str]) -> None:
    """Paste something spoilt when first asked, and what is right from then on."""
    spoilt: list[str] = []

    def answer(prompt: str) -> str:
        whole = desk.paste(prompt)
        if spoilt:
            return whole
        spoilt.append(spoil(whole))
        return spoilt[0]

    desk.comes = False
    monkeypatch.setenv("DDOAUTH_CONSENT", "paste")
    monkeypatch.setattr(paste, "getpass", answer)


@pytest.mark.parametrize(
    "mistake",
    [
        (lambda _: "", "missing_state"),
        (lambda _: "it says that I can close the tab", "not_a_redirect"),
        (lambda url: url.partition("?")[0], "not_a_redirect"),
        (lambda url: url.partition("&state=")[0], "missing_state"),
        (lambda url: url[: url.index("&state=") + 12], "wrong_state"),
    ],
    ids=["nothing", "words", "no query", "half", "half a state"],
)
def test_a_bad_paste_can_be_corrected(
    live: Lab,
    desk: Desk,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    mistake: tuple[Callable[[str], str], str],
) -> None:
    """A wrong paste is reported with advice, and the same attempt is asked for again."""
    spoil, code = mistake
    first_paste(desk, monkeypatch, spoil)
    assert live.exchange(live.authorize()).access_token
    said = capsys.readouterr().out
    assert f"[{code}" in said
    assert "Next: " in said
    assert len(desk.pasted) == 2


@pytest.mark.parametrize("which", ["of another run", "that was spent"])
def test_the_paste_of_another_attempt_can_be_corrected(
    live: Lab,
    desk: Desk,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    which: str,
) -> None:
    """No redirect from another run or an earlier attempt is accepted for this attempt."""
    with open_lab("us1", mode="live", sites=live.oauth.sites) as other:
        maker = other if which == "of another run" else live
        redirect = visit_consent(maker.authorization_request())
    if which == "that was spent":
        live.oauth.complete(redirect, session=ONE_PERSON)
    first_paste(desk, monkeypatch, lambda _: redirect)
    assert live.exchange(live.authorize()).access_token
    assert "[wrong_state]" in capsys.readouterr().out
    assert len(desk.pasted) == 2


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda url: url.partition("&domain=")[0], "missing_domain"),
        (lambda url: url.partition(".com")[0], "foreign_domain"),
        (lambda url: url.replace("=datadoghq.com", "=evil.example"), "foreign_domain"),
        (lambda url: url.replace("datadoghq.com", "datadoghq.eu"), "no_credentials_for_site"),
        (lambda url: url.replace("code=", "error=access_denied&c="), "access_denied"),
    ],
    ids=["no domain", "half a domain", "an edited domain", "another site's", "a denial"],
)
def test_a_paste_that_ends_the_attempt(
    live: Lab,
    desk: Desk,
    monkeypatch: pytest.MonkeyPatch,
    spoil: Callable[[str], str],
    code: str,
) -> None:
    """It is refused with advice, nothing is sent, and the next attempt works."""
    first_paste(desk, monkeypatch, spoil)
    error = provoke(live.authorize)
    assert (error.code, len(desk.pasted)) == (code, 1)
    assert f"Next: {error.advice}" in str(error)
    assert not live.transcript
    assert live.exchange(live.authorize()).access_token


def test_an_interrupt_frees_the_port(
    live: Lab, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopping the cell while it waits leaves nothing behind, and the next attempt works."""

    def stop(_url: str) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(webbrowser, "open", stop)
    with pytest.raises(KeyboardInterrupt):
        live.authorize()
    monkeypatch.setattr(webbrowser, "open", desk.open)
    assert live.authorize().code


def test_a_scripted_person_still_decides(live: Lab) -> None:
    """A caller's own `person` is asked instead of either."""
    sites = live.oauth.sites
    with open_lab("us1", mode="live", sites=sites, person=visit_consent) as lab:
        assert lab.authorize().code


def test_work_beside_the_cells_is_not_a_place_to_ask(live: Lab, desk: Desk) -> None:
    """A panel's thread would wait for input that belongs to another cell; it says so."""
    caught: list[Exception] = []

    def connect() -> None:
        try:
            live.connect()
        except InputError as error:
            caught.append(error)

    thread = threading.Thread(target=connect)
    thread.start()
    thread.join(60)
    assert "authorize first" in str(caught[0])
    assert desk.opened == []
