"""Each fault occurs as often as requested, where it makes sense, and nowhere else."""

from __future__ import annotations

import json
import time
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from support.waiting import until

from ddoauth_kit.sandbox import FAULTS, SandboxError
from ddoauth_kit.sandbox.oauth.consent_decision import SCRIPT
from ddoauth_kit.sandbox.oauth.early_redirect import is_loopback
from ddoauth_kit.sandbox.oauth.token_endpoint import ELSEWHERE
from ddoauth_kit.sandbox.server import transport_faults as spoil
from ddoauth_kit.sandbox.state.faults import FaultPlan

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Partner

    from ddoauth_kit.sandbox import Sandbox

USER = "/api/v2/current_user"
TOKEN_PATHS = ("/oauth2/v1/token", "/api/v2/oauth2/token")


@pytest.fixture(params=[False, True], ids=["sockets", "in process"])
def in_process(request: pytest.FixtureRequest) -> bool:
    """Run every test of this module over sockets and in process."""
    return bool(request.param)


@pytest.fixture
def token(partner: Partner) -> str:
    """Give a good access token."""
    value: str = partner.tokens()["access_token"]
    return value


def user(partner: Partner, token: str) -> httpx.Response:
    """Ask who the token is from."""
    return partner.call(USER, token=token)


def test_server_error(partner: Partner, token: str) -> None:
    """Two requests fail with 500, the third works, and nothing was done meanwhile."""
    code = partner.callback()["code"]
    partner.sandbox.inject("server-error:2")
    assert partner.page("integrations").status_code == 200
    assert user(partner, token).status_code == 500
    failed = partner.exchange(code)
    assert (failed.status_code, failed.json()) == (500, {"errors": ["Internal Server Error"]})
    assert partner.exchange(code).status_code == 200


def test_html_error(partner: Partner, token: str) -> None:
    """A gateway's page comes instead of JSON, but never instead of the consent page."""
    partner.sandbox.inject("html-error")
    assert partner.ask().status_code == 200
    answer = user(partner, token)
    assert answer.status_code == 502
    assert answer.text.startswith("<!doctype html>")


def test_malformed_json(partner: Partner, token: str) -> None:
    """Half of a JSON document is not valid JSON, and half of an empty body is empty."""
    partner.sandbox.inject("malformed-json:2")
    for answer in (user(partner, token), partner.revoke(token="x")):
        assert answer.status_code == 200
        with pytest.raises(json.JSONDecodeError):
            answer.json()


def test_empty_body(partner: Partner) -> None:
    """The status reports success, but the body is empty."""
    code = partner.callback()["code"]
    partner.sandbox.inject("empty-body:1")
    answer = partner.exchange(code)
    assert (answer.status_code, answer.content) == (200, b"")


