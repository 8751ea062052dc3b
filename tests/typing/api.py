"""Use the public names as a partner's code does; never run, checked by mypy."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import assert_type

from ddoauth_kit import (
    DATADOG_SITES,
    ApiKey,
    AuthorizationRequest,
    AuthorizationResponse,
    ClientRegistration,
    DdoauthError,
    Endpoints,
    Http,
    Kind,
    OAuthClient,
    Secret,
    Site,
    SiteTable,
    TokenSet,
    create_api_key,
    registration_from_environment,
    registration_from_file,
    validate_api_key,
)
from ddoauth_kit.http.transcript import Transcript
from ddoauth_kit.oauth.callback.listener import CallbackListener


def register() -> ClientRegistration:
    """Registrations come from a file, from the environment or from values."""
    secret = Secret("s", label="client_secret")
    assert_type(secret.reveal(), str)
    assert_type(secret.matches("s"), bool)
    assert_type(registration_from_file("c.json", client_secret=secret), ClientRegistration)
    assert_type(registration_from_environment(site="eu1"), ClientRegistration)
    registration = ClientRegistration(
        client_id="id", client_secret=secret, kind=Kind.PUBLISHED, sites=("us1",), scopes=("a",)
    )
    assert_type(registration.secret, Secret)
    assert_type(registration.warnings, tuple[str, ...])
    return registration


def bind() -> SiteTable:
    """Tests bind the table to servers of their own."""
    here = Endpoints("http://127.0.0.1:1", "http://127.0.0.1:1", "", "")
    lab = Site(name="lab1", domain="lab1.example.com", app_host="", location="", endpoints=here)
    assert_type(DATADOG_SITES.named("us1"), Site)
    assert_type(DATADOG_SITES.resolve(domain="datadoghq.com", site_url=""), Site)
    assert_type([site.name for site in DATADOG_SITES], list[str])
    return DATADOG_SITES.at({"us1": here}).with_site(lab)


def flow(redirect: str, session: str) -> ApiKey | None:
    """Begin, complete, refresh, create the key, revoke."""
    with Http(timeout=5, transcript=Transcript(), sleep=lambda _: None) as http:
        client = OAuthClient(
            register(), sites=bind(), http=http, clock=lambda: datetime.now(tz=UTC)
        )
        request = client.begin(domain="datadoghq.com", scopes=["a"], session=session)
        assert_type(request, AuthorizationRequest)
        assert_type(request.url, str)
        response = client.receive(redirect, session=session)
        assert_type(response, AuthorizationResponse)
        assert_type(response.code, Secret)
        assert_type(client.exchange(response), TokenSet)
        try:
            tokens = client.refresh(client.complete(redirect, session=session))
        except DdoauthError as error:
            assert_type((error.code, error.advice, error.said), tuple[str, str, tuple[str, ...]])
            return None
        assert_type(tokens.refresh_token, Secret | None)
        assert_type(tokens.seconds_left(), float)
        key = create_api_key(http, tokens=tokens)
        assert_type(validate_api_key(http, key=key.key, site=key.site), bool)
        client.revoke(tokens)
        with CallbackListener(client, finish=client.exchange) as listener:
            assert_type(listener.onboarding_url, str)
            assert_type(listener.wait(timeout=60), TokenSet)
        return key
