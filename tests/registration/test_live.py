"""Live mode, over real sockets, against a server of Authlib's and a scripted person."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from support import authlib_server as judge
from support.backends import live_environment
from support.builders import readable, shown

from ddoauth_kit.errors import AuthorizationError
from ddoauth_kit.sites import DATADOG_SITES, Endpoints
from ddoauth_kit.workbook import open_lab, provoke
from ddoauth_kit.workbook.show.cards import Skipped, as_html, as_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from support.authlib_server import AuthlibServer
    from support.backends import MemoryKeyring

    from ddoauth_kit import AuthorizationRequest
    from ddoauth_kit.workbook import Lab

    Paste = Callable[[AuthorizationRequest], str]


CUSTOMER = {"name": "Ada Customer", "email": "ada@customer.example"}
TOKEN, KEY = "/api/v2/oauth2/token", "/api/v2/api_keys/marketplace"
CHANGES = {KEY, "/oauth2/v1/revoke", "/api/v2/series", "/api/v2/logs", "/api/v1/events"}


class Witness:
    """A proxy for the judge that records requests, and answers who the customer is."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self.arrived: list[tuple[str, str]] = []

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        """Be what WSGI calls for a request."""
        path = environ["PATH_INFO"]
        self.arrived.append((environ["REQUEST_METHOD"], path))
        if path != "/api/v2/current_user":
            return self._app(environ, start)
        start("200 OK", [("Content-Type", "application/json")])
        return [json.dumps({"data": {"attributes": CUSTOMER, "roles": [CUSTOMER]}}).encode()]

    @property
    def posts(self) -> list[str]:
        """Return the paths of everything that was not just read."""
        return [path for method, path in self.arrived if method != "GET"]


class Person:
    """Paste a test's values one after another; a test may open the authorization URL for them."""

    def __init__(self, *pastes: Paste) -> None:
        self._pastes = list(pastes)

    def __call__(self, request: AuthorizationRequest) -> str:
        """Paste the next thing."""
        return self._pastes.pop(0)(request)

    @property
    def patience(self) -> int:
        """Return how often the person would still have pasted."""
        return len(self._pastes)


@pytest.fixture
def kept(authlib_server: AuthlibServer, monkeypatch: pytest.MonkeyPatch) -> MemoryKeyring:
    """Put the judge's client in the environment and a keyring on the machine."""
    known = authlib_server.client
    monkeypatch.setattr(judge, "DOMAIN", "datadoghq.com")
    monkeypatch.setattr(judge, "APP_URL", "https://app.datadoghq.com")
    return live_environment(
        monkeypatch,
        CLIENT_ID=known.client_id,
        CLIENT_SECRET=known.client_secret,
        REDIRECT_URIS=known.redirect_uri,
        SCOPES=known.scope,
    )


@pytest.fixture
def witness(authlib_server: AuthlibServer) -> Witness:
    """Put the recording proxy in front of the judge."""
    authlib_server._server.app = Witness(authlib_server._server.app)
    return authlib_server._server.app


@pytest.fixture
def open_live(
    authlib_server: AuthlibServer, witness: Witness, kept: MemoryKeyring
) -> Iterator[Callable[..., Lab]]:
    """Open live labs that use the judge as Datadog."""
    labs: list[Lab] = []

    def start(*pastes: Paste, writes: bool = False) -> Lab:
        sites = DATADOG_SITES.at({"us1": Endpoints(*[authlib_server.url] * 4)})
        person = Person(*pastes)
        labs.append(open_lab("us1", mode="live", writes=writes, sites=sites, person=person))
        return labs[-1]

    yield start
    for lab in labs:
        lab.close()


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        """Follow nothing."""