def test_slow(partner: Partner, token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The response is late, and other requests do not wait for it."""
    assert spoil.SLOW_SECONDS == 3.0
    monkeypatch.setattr(spoil, "SLOW_SECONDS", 0.2)
    partner.sandbox.inject("slow:1")
    begin = time.monotonic()
    assert user(partner, token).status_code == 200
    assert time.monotonic() - begin >= 0.2


@pytest.mark.parametrize("path", [USER, "/oauth2/v1/revoke"])
def test_cut_off(partner: Partner, token: str, path: str) -> None:
    """The connection ends before the announced length."""
    partner.sandbox.inject("cut-off:1")
    with pytest.raises(httpx.RemoteProtocolError):
        partner.call(path, token=token, method="GET" if path == USER else "POST")
    assert user(partner, token).status_code == 200


def test_rate_limited(partner: Partner, token: str) -> None:
    """The 429 has the number of seconds to wait."""
    partner.sandbox.inject("rate-limited:1")
    answer = user(partner, token)
    assert (answer.status_code, answer.json()) == (429, {"errors": []})
    assert answer.headers["x-ratelimit-reset"] == "2"
    assert "retry-after" not in answer.headers


def test_echo_secret(partner: Partner, token: str) -> None:
    """The error repeats what a careless client would print."""
    partner.sandbox.inject("echo-secret:2")
    answer = partner.refresh("the-token")
    assert answer.status_code == 400
    assert partner.client.client_secret in answer.json()["errors"][0]
    assert token in user(partner, token).text


def test_denied_consent(partner: Partner) -> None:
    """Approve counts as deny, once."""
    partner.sandbox.inject("denied-consent:1")
    assert partner.callback()["error"] == "access_denied"
    assert "code" in partner.callback()


@pytest.mark.parametrize(
    ("fault", "changes"),
    [
        ("wrong-state", {"state": "sandbox-wrong-state"}),
        ("missing-state", {"state": None}),
        (
            "foreign-domain",
            {"domain": "datadog.example", "site": "https://app.datadog.example"},
        ),
        ("wrong-domain", {"domain": "us3.datadoghq.com", "site": "https://us3.datadoghq.com"}),
        ("inconsistent-site", {"site": "https://app.datadoghq.eu"}),
    ],
)
@pytest.mark.parametrize("decision", ["approve", "deny"])
def test_spoilt_redirect(
    partner: Partner, fault: str, changes: dict[str, str | None], decision: str
) -> None:
    """The redirect differs in what the fault names and in nothing else."""
    good = partner.callback(decision)
    partner.sandbox.inject(f"{fault}:1")
    bad = partner.callback(decision)
    good.pop("code", None)
    bad.pop("code", None)
    expected: dict[str, Any] = {**good, **changes}
    assert bad == {name: value for name, value in expected.items() if value is not None}


def test_duplicate_code(partner: Partner) -> None:
    """The redirect carries the same code twice."""
    partner.sandbox.inject("duplicate-code:1")
    location = partner.decide(partner.ask()).headers["location"]
    codes = httpx.URL(location).params.get_list("code")
    assert len(codes) == 2
    assert codes[0] == codes[1]


def test_narrowed_scopes(partner: Partner) -> None:
    """One scope of several is missing; a single one stays."""
    partner.sandbox.inject("narrowed-scopes")
    assert partner.tokens(scope="events_read metrics_read")["scope"] == "events_read"
    assert partner.tokens(scope="events_read")["scope"] == "events_read"


def test_expired_code(partner: Partner) -> None:
    """A fresh code counts as expired, and the next one does not."""
    partner.sandbox.inject("expired-code:1")
    assert partner.exchange(partner.callback()["code"]).status_code == 400
    assert partner.exchange(partner.callback()["code"]).status_code == 200


def test_spent_code(partner: Partner) -> None:
    """A fresh code counts as used, and stays used."""
    code = partner.callback()["code"]
    partner.sandbox.inject("spent-code:1")
    assert [partner.exchange(code).status_code for _ in range(2)] == [400, 400]
    assert partner.exchange(partner.callback()["code"]).status_code == 200


def test_expired_token(partner: Partner, token: str) -> None:
    """One access token is over early; the grant and its other tokens live on."""
    tokens = partner.tokens()
    partner.sandbox.inject("expired-token:1")
    assert [user(partner, tokens["access_token"]).status_code for _ in range(2)] == [401, 401]
    renewed = partner.refresh(tokens["refresh_token"]).json()["access_token"]
    assert user(partner, renewed).status_code == user(partner, token).status_code == 200


def test_other_site_token(partner: Partner) -> None:
    """The token is refused where it was issued but valid elsewhere; its grant is the right one."""
    partner.sandbox.inject("other-site-token:1")
    tokens = partner.tokens()
    assert user(partner, tokens["access_token"]).status_code == 401
    other = partner.sandbox.endpoints["us3"]["api_url"]
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert partner.http.get(f"{other}{USER}", headers=bearer).status_code == 200
    renewed = partner.refresh(tokens["refresh_token"]).json()["access_token"]
    assert user(partner, renewed).status_code == 200
    partner.revoke(token=renewed)
    assert partner.http.get(f"{other}{USER}", headers=bearer).status_code == 401


def test_clock_skew(partner: Partner, token: str) -> None:
    """The server's Date is an hour off, and a token issued then is expired; the next one is not."""
    partner.sandbox.inject("clock-skew:1")
    tokens = partner.tokens()
    skewed = user(partner, tokens["access_token"])
    assert skewed.status_code == 401
    renewed = partner.refresh(tokens["refresh_token"])
    assert user(partner, renewed.json()["access_token"]).status_code == 200
    assert user(partner, token).status_code == 200
    partner.sandbox.inject("clock-skew:1")
    dates = [parsedate_to_datetime(user(partner, token).headers["date"]) for _ in range(2)]
    assert 3598 <= (dates[0] - dates[1]).total_seconds() <= 3600


@pytest.mark.parametrize("first", ["refresh", "call"])
def test_app_disabled(partner: Partner, first: str) -> None:
    """All grants of the client in the org end, and a fresh authorization works again."""
    one, two = partner.tokens(), partner.tokens()
    partner.sandbox.inject("app-disabled:1")
    if first == "refresh":
        assert partner.refresh(one["refresh_token"]).status_code == 400
    for tokens in (one, two):
        assert user(partner, tokens["access_token"]).status_code == 401
        assert partner.refresh(tokens["refresh_token"]).status_code == 400
    assert user(partner, partner.tokens()["access_token"]).status_code == 200


def test_duplicate_callback(
    sandbox: Sandbox, make_partner: Callable[..., Partner], serve: Callable[..., Any]
) -> None:
    """A redirect URI on loopback is called once before the browser follows; others are not."""
    server = serve()
    client = sandbox.register(_client_with(f"{server.url}/callback"))
    sandbox.inject("duplicate-callback:1")
    partner = make_partner(sandbox, client=client)
    location = partner.decide(partner.ask()).headers["location"]
    until(lambda: server.arrived)
    (arrived,) = server.arrived
    assert location == f"{server.url}{arrived.target}"


@pytest.mark.checklist("S9")
@pytest.mark.parametrize(
    ("address", "called"),
    [
        ("http://127.0.0.1:1/x", True),
        ("http://localhost/x", True),
        ("http://[::1]/x", True),
        ("https://127.0.0.1/x", False),
        ("http://acme.example.com/x", False),
        ("http://127.0.0.1.example.com/x", False),
        ("http://localhost@example.com/x", False),
        ("ftp://localhost/x", False),
    ],
)
def test_the_sandbox_calls_nobody_else(address: str, *, called: bool) -> None:
    """It sends requests to plain http on this machine only, and only for this one fault."""
    assert is_loopback(address) is called


def _client_with(redirect_uri: str) -> dict[str, Any]:
    return {
        "integration": {
            "id": "6dd8ed6c-0000-4000-8000-0000000ca11e",
            "name": "Twice",
            "scopes": ["events_read"],
            "redirect_uris": [redirect_uri],
            "onboarding_url": "https://acme.example.com/onboarding",
        }
    }


def test_no_refresh_token(partner: Partner) -> None:
    """A refresh returns no refresh token, and the old one stays valid."""
    tokens = partner.tokens()
    partner.sandbox.inject("no-refresh-token:1")
    assert "refresh_token" not in partner.refresh(tokens["refresh_token"]).json()
    assert partner.refresh(tokens["refresh_token"]).status_code == 200


@pytest.mark.parametrize("first", ["refresh", "call"])
def test_revoked_grant(partner: Partner, first: str) -> None:
    """The customer revoked in between: the next use of either token finds it out."""
    tokens = partner.tokens()
    partner.sandbox.inject("revoked-grant:1")
    if first == "refresh":
        assert partner.refresh(tokens["refresh_token"]).status_code == 400
    assert user(partner, tokens["access_token"]).status_code == 401
    assert partner.refresh(tokens["refresh_token"]).status_code == 400
    assert user(partner, partner.tokens()["access_token"]).status_code == 200


def test_key_exists(partner: Partner) -> None:
    """The fault responds with 409 even before a key exists."""
    partner.sandbox.inject("key-exists:1")
    assert partner.make_key().status_code == 409
    assert partner.make_key().status_code == 201


def test_clearing(partner: Partner, token: str) -> None:
    """Without a count a fault strikes until it is cleared."""
    partner.sandbox.inject("server-error")
    assert [user(partner, token).status_code for _ in range(4)] == [500] * 4
    partner.sandbox.clear_faults()
    assert user(partner, token).status_code == 200


def test_probability_repeats() -> None:
    """A probability strikes in the same pattern for one seed and another for another."""

    def pattern(seed: str) -> list[bool]:
        plan = FaultPlan(seed=seed)
        plan.inject("slow:0.5")
        return [plan.strikes("slow") for _ in range(64)]

    assert pattern("a") == pattern("a") != pattern("b")
    assert 10 < sum(pattern("a")) < 54


def test_lost_answer(
    make_sandbox: Callable[..., Sandbox], make_partner: Callable[..., Partner]
) -> None:
    """The tokens are issued but the response is cut off, so rotation uses up the old one."""
    sandbox = make_sandbox(rotate=True)
    partner = make_partner(sandbox)
    tokens = partner.tokens()
    sandbox.inject("lost-answer:1")
    with pytest.raises(httpx.RemoteProtocolError):
        partner.refresh(tokens["refresh_token"])
    assert partner.refresh(tokens["refresh_token"]).status_code == 400


@pytest.mark.parametrize("path", TOKEN_PATHS)
def test_token_endpoint_gone(partner: Partner, path: str) -> None:
    """Token requests get 404, and spend nothing."""
    partner.token_path = path
    code = partner.callback()["code"]
    partner.sandbox.inject("token-endpoint-gone:1")
    assert partner.exchange(code).status_code == 404
    assert partner.exchange(code).status_code == 200


@pytest.mark.parametrize("path", TOKEN_PATHS)
def test_error_with_200(partner: Partner, path: str) -> None:
    """The status says yes, but the body says no in the endpoint's own format."""
    partner.token_path = path
    partner.sandbox.inject("error-with-200:1")
    answer = partner.exchange("made-up")
    assert answer.status_code == 200
    assert "invalid_grant" in answer.text
    assert "access_token" not in answer.json()


def test_other_error_shape(partner: Partner) -> None:
    """A refusal at one token endpoint has the other one's format; successes are unchanged."""
    shapes = dict(zip(TOKEN_PATHS, ("error", "errors"), strict=True))
    for path, name in shapes.items():
        partner.token_path = path
        partner.sandbox.inject("other-error-shape:1")
        assert "access_token" in partner.exchange(partner.callback()["code"]).json()
        assert next(iter(partner.exchange("made-up").json())) == name
        assert next(iter(partner.exchange("made-up").json())) != name


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        ("made-up", "unknown fault 'made-up'. The faults are: server-error, html-error"),
        ("", "unknown fault ''"),
        ("slow:", "bad fault 'slow:'; write slow:2"),
        ("slow:0", "bad fault 'slow:0'"),
        ("slow:-1", "bad fault 'slow:-1'"),
        ("slow:x", "bad fault 'slow:x'"),
        ("slow:1:2", "bad fault 'slow:1:2'"),
        ("slow:0.0", "a probability is above 0.0"),
        ("slow:1.5", "a probability is above 0.0"),
        ("slow:x.y", "a probability is above 0.0"),
        ("slow:nan.", "a probability is above 0.0"),
    ],
)
def test_bad_faults_are_named(spec: str, text: str) -> None:
    """A mistake in a fault is reported in one line with the correct format."""
    with pytest.raises(SandboxError) as caught:
        FaultPlan(seed="a").inject(spec)
    assert text in str(caught.value)
    assert "\n" not in str(caught.value)


