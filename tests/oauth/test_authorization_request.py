"""An attempt starts with a URL that Datadog understands and nobody can guess."""

from __future__ import annotations

import ast
from urllib.parse import parse_qsl, urlsplit

import pytest
from support.builders import local_site, readable, registration
from support.hostile import HOSTILE_DOMAINS, HOSTILE_SITES, UNLISTED_DOMAINS
from support.places import KIT

from ddoauth_kit import DATADOG_SITES, AuthorizationRequest
from ddoauth_kit.errors import InputError
from ddoauth_kit.oauth.authorization_request import authorization_request

EVERYWHERE = registration(sites=DATADOG_SITES.names)


def _query(request: AuthorizationRequest) -> dict[str, str]:
    pairs = parse_qsl(urlsplit(request.url).query, strict_parsing=True)
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


@pytest.mark.checklist("C3")
@pytest.mark.checklist("C17")
def test_the_url_holds_what_datadog_asks_for() -> None:
    """Code flow with S256: seven parameters, each once, at the app host's authorize path."""
    request = authorization_request(EVERYWHERE, domain="datadoghq.com")
    assert request.url.startswith("https://app.datadoghq.com/oauth2/v1/authorize?")
    assert _query(request) == {
        "response_type": "code",
        "client_id": EVERYWHERE.client_id,
        "redirect_uri": "https://acme.example.com/callback",
        "scope": "events_read api_keys_write",
        "state": request.state.reveal(),
        "code_challenge": request.pkce.challenge.reveal(),
        "code_challenge_method": "S256",
    }


@pytest.mark.checklist("C17")
def test_no_other_grant_is_offered() -> None:
    """No module, not even in the sandbox, names a grant or response type that RFC 9700 forbids."""
    ours = {"authorization_code", "refresh_token"}
    others = {"password", "implicit", "client_credentials", "id_token token"}
    # Masking knows `password` as the name of a field, and customers of a server log in by one.
    logins = ("graded_copy.py", "html_page.py", "reference_server.py")
    fields = {(name, "password") for name in logins}
    named = set()
    for path in KIT.rglob("*.py"):
        text = path.read_text("utf-8")
        if path.parent.name not in {"leaks", "masking"} and any(
            word in text for word in ours | others
        ):
            nodes = ast.walk(ast.parse(text))
            named |= {(path.name, node.value) for node in nodes if isinstance(node, ast.Constant)}
    assert {*ours, "code"} <= {value for _, value in named}
    assert not {(name, value) for name, value in named if value in others} - fields


@pytest.mark.checklist("C2")
@pytest.mark.checklist("C4")
def test_each_attempt_has_its_own_state_and_pair() -> None:
    """State has at least 128 bits, and neither it nor the verifier is ever used again."""
    requests = [authorization_request(EVERYWHERE) for _ in range(200)]
    assert len({r.state.reveal() for r in requests}) == 200
    assert len({r.pkce.verifier.reveal() for r in requests}) == 200
    assert all(len(r.state.reveal()) * 6 >= 128 for r in requests)


@pytest.mark.checklist("C9")
def test_the_shown_url_has_placeholders() -> None:
    """The printed lines can be read aloud; the verifier is not in any URL."""
    request = authorization_request(EVERYWHERE)
    assert "state=<state>&code_challenge=<code_challenge>&" in request.shown_url
    assert "redirect_uri=https://acme.example.com/callback&" in request.shown_url
    text = f"{request!r} {request.shown_url}"
    assert not readable(request.state.reveal(), text)
    assert not readable(request.pkce.challenge.reveal(), text)
    assert request.pkce.verifier.reveal() not in request.url


def test_a_client_without_scopes_sends_none() -> None:
    """Without `scope`, Datadog grants what the client is configured for."""
    request = authorization_request(registration(scopes=()))
    assert "scope" not in _query(request)


@pytest.mark.checklist("C6")
@pytest.mark.parametrize(
    ("start", "site", "bound"),
    [
        ({}, "us1", False),
        ({"domain": "us3.datadoghq.com"}, "us3", True),
        ({"site_url": "https://us3.datadoghq.com"}, "us3", True),
        ({"site_url": "globex.datadoghq.eu"}, "eu1", True),
        ({"domain": "uk1.datadoghq.com", "site_url": "https://acme.datadoghq.com"}, "uk1", True),
    ],
)
def test_an_attempt_from_the_tile_is_bound(
    start: dict[str, str], site: str, *, bound: bool
) -> None:
    """The request to the onboarding URL names the site; without one, the redirect does."""
    request = authorization_request(EVERYWHERE, **start)
    assert (request.site.name, request.bound) == (site, bound)


def test_an_attempt_from_outside_starts_where_the_client_is_good() -> None:
    """A client of EU1 alone does not start on US1."""
    assert authorization_request(registration(sites=("eu1", "ap1"))).site.name == "eu1"