def _right(request: AuthorizationRequest) -> str:
    """Open the authorization URL, consent, and return the target of the judge's redirect."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Stay)
    with pytest.raises(urllib.error.HTTPError) as caught:
        opener.open(request.url, timeout=5)
    with caught.value as answer:
        assert answer.code == 302
        return answer.headers["Location"]


def _half(request: AuthorizationRequest) -> str:
    redirect = _right(request)
    return redirect[: redirect.index("state=")]


def _without_query(request: AuthorizationRequest) -> str:
    return request.redirect_uri


def _authorization_url(request: AuthorizationRequest) -> str:
    return request.url


def _of_another_attempt(request: AuthorizationRequest) -> str:
    return _right(request).replace(quote(request.state.reveal()), "another-attempts-state")


def _denial(request: AuthorizationRequest) -> str:
    state = quote(request.state.reveal())
    return f"{request.redirect_uri}?error=access_denied&state={state}&domain=datadoghq.com"


def _foreign(request: AuthorizationRequest) -> str:
    return _right(request).replace("domain=datadoghq.com", "domain=datadoghq.com.evil.example")


WRONG = [_half, _without_query, _authorization_url, _of_another_attempt]


@pytest.mark.parametrize("rotate", [True, False], indirect=True)
def test_the_right_redirect(open_live: Any, witness: Witness, *, rotate: bool) -> None:
    """A person consents and pastes; tokens come, refresh, and read who the customer is."""
    lab = open_live(_right)
    tokens = lab.exchange(lab.authorize())
    renewed = lab.refresh(tokens)
    assert (renewed.refresh_token == tokens.refresh_token) is not rotate
    assert lab.current_user(renewed).status == 200
    assert witness.posts == [TOKEN, TOKEN]


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_paste_can_be_corrected(
    open_live: Any, wrong: Paste, capsys: pytest.CaptureFixture[str]
) -> None:
    """A paste that does not belong to this attempt is explained, and the next paste counts."""
    lab = open_live(wrong, _right)
    request = lab.authorization_request()
    assert lab.exchange(lab.authorize(request)).scopes.withheld == ()
    printed = capsys.readouterr().out
    assert printed.startswith("[")
    assert "Next: " in printed
    assert not readable(request.state.reveal(), printed)


@pytest.mark.parametrize("wrong", WRONG)
def test_three_wrong_pastes_end_it(open_live: Any, witness: Witness, wrong: Paste) -> None:
    """After the third wrong paste the error is raised, and the secret went nowhere."""
    lab = open_live(wrong, wrong, wrong, _right)
    error = provoke(lab.authorize)
    assert isinstance(error, AuthorizationError)
    assert error.code in {"missing_state", "not_a_redirect", "wrong_state"}
    assert lab.backend.person.patience == 1
    assert witness.posts == []


@pytest.mark.parametrize(
    ("paste", "code"), [(_denial, "access_denied"), (_foreign, "foreign_domain")]
)
def test_an_answer_that_says_no_is_final(
    open_live: Any, witness: Witness, paste: Paste, code: str
) -> None:
    """A denial and a foreign domain spend the attempt: nobody is asked again, nothing is sent."""
    lab = open_live(paste, _right)
    request = lab.authorization_request()
    assert provoke(lab.authorize, request).code == code
    assert lab.backend.person.patience == 1
    assert provoke(lab.authorize, request).code == "wrong_state", "the attempt is spent"
    assert witness.posts == []


def test_nothing_changes_unasked(open_live: Any, witness: Witness) -> None:
    """Every step of the lessons runs without `writes`, and the judge sees no change."""
    lab = open_live(_right)
    tokens = lab.connect()
    key = lab.create_api_key(tokens)
    lab.current_user(tokens)
    steps = [
        key,
        lab.send_data(key),
        lab.validate_api_key(key),
        lab.revoke(tokens),
        lab.customer.uninstall(tokens.client_id),
        lab.customer.revoke_authorization(tokens.client_id),
    ]
    assert all(isinstance(step, Skipped) for step in steps)
    lab.drill("second-key")
    assert set(witness.posts) == {TOKEN}
    assert not CHANGES & {path for _, path in witness.arrived}


def test_the_key_is_made_when_asked(
    open_live: Any, authlib_server: AuthlibServer, kept: MemoryKeyring
) -> None:
    """With `writes` the judge creates the one key, and the keyring has it; a revocation works."""
    lab = open_live(_right, writes=True)
    tokens = lab.connect()
    key = lab.create_api_key(tokens)
    assert authlib_server.keys == [key.key.reveal()]
    assert kept.kept["ddoauth-kit", "api_key:us1:acme"] == key.key.reveal()
    assert lab.revoke(tokens).status == 200
    assert "refresh_token" not in " ".join(name for _, name in kept.kept)
    assert provoke(lab.refresh, tokens).code == "invalid_refresh_token"


def test_the_transcript_keeps_no_customer(open_live: Any, authlib_server: AuthlibServer) -> None:
    """Successful API responses keep only field names and counts; nothing of a secret is kept."""
    lab = open_live(_right, writes=True)
    tokens = lab.connect()
    values = [lab, tokens, lab.current_user(tokens), lab.create_api_key(tokens)]
    values = [*values, *lab.transcript]
    text = shown([lab.transcript, *values]) + "".join(as_text(v) + as_html(v) for v in values[:2])
    text += "".join(exchange.response_body for exchange in lab.transcript)
    assert not [value for value in CUSTOMER.values() if value in text]
    assert '"attributes": {"name": "str", "email": "str"}' in text
    assert '["1 item", {"name": "str", "email": "str"}]' in text
    minted = [*authlib_server.minted, authlib_server.client.client_secret]
    assert len(minted) == 5
    assert not [secret for secret in minted if readable(secret, text)]


@pytest.mark.parametrize("rotate", [True, False], indirect=True)
def test_the_next_lab_needs_no_person(open_live: Any, witness: Witness) -> None:
    """A second and a third lab connect with what the one before left in the keyring."""
    open_live(_right).connect()
    for _ in range(2):
        lab = open_live()
        assert lab.current_user(lab.connect()).status == 200
    assert witness.posts == [TOKEN] * 3
