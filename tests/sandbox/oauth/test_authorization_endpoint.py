"""The authorize endpoint refuses what it must, on a page or by redirect, and asks for consent."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from ddoauth_kit.sandbox.facts.catalogue import catalogue

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx
    from conftest import Forms, Partner

    from ddoauth_kit.sandbox import Sandbox

Read = "Callable[[httpx.Response], dict[str, str]]"


def is_error_page(answer: httpx.Response, text: str) -> bool:
    """Return whether the response is an error page with this text."""
    html = answer.headers["content-type"].startswith("text/html")
    return answer.status_code == 400 and html and text in answer.text


@pytest.mark.behaviour("authorize-unknown-client")
@pytest.mark.checklist("S1")
@pytest.mark.parametrize("client_id", ["", "nobody", None])
def test_unknown_client_gets_a_page(partner: Partner, client_id: str | None) -> None:
    """An unknown client gets Datadog's text and no redirect."""
    answer = partner.ask(client_id=client_id)
    assert is_error_page(answer, "invalid_request - Invalid client_id parameter value")
    assert "location" not in answer.headers


@pytest.mark.behaviour("authorize-redirect-uri")
@pytest.mark.checklist("S1")
@pytest.mark.parametrize(
    "redirect_uri",
    [
        None,
        "",
        "http://127.0.0.1:8485/oauth/callback",
        "http://127.0.0.1:8484/oauth/callback/",
        "http://127.0.0.1:8484/oauth/callback?a=b",
        "http://127.0.0.1:8484/OAuth/callback",
        "https://127.0.0.1:8484/oauth/callback",
        "https://evil.example/",
    ],
)
def test_other_redirect_uri_gets_a_page(partner: Partner, redirect_uri: str | None) -> None:
    """A redirect URI that differs by one character gets Datadog's text and no redirect."""
    answer = partner.ask(redirect_uri=redirect_uri)
    assert is_error_page(answer, "invalid_request - Mismatching redirect URI")
    assert "location" not in answer.headers


@pytest.mark.behaviour("authorize-duplicate-parameter")
def test_repeated_parameter_gets_a_page(partner: Partner) -> None:
    """A parameter sent twice is refused before anything else is looked at."""
    pairs = [*partner.parameters().items(), ("redirect_uri", "https://evil.example/")]
    answer = partner.http.get(f"{partner.urls['app_url']}/oauth2/v1/authorize", params=pairs)
    assert is_error_page(answer, "Duplicate parameter: redirect_uri")


@pytest.mark.behaviour("authorize-private-client")
def test_private_client_lives_in_its_own_org_only(
    sandbox: Sandbox, make_partner: Callable[..., Partner]
) -> None:
    """A private client works in its org, and in no other org and on no other site."""
    private = sandbox.private_client("eu1")
    text = "invalid_request - Invalid client_id parameter value"
    home = make_partner(sandbox, "eu1", client=private)
    assert home.tokens()["token_type"] == "Bearer"
    assert is_error_page(home.ask(dd_oid=sandbox.orgs["eu1"][1].id), text)
    assert is_error_page(make_partner(sandbox, "us1", client=private).ask(), text)


@pytest.mark.behaviour("authorize-response-type")
@pytest.mark.parametrize(
    ("response_type", "error"),
    [(None, "invalid_request"), ("token", "unsupported_response_type")],
)
def test_response_type_is_code(
    partner: Partner, read_redirect: Read, response_type: str | None, error: str
) -> None:
    """Any other response type, even the implicit one, is refused by redirect."""
    assert read_redirect(partner.ask(response_type=response_type))["error"] == error


@pytest.mark.behaviour("authorize-pkce-required")
@pytest.mark.checklist("S3")
def test_challenge_is_required(partner: Partner, read_redirect: Read) -> None:
    """A request without a challenge is refused, so every code that is issued has a challenge."""
    answer = partner.ask(code_challenge=None, code_challenge_method=None)
    assert read_redirect(answer) == {
        "error": "invalid_request",
        "error_description": "Code challenge required.",
        "state": "the-state",
        "domain": "datadoghq.com",
        "site": "https://app.datadoghq.com",
    }


@pytest.mark.behaviour("authorize-s256-only")
@pytest.mark.checklist("S3")
@pytest.mark.parametrize("method", [None, "plain", "s256", "S512"])
def test_method_is_s256(partner: Partner, read_redirect: Read, method: str | None) -> None:
    """A missing method means plain, and plain is refused like every other."""
    said = read_redirect(partner.ask(code_challenge_method=method))
    assert said["error"] == "invalid_request"
    assert "S256" in said["error_description"]