def test_hang(partner: Partner, token: str) -> None:
    """One request gets no response, while others are answered at once."""
    partner.sandbox.inject("hang:1")
    with pytest.raises(httpx.ReadTimeout):
        partner.call(USER, token=token, timeout=httpx.Timeout(30, read=0.3))
    assert user(partner, token).status_code == 200
    assert spoil.HANG_SECONDS == 60


@pytest.mark.parametrize("path", TOKEN_PATHS)
def test_token_redirect(partner: Partner, path: str) -> None:
    """Token requests are sent elsewhere with their body, and the code stays good."""
    code = partner.callback()["code"]
    partner.token_path = path
    partner.sandbox.inject("token-redirect:1")
    answer = partner.exchange(code)
    assert (answer.status_code, answer.headers["location"]) == (307, ELSEWHERE)
    assert partner.exchange(code).status_code == 200


def test_script_error(partner: Partner, read_redirect: Callable[..., dict[str, str]]) -> None:
    """The consent is denied, in words that a page must escape."""
    partner.sandbox.inject("script-error:1")
    told = read_redirect(partner.decide(partner.ask()))
    assert told["error"] == "access_denied"
    assert told["error_description"] == SCRIPT
    assert told["state"] == "the-state"
    assert "code" in partner.callback()


def test_every_fault_has_a_test_and_a_place() -> None:
    """Every listed fault is used somewhere."""
    names = set(globals()) | {"test_wrong_state", "test_missing_state", "test_foreign_domain"}
    names |= {"test_wrong_domain", "test_inconsistent_site"}
    assert {f"test_{name.replace('-', '_')}" for name in FAULTS} <= names
