"""A panel's attempt ends at the listener if that is reachable, and otherwise with a paste."""

from __future__ import annotations

import socket
import webbrowser
from typing import TYPE_CHECKING

import pytest
from support.backends import live_lab
from support.loopback import held_port
from support.visitors import Person, get, waiting

from ddoauth_kit.errors import AuthorizationError
from ddoauth_kit.store import Slot
from ddoauth_kit.workbook import open_sandbox_lab
from ddoauth_kit.workbook.lab import listen_or_paste as person
from ddoauth_kit.workbook.lab.attempt import ListenedAttempt, PastedAttempt, begin_attempt
from ddoauth_kit.workbook.lab.scripted_consent import visit_consent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ddoauth_kit import AuthorizationResponse
    from ddoauth_kit.workbook import Lab
    from ddoauth_kit.workbook.lab.attempt import Attempt

FAR = "https://acme.example.com/callback"


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Return a lab with its own sandbox."""
    with open_sandbox_lab() as lab:
        yield lab


@pytest.fixture
def at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sit at the machine of the kernel, with a browser."""
    for name in person.ELSEWHERE:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(webbrowser, "get", lambda: webbrowser)


@pytest.fixture
def loopback() -> Iterator[str]:
    """Return a redirect URI on a free port."""
    with held_port() as port:
        yield f"http://127.0.0.1:{port}/cb"


def consented(attempt: PastedAttempt) -> str:
    """Return the redirect that the customer ends on."""
    return visit_consent(attempt._request)


def test_the_sandbox_is_listened_for(lab: Lab) -> None:
    """The link leads through consent to stored tokens."""
    attempt = begin_attempt(lab)
    assert isinstance(attempt, ListenedAttempt)
    with waiting(attempt) as outcome:
        Person().finish(attempt.url)
    assert lab.connect().refresh_token == outcome[0].refresh_token


def test_a_redirect_that_cannot_reach_the_listener_is_pasted(lab: Lab) -> None:
    """A browser of another machine ends on an address that does not open; it is as good."""
    attempt = begin_attempt(lab)
    with waiting(attempt) as outcome:
        attempt.take(Person().decide(attempt.url))
    assert outcome[0].site.name == "us1"


@pytest.mark.usefixtures("at_home")
def test_live_with_a_loopback_redirect_uri_is_listened_for(
    monkeypatch: pytest.MonkeyPatch, loopback: str
) -> None:
    """The registered port is opened, and the browser comes back to it."""
    with live_lab(monkeypatch, loopback) as lab:
        attempt = begin_attempt(lab)
        assert isinstance(attempt, ListenedAttempt)
        assert loopback.rpartition("/")[0] in attempt.url
        with waiting(attempt) as outcome:
            Person().finish(attempt.url)
        assert outcome[0].scopes.granted == ("api_keys_write",)


@pytest.mark.usefixtures("at_home")
def test_a_taken_port_is_said_and_pasting_goes_on(
    monkeypatch: pytest.MonkeyPatch, loopback: str
) -> None:
    """The reason comes before the advice."""
    port = int(loopback.split(":")[2].split("/", maxsplit=1)[0])
    with live_lab(monkeypatch, loopback) as lab, socket.create_server(("127.0.0.1", port)):
        attempt = begin_attempt(lab)
        assert isinstance(attempt, PastedAttempt)
        assert str(port) in attempt.advice
        with waiting(attempt) as outcome:
            attempt.take(consented(attempt))
        assert outcome[0].access_token


@pytest.mark.usefixtures("at_home")
@pytest.mark.parametrize("wanted", ["", "paste"])
def test_a_redirect_that_leads_elsewhere_is_pasted(
    monkeypatch: pytest.MonkeyPatch, wanted: str, loopback: str
) -> None:
    """Without a loopback redirect URI, or on request, no port is opened."""
    with live_lab(monkeypatch, loopback if wanted else FAR) as lab:
        monkeypatch.setenv("DDOAUTH_CONSENT", wanted)
        attempt = begin_attempt(lab)
        assert isinstance(attempt, PastedAttempt)
        with waiting(attempt) as outcome:
            attempt.take(consented(attempt))
        assert lab.connect().refresh_token == outcome[0].refresh_token


@pytest.mark.checklist("L6")
def test_bad_pastes_leave_the_attempt_waiting(lab: Lab) -> None:
    """Half a URL, nonsense and another attempt's URL are refused; the right one counts."""
    attempt, other = PastedAttempt(lab), PastedAttempt(lab)
    with waiting(attempt) as outcome:
        redirect = consented(attempt)
        for bad in ("", "yes", redirect.partition("?")[0], redirect.partition("state=")[0]):
            with pytest.raises(AuthorizationError) as caught:
                attempt.take(bad)
            assert caught.value.advice
        with pytest.raises(AuthorizationError):
            attempt.take(redirect.replace("state=", "state=other"))
        attempt.take(redirect)
    assert outcome[0].access_token
    assert lab.oauth.pending.waits(other._request), "another attempt is not touched"