@pytest.mark.behaviour("authorize-challenge-shape")
@pytest.mark.parametrize("challenge", ["short", "a" * 42, "a" * 44, "a" * 42 + "=", "ä" * 43])
def test_challenge_has_its_shape(partner: Partner, read_redirect: Read, challenge: str) -> None:
    """A challenge that no SHA-256 can give is refused at once."""
    assert read_redirect(partner.ask(code_challenge=challenge))["error"] == "invalid_request"


@pytest.mark.behaviour("authorize-unknown-scope")
def test_one_unknown_scope_fails_all(partner: Partner, read_redirect: Read) -> None:
    """All scopes that the client lacks are named, and none is granted."""
    said = read_redirect(partner.ask(scope="metrics_read made_up another"))
    assert said["error"] == "invalid_scope"
    text = "The following scopes are not recognized: made_up another"
    assert said["error_description"] == text


def test_error_redirect_without_state_has_none(partner: Partner, read_redirect: Read) -> None:
    """State comes back only if it was sent."""
    assert "state" not in read_redirect(partner.ask(scope="made_up", state=None))


@pytest.mark.behaviour("authorize-default-scopes")
def test_no_scope_means_all_of_the_client(partner: Partner) -> None:
    """A request without scope is granted what the client is configured for."""
    assert partner.tokens()["scope"].split() == list(partner.client.scopes)
    assert partner.tokens(scope="metrics_read")["scope"] == "metrics_read"


@pytest.mark.behaviour("authorize-org")
@pytest.mark.behaviour("two-orgs")
def test_dd_oid_selects_the_org(partner: Partner) -> None:
    """The org that the request names is asked, an unknown one changes nothing."""
    first, second = partner.sandbox.orgs["us1"]
    assert partner.callback()["dd_oid"] == first.id
    assert partner.callback(dd_oid=second.id)["dd_oid"] == second.id
    assert partner.callback(dd_oid="nobody")["dd_oid"] == first.id


@pytest.mark.behaviour("consent-page")
def test_consent_names_app_org_and_scopes(
    partner: Partner, read_forms: Callable[[str], Forms]
) -> None:
    """The customer sees which app requests which scopes, and two buttons."""
    page = partner.ask(scope="metrics_read events_read")
    assert "<strong>Sandbox Integration</strong> asks for access to Acme (us1)." in page.text
    assert "<code>metrics_read</code>" in page.text
    assert escape(catalogue().describe("metrics_read")) in page.text
    form = read_forms(page.text).forms[0]
    assert (form["method"], form["action"]) == ("post", "authorize")
    assert form["buttons"] == [("decision", "approve"), ("decision", "deny")]
    assert set(form["fields"]) == {"csrf", "request"}


@pytest.mark.behaviour("consent-headers")
@pytest.mark.checklist("S6")
@pytest.mark.checklist("S7")
def test_consent_is_neither_framed_nor_shared(partner: Partner) -> None:
    """No other page may frame the consent or read it."""
    page = partner.http.get(
        f"{partner.urls['app_url']}/oauth2/v1/authorize",
        params=partner.parameters(),
        headers={"Origin": "https://evil.example"},
    )
    assert page.headers["x-frame-options"] == "DENY"
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "form-action" not in policy
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"
    assert not any(name.startswith("access-control") for name in page.headers)
    assert "<script" not in page.text


def test_session_cookie_is_kept_from_scripts_and_other_sites(partner: Partner) -> None:
    """The cookie belongs to one site of one sandbox, and to no script."""
    cookie = partner.ask().headers["set-cookie"]
    port = urlsplit(partner.sandbox.base_url).port
    assert cookie.startswith(f"ddoauth_sandbox_{port}=sandbox-session-")
    assert cookie.endswith("; HttpOnly; SameSite=Lax; Path=/us1")
    assert "set-cookie" not in partner.ask().headers


def test_page_escapes_what_others_wrote(
    sandbox: Sandbox, make_partner: Callable[..., Partner]
) -> None:
    """A client's name and parameters are text on the page, never markup."""
    registration = {"name": "<b>x</b>", "redirect_uris": ["https://a.example/"], "scopes": ["<i>"]}
    client = sandbox.register({"integration": registration})
    page = make_partner(sandbox, client=client).ask(dd_oid='"><script>')
    assert "&lt;b&gt;x&lt;/b&gt;" in page.text
    assert "&lt;i&gt;" in page.text
    assert "<b>" not in page.text
    assert "<script" not in page.text
