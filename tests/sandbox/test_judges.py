"""OAuth clients written by others complete the flow, and are refused when necessary."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session as AuthlibSession
from oauthlib.oauth2 import AccessDeniedError, InvalidGrantError, MissingTokenError, OAuth2Error
from requests_oauthlib import OAuth2Session as RequestsSession

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Partner

    from ddoauth_kit.sandbox import Client, Sandbox

SCOPES = ["metrics_read", "events_read"]
VERIFIER = "v" * 64
V1, V2 = "/oauth2/v1/token", "/api/v2/oauth2/token"


@pytest.fixture(autouse=True)
def plain_http(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both libraries want TLS, which loopback does without."""
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")


def visit(partner: Partner, url: str, decision: str = "approve") -> str:
    """Open the address that a library built, decide, and return the browser's next address."""
    answer = partner.http.get(url)
    if answer.status_code == 200:
        answer = partner.decide(answer, decision)
    assert answer.status_code == 303, answer.text
    location: str = answer.headers["location"]
    return location


class Authlib:
    """Authlib's session, bound to one client at one site."""

    def __init__(self, partner: Partner, token_path: str, **changes: Any) -> None:
        client: Client = partner.client
        self.partner = partner
        self.authorize_url = f"{partner.urls['app_url']}/oauth2/v1/authorize"
        self.token_url = f"{partner.urls['api_url']}{token_path}"
        self.revoke_url = f"{partner.urls['api_url']}/oauth2/v1/revoke"
        options: dict[str, Any] = {
            "client_id": client.client_id,
            "client_secret": client.client_secret,
            "token_endpoint_auth_method": "client_secret_post",
            "revocation_endpoint_auth_method": "client_secret_post",
            "redirect_uri": client.redirect_uris[0],
            "scope": " ".join(SCOPES),
            "code_challenge_method": "S256",
        }
        self.session = AuthlibSession(**{**options, **changes})
        self.session.trust_env = False
        self.state = ""

    def location(self, decision: str = "approve", **options: Any) -> str:
        """Go through consent and return the browser's final address."""
        options = {"code_verifier": VERIFIER, **options}
        url, self.state = self.session.create_authorization_url(self.authorize_url, **options)
        return visit(self.partner, url, decision)

    def fetch(self, location: str, **options: Any) -> Any:
        """Exchange the code of a redirect."""
        options = {"code_verifier": VERIFIER, **options}
        return self.session.fetch_token(
            self.token_url, authorization_response=location, state=self.state, **options
        )


@pytest.fixture
def authlib(
    make_sandbox: Callable[..., Sandbox], make_partner: Callable[..., Partner], stack: Any
) -> Callable[..., Authlib]:
    """Start Authlib against a sandbox with switches, or at another site of one."""

    def make(
        site: str = "us1",
        *,
        token_path: str = V2,
        at: Sandbox | None = None,
        switches: dict[str, bool] | None = None,
        **changes: Any,
    ) -> Authlib:
        partner = make_partner(at or make_sandbox(**(switches or {})), site)
        judge = Authlib(partner, token_path, **changes)
        stack.callback(judge.session.close)
        return judge

    return make