@pytest.mark.parametrize(
    ("decision", "edit", "code"),
    [
        ("deny", ("", ""), "access_denied"),
        ("approve", ("domain=datadoghq.com", "domain=evil.example"), "foreign_domain"),
        ("approve", ("domain=datadoghq.com", "domain=us3.datadoghq.com"), "domain_changed"),
    ],
)
def test_an_answer_that_ends_the_attempt_is_heard_by_whoever_waits(
    lab: Lab, decision: str, edit: tuple[str, str], code: str
) -> None:
    """A denial, a foreign domain and the domain of another site end it; the next attempt works."""
    attempt = PastedAttempt(lab)
    with waiting(attempt) as outcome:
        attempt.take(visit_consent(attempt._request, decision=decision).replace(*edit))
    assert outcome[0].code == code
    again = PastedAttempt(lab)
    with waiting(again) as outcome:
        again.take(consented(again))
    assert outcome[0].access_token


@pytest.mark.parametrize("kind", [ListenedAttempt, PastedAttempt])
def test_the_redirect_of_another_attempt_is_refused(lab: Lab, kind: type[Attempt]) -> None:
    """Another attempt of the same program with other scopes does not end this one."""
    other = lab.authorization_request(scopes=["events_read"])
    attempt = begin_attempt(lab) if kind is ListenedAttempt else PastedAttempt(lab)
    with waiting(attempt) as outcome:
        with pytest.raises(AuthorizationError) as caught:
            attempt.take(visit_consent(other))
        attempt.cancel()
    assert caught.value.code == "wrong_state"
    assert outcome[0].code == "wait_cancelled"
    assert lab.oauth.pending.waits(other)


def test_too_late_and_cancelled(lab: Lab) -> None:
    """Each says so, and a later redirect grants nothing."""
    late, cancelled = PastedAttempt(lab), PastedAttempt(lab)
    with waiting(late, timeout=0.01) as outcome:
        pass
    assert outcome[0].code == "no_redirect_in_time"
    with waiting(cancelled) as outcome:
        cancelled.cancel()
    assert outcome[0].code == "wait_cancelled"
    for attempt in (late, cancelled):
        assert not lab.oauth.pending.waits(attempt._request)
        attempt.take(consented(attempt))
    assert not any(each.purpose == "token exchange" for each in lab.transcript)


def _strangers() -> list[str]:
    """Return what another program of this machine may ask for while somebody's attempt waits."""
    paths = ["/onboarding", "/onboard", "/onboarding/", "/onboarding/start", "/start/", "/start/x"]
    queries = ["", "?domain=datadoghq.com", "?domain=datadoghq.eu&site=https://app.datadoghq.eu"]
    return [f"{path}{query}" for path in paths for query in queries]


@pytest.mark.checklist("L9")
@pytest.mark.usefixtures("at_home")
@pytest.mark.parametrize("mode", ["sandbox", "live"])
@pytest.mark.parametrize("target", _strangers())
def test_a_stranger_can_begin_nothing(
    monkeypatch: pytest.MonkeyPatch, mode: str, target: str, loopback: str
) -> None:
    """While an attempt waits nobody else can put their authorization in its place."""
    opened = open_sandbox_lab() if mode == "sandbox" else live_lab(monkeypatch, loopback)
    with opened as lab:
        attempt = begin_attempt(lab)
        origin = attempt.url.partition("/start/")[0]
        heard = get(f"{origin}{target}")
        assert heard.status == 404
        assert not {"location", "set-cookie"} & heard.headers.keys()
        attempt.cancel()


@pytest.mark.checklist("L9")
@pytest.mark.parametrize("kind", [ListenedAttempt, PastedAttempt])
def test_the_organization_is_seen_before_anything_is_kept(lab: Lab, kind: type[Attempt]) -> None:
    """The check gets the redirect's organization while no code is exchanged and nothing stored."""
    seen: list[tuple[str, object, bool]] = []

    def check(response: AuthorizationResponse) -> None:
        exchanged = any(each.purpose == "token exchange" for each in lab.transcript)
        slot = Slot("refresh_token", lab.site.name, lab.registration.client_id)
        seen.append((response.dd_org_name, lab.store.get(slot), exchanged))

    if kind is ListenedAttempt:
        attempt: Attempt = begin_attempt(lab, check=check)
        with waiting(attempt) as outcome:
            Person().finish(attempt.url)
    else:
        attempt = PastedAttempt(lab, check=check)
        with waiting(attempt) as outcome:
            attempt.take(consented(attempt))
    assert seen == [(outcome[0].dd_org_name, None, False)]
    assert outcome[0].dd_org_name


@pytest.mark.checklist("L9")
def test_a_check_that_refuses_ends_the_attempt(lab: Lab) -> None:
    """Nothing is exchanged or stored, and the browser and the waiting caller get the error."""

    def refuse(_response: AuthorizationResponse) -> None:
        raise AuthorizationError("wrong_state", "another organization")

    attempt = begin_attempt(lab, check=refuse)
    with waiting(attempt) as outcome:
        assert Person().finish(attempt.url).status == 400
    assert outcome[0].code == "wrong_state"
    assert not any(each.purpose == "token exchange" for each in lab.transcript)