def test_the_browser_goes_to_the_vanity_subdomain() -> None:
    """The customer's own sign-in page is kept, and shown."""
    request = authorization_request(
        EVERYWHERE, domain="us3.datadoghq.com", site_url="https://acme.datadoghq.com"
    )
    assert request.url.startswith("https://acme.datadoghq.com/oauth2/v1/authorize?")
    assert request.shown_url.startswith("https://acme.datadoghq.com/oauth2/v1/authorize?")


def test_a_bound_table_is_printed_as_datadog() -> None:
    """A test server gets the browser; the reader sees Datadog's host."""
    sites = DATADOG_SITES.at({"us1": local_site("http://127.0.0.1:9").endpoints})
    request = authorization_request(EVERYWHERE, sites=sites)
    assert request.url.startswith("http://127.0.0.1:9/oauth2/v1/authorize?")
    assert request.shown_url.startswith("https://app.datadoghq.com/oauth2/v1/authorize?")


def _assert_unknown(*, domain: str = "", site_url: str = "") -> None:
    with pytest.raises(InputError) as caught:
        authorization_request(EVERYWHERE, domain=domain, site_url=site_url)
    assert caught.value.code == "unknown_site"


@pytest.mark.checklist("C1")
def test_a_hostile_domain_begins_nothing() -> None:
    """A forged tile link does not lead to an authorization page."""
    for domain in HOSTILE_DOMAINS:
        _assert_unknown(domain=domain)


@pytest.mark.checklist("C1")
@pytest.mark.parametrize("domain", UNLISTED_DOMAINS)
def test_an_unlisted_region_begins_nothing(domain: str) -> None:
    """A Datadog subdomain that is not in the table is refused with its own code."""
    with pytest.raises(InputError, match="Nothing was sent") as caught:
        authorization_request(EVERYWHERE, domain=domain)
    assert caught.value.code == "unknown_region"


def test_a_request_may_leave_scope_out() -> None:
    """Then the URL has no `scope`, and the request still knows what to compare the grant with."""
    request = authorization_request(EVERYWHERE, name_scopes=False)
    assert "scope=" not in request.url + request.shown_url
    assert request.scopes == EVERYWHERE.scopes
    assert "scope=" in authorization_request(EVERYWHERE).url


@pytest.mark.checklist("C1")
def test_a_hostile_site_begins_nothing() -> None:
    """A forged `site` doesn't either, with or without a valid `domain`."""
    for site_url in HOSTILE_SITES:
        _assert_unknown(site_url=site_url)
        _assert_unknown(domain="datadoghq.com", site_url=site_url)


@pytest.mark.checklist("C6")
@pytest.mark.parametrize(
    ("start", "code"),
    [
        ({"domain": "datadoghq.com", "site_url": "app.datadoghq.eu"}, "inconsistent_site"),
        ({"site_url": "acme.datadoghq.com"}, "ambiguous_site"),
        ({"domain": "us5.datadoghq.com"}, "no_credentials_for_site"),
        ({"site_url": "us5.datadoghq.com"}, "no_credentials_for_site"),
    ],
)
def test_a_start_that_cannot_end_well_is_refused(start: dict[str, str], code: str) -> None:
    """A pair that contradicts itself, or a site for which this client has no secret."""
    with pytest.raises(InputError) as caught:
        authorization_request(registration(sites=("us1", "eu1")), **start)
    assert caught.value.code == code


def test_a_client_of_no_listed_site_is_refused() -> None:
    """The error names the sites that the client has."""
    with pytest.raises(InputError, match="us9") as caught:
        authorization_request(registration(sites=("us9",)))
    assert caught.value.code == "no_credentials_for_site"


@pytest.mark.checklist("C7")
def test_a_redirect_uri_is_taken_to_the_letter() -> None:
    """One of the registered ones, the first by default; a near miss lists them."""
    uris = ("https://acme.example.com/a", "https://acme.example.com/b?x=1")
    client = registration(redirect_uris=uris)
    assert authorization_request(client).redirect_uri == uris[0]
    assert _query(authorization_request(client, redirect_uri=uris[1]))["redirect_uri"] == uris[1]
    for wanted in (f"{uris[0]}/", uris[0].upper(), "https://acme.example.com/b", ""):
        with pytest.raises(InputError, match=r"https://acme\.example\.com/a, ") as caught:
            authorization_request(client, redirect_uri=wanted)
        assert caught.value.code == "unregistered_redirect_uri"


def test_a_client_without_redirect_uri_is_refused() -> None:
    """There is nowhere to come back to."""
    with pytest.raises(InputError) as caught:
        authorization_request(registration(redirect_uris=()))
    assert caught.value.code == "unregistered_redirect_uri"


@pytest.mark.checklist("C15")
def test_fewer_scopes_may_be_asked_for_and_no_others() -> None:
    """A subset is fine, without doubles; a foreign scope is named before Datadog refuses all."""
    request = authorization_request(EVERYWHERE, scopes=["events_read", "events_read"])
    assert request.scopes == ("events_read",)
    with pytest.raises(InputError, match=r"for: dashboards_read\.") as caught:
        authorization_request(EVERYWHERE, scopes=["events_read", "dashboards_read"])
    assert caught.value.code == "unregistered_scope"