@pytest.mark.parametrize("rotate", [False, True])
@pytest.mark.parametrize("token_path", [V1, V2])
@pytest.mark.parametrize("site", ["us1", "eu1", "us2-fed"])
def test_authlib_completes_the_flow(
    authlib: Callable[..., Authlib],
    site: str,
    token_path: str,
    rotate: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """Authlib authorizes, reads, refreshes and revokes, at either endpoint, rotating or not."""
    judge = authlib(site, token_path=token_path, switches={"rotate": rotate})
    token = judge.fetch(judge.location())
    assert token["scope"].split() == SCOPES
    user = f"{judge.partner.urls['api_url']}/api/v2/current_user"
    assert judge.session.get(user).status_code == 200
    refreshed = judge.session.refresh_token(judge.token_url, refresh_token=token["refresh_token"])
    assert refreshed["access_token"] != token["access_token"]
    rotated = refreshed["refresh_token"] != token["refresh_token"]
    assert rotated == rotate
    answer = judge.session.revoke_token(
        judge.revoke_url, token=refreshed["refresh_token"], token_type_hint="refresh_token"
    )
    assert answer.status_code == 200
    assert judge.session.get(user).status_code == 401


@pytest.mark.checklist("S3")
def test_authlib_needs_pkce(authlib: Callable[..., Authlib], read_redirect: Any) -> None:
    """Without PKCE, and with plain, Authlib is sent back with an error, which it leaves to us."""
    judge = authlib(code_challenge_method=None)
    said = read_redirect(judge.location(code_verifier=None))
    assert said["error_description"] == "Code challenge required."
    judge = authlib()
    plain = {"code_challenge": "p" * 43, "code_challenge_method": "plain", "code_verifier": None}
    assert "must be S256" in read_redirect(judge.location(**plain))["error_description"]


@pytest.mark.checklist("S3")
def test_authlib_with_a_wrong_verifier(authlib: Callable[..., Authlib]) -> None:
    """A wrong verifier and a missing one are invalid grants."""
    for wrong in ("w" * 64, None):
        judge = authlib()
        with pytest.raises(OAuthError, match="invalid_grant"):
            judge.fetch(judge.location(), code_verifier=wrong)


@pytest.mark.checklist("S2")
def test_authlib_with_a_reused_code(authlib: Callable[..., Authlib]) -> None:
    """The second exchange fails and ends the first one's tokens."""
    judge = authlib()
    location = judge.location()
    judge.fetch(location)
    user = f"{judge.partner.urls['api_url']}/api/v2/current_user"
    assert judge.session.get(user).status_code == 200
    with pytest.raises(OAuthError, match="invalid_grant"):
        judge.fetch(location)
    assert judge.session.get(user).status_code == 401


def test_authlib_with_a_wrong_secret(authlib: Callable[..., Authlib]) -> None:
    """A wrong secret is an invalid client, both in the body and with Basic if allowed."""
    for method in ("client_secret_post", "client_secret_basic"):
        judge = authlib(
            client_secret="wrong", token_endpoint_auth_method=method, switches={"basic": True}
        )
        with pytest.raises(OAuthError, match="invalid_client"):
            judge.fetch(judge.location())


@pytest.mark.checklist("S1")
def test_authlib_with_another_redirect_uri(authlib: Callable[..., Authlib]) -> None:
    """An unregistered URI gets no redirect, a changed one no tokens."""
    judge = authlib(redirect_uri="http://127.0.0.1:9999/oauth/callback")
    with pytest.raises(AssertionError, match="Mismatching redirect URI"):
        judge.location()
    judge = authlib()
    location = judge.location()
    with pytest.raises(OAuthError, match="invalid_grant"):
        judge.fetch(location, redirect_uri=judge.partner.client.redirect_uris[1])


def test_authlib_at_the_wrong_site(authlib: Callable[..., Authlib]) -> None:
    """A code, a refresh token and an access token of US1 are nothing at EU1."""
    here = authlib("us1")
    there = authlib("eu1", at=here.partner.sandbox)
    location = here.location()
    there.state = here.state
    with pytest.raises(OAuthError, match="invalid_grant"):
        there.fetch(location)
    token = here.fetch(location)
    with pytest.raises(OAuthError, match="invalid_grant"):
        there.session.refresh_token(there.token_url, refresh_token=token["refresh_token"])
    there.session.token = token
    user = f"{there.partner.urls['api_url']}/api/v2/current_user"
    assert there.session.get(user).status_code == 401


def test_authlib_is_denied(authlib: Callable[..., Authlib], read_redirect: Any) -> None:
    """A denied consent is reported as such, and so is one scope too many."""
    judge = authlib()
    assert read_redirect(judge.location("deny"))["error"] == "access_denied"
    judge = authlib(scope="metrics_read made_up")
    assert read_redirect(judge.location())["error"] == "invalid_scope"


@pytest.mark.checklist("S4")
def test_authlib_after_revoking(authlib: Callable[..., Authlib]) -> None:
    """A revoked grant cannot be refreshed, and a rotated-away token ends the family."""
    judge = authlib()
    token = judge.fetch(judge.location())
    judge.session.revoke_token(judge.revoke_url, token=token["access_token"])
    with pytest.raises(OAuthError, match="invalid_grant"):
        judge.session.refresh_token(judge.token_url, refresh_token=token["refresh_token"])


def test_authlib_does_not_take_datadogs_errors_for_tokens(
    authlib: Callable[..., Authlib],
) -> None:
    """In v1's shape Authlib sees no error, but no access token either."""
    judge = authlib(token_path=V1)
    answer = judge.fetch(judge.location(), code_verifier="w" * 64)
    assert "access_token" not in answer
    assert answer["errors"][0].startswith("invalid_grant - ")


@pytest.fixture
def requests_oauthlib(
    make_sandbox: Callable[..., Sandbox], make_partner: Callable[..., Partner], stack: Any
) -> Callable[..., tuple[Partner, RequestsSession]]:
    """Start requests-oauthlib against a sandbox that rotates or not."""

    def make(
        site: str = "us1", *, token_path: str = V2, rotate: bool = False, **changes: Any
    ) -> tuple[Partner, RequestsSession]:
        partner = make_partner(make_sandbox(rotate=rotate), site)
        partner.token_path = token_path
        options = {"redirect_uri": partner.redirect_uri, "scope": SCOPES, "pkce": "S256"}
        session = RequestsSession(partner.client.client_id, **{**options, **changes})
        session.trust_env = False
        stack.callback(session.close)
        return partner, session

    return make


def through_consent(partner: Partner, session: RequestsSession, decision: str = "approve") -> str:
    """Go through consent and return the browser's final address."""
    url, _ = session.authorization_url(f"{partner.urls['app_url']}/oauth2/v1/authorize")
    return visit(partner, url, decision)


def fetch(partner: Partner, session: RequestsSession, location: str, **changes: Any) -> Any:
    """Exchange the code of a redirect."""
    options = {"client_secret": partner.client.client_secret, "include_client_id": True}
    return session.fetch_token(
        f"{partner.urls['api_url']}{partner.token_path}",
        # The library insists on https for the address that the browser came back to.
        authorization_response=location,
        **{**options, **changes},
    )


@pytest.mark.parametrize("rotate", [False, True])
@pytest.mark.parametrize("token_path", [V1, V2])
@pytest.mark.parametrize("site", ["us1", "us5", "eu1"])
def test_requests_oauthlib_completes_the_flow(
    requests_oauthlib: Callable[..., tuple[Partner, RequestsSession]],
    site: str,
    token_path: str,
    rotate: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """requests-oauthlib authorizes, reads, refreshes and revokes, at either endpoint."""
    partner, session = requests_oauthlib(site, token_path=token_path, rotate=rotate)
    token = fetch(partner, session, through_consent(partner, session))
    user = f"{partner.urls['api_url']}/api/v2/current_user"
    assert session.get(user).status_code == 200
    credentials = {
        "client_id": partner.client.client_id,
        "client_secret": partner.client.client_secret,
    }
    url = f"{partner.urls['api_url']}{token_path}"
    refreshed = session.refresh_token(url, refresh_token=token["refresh_token"], **credentials)
    assert refreshed["access_token"] != token["access_token"]
    assert (refreshed["refresh_token"] != token["refresh_token"]) == rotate
    data = {**credentials, "token": refreshed["refresh_token"]}
    assert session.post(f"{partner.urls['api_url']}/oauth2/v1/revoke", data=data).status_code == 200
    assert session.get(user).status_code == 401


@pytest.mark.parametrize(
    ("options", "changes", "error"),
    [
        ({"pkce": None}, {}, "Code challenge required"),
        ({"pkce": "plain"}, {}, "invalid_request"),
        ({}, {"client_secret": "wrong"}, "invalid_client"),
        ({}, {"code_verifier": "w" * 64}, "invalid_grant"),
        ({"scope": ["made_up"]}, {}, "made_up"),
    ],
)
def test_requests_oauthlib_is_refused(
    requests_oauthlib: Callable[..., tuple[Partner, RequestsSession]],
    options: dict[str, Any],
    changes: dict[str, Any],
    error: str,
) -> None:
    """Missing or plain PKCE, or a wrong secret, verifier or scope, leads to the right error."""
    partner, session = requests_oauthlib(**options)
    location = through_consent(partner, session)
    if "code_verifier" in changes:
        session._code_verifier = changes["code_verifier"]
        changes = {}
    with pytest.raises(OAuth2Error, match=error):
        fetch(partner, session, location, **changes)


def test_requests_oauthlib_reuse_and_denial(
    requests_oauthlib: Callable[..., tuple[Partner, RequestsSession]],
) -> None:
    """A used code and a denied consent end in the library's own error types."""
    partner, session = requests_oauthlib()
    location = through_consent(partner, session)
    verifier = session._code_verifier
    fetch(partner, session, location)
    session._code_verifier = verifier
    with pytest.raises(InvalidGrantError):
        fetch(partner, session, location)
    partner, session = requests_oauthlib()
    with pytest.raises(AccessDeniedError):
        fetch(partner, session, through_consent(partner, session, "deny"))
    partner, session = requests_oauthlib(token_path=V1)
    location = through_consent(partner, session)
    session._code_verifier = "w" * 64
    with pytest.raises(MissingTokenError):
        fetch(partner, session, location)


def test_requests_oauthlib_with_another_redirect_uri(
    requests_oauthlib: Callable[..., tuple[Partner, RequestsSession]],
) -> None:
    """An unregistered redirect URI ends on an error page, a registered other one at the token."""
    partner, session = requests_oauthlib()
    session.redirect_uri = "https://elsewhere.example/callback"
    url, _ = session.authorization_url(f"{partner.urls['app_url']}/oauth2/v1/authorize")
    assert partner.http.get(url).status_code == 400
    partner, session = requests_oauthlib()
    location = through_consent(partner, session)
    session.redirect_uri = partner.client.redirect_uris[1]
    with pytest.raises(InvalidGrantError):
        fetch(partner, session, location)


def test_requests_oauthlib_at_another_site_and_after_revoking(
    requests_oauthlib: Callable[..., tuple[Partner, RequestsSession]],
) -> None:
    """A token is refused on another site, and everywhere once its grant is revoked."""
    partner, session = requests_oauthlib("us1")
    token = fetch(partner, session, through_consent(partner, session))
    elsewhere = partner.urls["api_url"].replace("/us1/", "/eu1/")
    assert session.get(f"{elsewhere}/api/v2/current_user").status_code == 401
    credentials = {
        "client_id": partner.client.client_id,
        "client_secret": partner.client.client_secret,
    }
    data = {**credentials, "token": token["access_token"]}
    assert session.post(f"{partner.urls['api_url']}/oauth2/v1/revoke", data=data).status_code == 200
    assert session.get(f"{partner.urls['api_url']}/api/v2/current_user").status_code == 401
    with pytest.raises(InvalidGrantError):
        session.refresh_token(
            f"{partner.urls['api_url']}{partner.token_path}",
            refresh_token=token["refresh_token"],
            **credentials,
        )
