"""Every failure against the sandbox is an error that says what to do and shows no secret."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.builders import local_site, readable, with_locals
from support.loopback import refused_site
from support.scene import Scene

from ddoauth_kit import Http, Secret, create_api_key, errors
from ddoauth_kit.api.refusals import refuse_failure
from ddoauth_kit.errors.explainer import by_code
from ddoauth_kit.oauth.pkce import new_pkce_pair
from ddoauth_kit.sandbox import Sandbox
from ddoauth_kit.workbook.lab.queries import metric_query_request
from ddoauth_kit.workbook.lab.scripted_consent import visit_consent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

INVALID_GRANT = "invalid_grant - Invalid authorization code or code verifier."


@pytest.fixture
def scene(http: Http) -> Iterator[Scene]:
    """Start a sandbox that responds like Datadog."""
    with Sandbox() as sandbox:
        yield Scene(sandbox, http)


def _wrong_secret(scene: Scene) -> None:
    response = scene.response()
    scene.give(client_secret=Secret("canary-wrong-secret", label="client_secret"))
    scene.oauth.exchange(response)


def _unknown_client(scene: Scene) -> None:
    scene.give(client_id="00000000-0000-4000-8000-000000000000")
    visit_consent(scene.begin())


def _foreign_organization(scene: Scene) -> None:
    scene.oauth = scene.client_of(scene.sandbox.private_client("us1"))
    visit_consent(scene.begin(), organization=scene.sandbox.orgs["us1"][1].id)


def _foreign_private_client(scene: Scene) -> None:
    scene.oauth = scene.client_of(scene.sandbox.private_client("eu1"))
    scene.begin()


def _reused_code(scene: Scene) -> None:
    response = scene.response()
    scene.oauth.exchange(response)
    scene.oauth.exchange(response)


def _reused_redirect(scene: Scene) -> None:
    url = visit_consent(scene.begin())
    scene.oauth.complete(url, session="s")
    scene.oauth.complete(url, session="s")


def _expired_code(scene: Scene) -> None:
    response = scene.response()
    scene.sandbox.clock.advance(601)
    scene.oauth.exchange(response)


def _wrong_site(scene: Scene) -> None:
    response = scene.response()
    scene.oauth.exchange(replace(response, site=scene.oauth.sites.named("eu1")))


def _expired_access_token(scene: Scene) -> None:
    tokens = scene.tokens()
    scene.sandbox.clock.advance(3601)
    assert tokens.seconds_left(scene.sandbox.clock.now()) < 0
    scene.whoami(tokens)


def _missing_scope(scene: Scene) -> None:
    tokens = scene.tokens(scopes=["events_read"])
    refuse_failure(scene.http.send(metric_query_request(tokens, query="a", start=1, end=2)))


def _second_key(scene: Scene) -> None:
    tokens = scene.tokens()
    create_api_key(scene.http, tokens=tokens)
    create_api_key(scene.http, tokens=tokens)


def _revoked(scene: Scene) -> None:
    tokens = scene.tokens()
    scene.oauth.revoke(tokens)
    scene.oauth.refresh(tokens)


def _uninstalled(scene: Scene) -> None:
    tokens = scene.tokens()
    scene.sandbox.uninstall(scene.sandbox.client, site="us1")
    scene.whoami(tokens)


def _no_network(scene: Scene) -> None:
    response = scene.response()
    scene.oauth.exchange(replace(response, site=refused_site()))


def _timeout(scene: Scene) -> None:
    response = scene.response()
    scene.sandbox.inject("slow:1")
    with Http(timeout=0.2, transcript=scene.http.transcript) as hasty:
        scene.oauth.http = hasty
        scene.oauth.exchange(response)


def _no_tls(scene: Scene) -> None:
    response = scene.response()
    secure = local_site(scene.sandbox.base_url.replace("http:", "https:"))
    scene.oauth.exchange(replace(response, site=secure))


def _fault_on_the_way_back(fault: str) -> Callable[[Scene], object]:
    def provoke(scene: Scene) -> object:
        scene.sandbox.inject(f"{fault}:1")
        return scene.tokens()

    return provoke


def _fault_at_the_exchange(fault: str) -> Callable[[Scene], object]:
    def provoke(scene: Scene) -> object:
        response = scene.response()
        scene.sandbox.inject(f"{fault}:1")
        return scene.oauth.exchange(response)

    return provoke


def _deny(scene: Scene) -> None:
    scene.oauth.complete(visit_consent(scene.begin(), decision="deny"), session="s")


CASES = [
    ("wrong secret", _wrong_secret, "TokenError", "invalid_client", "invalid_client - "),
    (
        "unknown client",
        _unknown_client,
        "AuthorizationError",
        "invalid_client_id",
        "invalid_request - Invalid client_id parameter value",
    ),
    (
        "private client in a foreign organization",
        _foreign_organization,
        "AuthorizationError",
        "invalid_client_id",
        "invalid_request - Invalid client_id parameter value",
    ),
    (
        "private client on a foreign site",
        _foreign_private_client,
        "InputError",
        "no_credentials_for_site",
        None,
    ),
    (
        "mismatched redirect URI",
        lambda scene: visit_consent(
            replace(scene.begin(), redirect_uri="https://acme.example.com/")
        ),
        "AuthorizationError",
        "mismatching_redirect_uri",
        "invalid_request - Mismatching redirect URI",
    ),
    (
        "another redirect URI at the exchange",
        lambda scene: scene.exchange(redirect_uri=scene.sandbox.client.redirect_uris[1]),
        "TokenError",
        "invalid_grant",
        INVALID_GRANT,
    ),
    (
        "wrong verifier",
        lambda scene: scene.exchange(pkce=new_pkce_pair()),
        "TokenError",
        "invalid_grant",
        INVALID_GRANT,
    ),
    ("reused code", _reused_code, "TokenError", "invalid_grant", INVALID_GRANT),
    ("reused redirect", _reused_redirect, "AuthorizationError", "wrong_state", None),
    ("expired code", _expired_code, "TokenError", "invalid_grant", INVALID_GRANT),
    ("wrong site", _wrong_site, "TokenError", "invalid_grant", INVALID_GRANT),
    ("denied consent", _deny, "AuthorizationError", "access_denied", "access_denied"),
    *(
        (fault, _fault_on_the_way_back(fault), "AuthorizationError", code, None)
        for fault, code in (
            ("missing-state", "missing_state"),
            ("wrong-state", "wrong_state"),
            ("duplicate-code", "duplicate_parameter"),
            ("foreign-domain", "foreign_domain"),
            ("wrong-domain", "domain_changed"),
            ("inconsistent-site", "inconsistent_site"),
        )
    ),
    *(
        (fault, _fault_at_the_exchange(fault), kind, code, said)
        for fault, kind, code, said in (
            ("malformed-json", "AnswerError", "malformed_json", "{"),
            ("empty-body", "AnswerError", "malformed_json", None),
            ("server-error", "AnswerError", "server_error", "Internal"),
            ("html-error", "AnswerError", "html_answer", None),
            ("cut-off", "NetworkError", "cut_off", None),
            ("rate-limited", "TokenError", "rate_limited", None),
            ("echo-secret", "TokenError", "token_refused", "<client_secret>"),
        )
    ),
    ("no network", _no_network, "NetworkError", "no_network", None),
    ("timeout", _timeout, "NetworkError", "timeout", None),
    ("no TLS", _no_tls, "NetworkError", "tls_error", None),
    ("expired access token", _expired_access_token, "ApiError", "unauthorized", "Unauthorized"),
    ("uninstalled", _uninstalled, "ApiError", "unauthorized", "Unauthorized"),
    (
        "missing scope",
        _missing_scope,
        "ApiError",
        "scope_missing",
        "Failed permission authorization checks",
    ),
    ("second key", _second_key, "ApiKeyError", "api_key_exists", "already exists"),
    (
        "revoked grant",
        _revoked,
        "TokenError",
        "invalid_refresh_token",
        "invalid_grant - Invalid or expired refresh token",
    ),
]


@pytest.mark.checklist("C9")
@pytest.mark.parametrize(
    ("provoke", "kind", "code", "said"),
    [case[1:] for case in CASES],
    ids=[case[0] for case in CASES],
)
def test_each_failure_says_what_to_do(
    scene: Scene, provoke: Callable[[Scene], object], kind: str, code: str, said: str | None
) -> None:
    """Class and code are stable; the message has every part; no secret shows anywhere."""
    with pytest.raises(errors.DdoauthError) as caught:
        provoke(scene)
    error = caught.value
    assert (type(error).__name__, error.code) == (kind, code)
    assert str(error).startswith(f"[{code}] {error.what}")
    assert str(error).endswith(f'Next: {by_code()[code].fix} More: explain("{code}").')
    assert error.what.endswith(".")
    assert (said or "") in "; ".join(error.said)
    assert bool(error.said) == ("The server said: " in str(error))
    text = f"{error!r} {error.exchange} {with_locals(error)} {scene.http.transcript!r}"
    secrets = ["canary-wrong-secret", *scene.sandbox.issued_secrets()]
    assert [secret for secret in secrets if readable(secret, text)] == []


def test_the_errors_are_those_that_were_asked_for(scene: Scene) -> None:
    """Without a provocation, the same steps succeed: the failures above are not accidental."""
    tokens = scene.oauth.refresh(scene.tokens())
    scene.whoami(tokens)
    assert create_api_key(scene.http, tokens=tokens).key.reveal().startswith("sandbox-key-")
    scene.oauth.revoke(tokens)
