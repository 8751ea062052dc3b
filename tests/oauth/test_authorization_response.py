"""No value in a redirect is trusted unchecked."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from support.builders import readable, redirect, registration
from support.hostile import HOSTILE_DOMAINS, HOSTILE_SITES, UNLISTED_DOMAINS

from ddoauth_kit import DATADOG_SITES, AuthorizationRequest, AuthorizationResponse
from ddoauth_kit.errors import AuthorizationError
from ddoauth_kit.oauth.authorization_request import authorization_request
from ddoauth_kit.oauth.authorization_response import read_authorization_response
from ddoauth_kit.oauth.redirect import read_redirect

CLIENT = registration(sites=("us1", "us3", "eu1"))


def _begin(domain: str = "") -> AuthorizationRequest:
    return authorization_request(CLIENT, domain=domain)


def _read(url: str, request: AuthorizationRequest) -> AuthorizationResponse:
    return read_authorization_response(url, request=request, registration=CLIENT)


def _refused(url: str, request: AuthorizationRequest) -> AuthorizationError:
    with pytest.raises(AuthorizationError) as caught:
        _read(url, request)
    assert not readable("canary-code", str(caught.value))
    assert not readable(request.state.reveal(), str(caught.value))
    return caught.value


def test_a_good_redirect_gives_code_and_site() -> None:
    """The code (as a secret), the site and Datadog's data about the organization are returned."""
    request = _begin()
    url = redirect(request, client_id=CLIENT.client_id, dd_oid="o-1", dd_org_name="Acme HQ")
    response = _read(url, request)
    assert response.request is request
    assert response.code.reveal() == "canary-code"
    assert (response.site.name, response.dd_oid, response.dd_org_name) == ("us1", "o-1", "Acme HQ")
    assert not readable("canary-code", repr(response))


@pytest.mark.parametrize("form", ["{}", "  {}\n", "{}#top"])
def test_a_pasted_url_may_have_edges(form: str) -> None:
    """Blanks around it and a fragment behind it do no harm."""
    request = _begin()
    assert _read(form.format(redirect(request)), request).code.reveal() == "canary-code"


@pytest.mark.parametrize("lead", ["", "?"])
def test_the_query_alone_is_enough(lead: str) -> None:
    """A web framework hands over the query, not the URL."""
    request = _begin()
    assert _read(lead + redirect(request).partition("?")[2], request).site.name == "us1"


def test_a_redirect_uri_with_a_query_keeps_it() -> None:
    """The registered URI may have parameters of its own."""
    uri = "https://acme.example.com/cb?tenant=1"
    client = registration(redirect_uris=(uri,))
    request = authorization_request(client)
    url = redirect(request).replace("tenant=1?", "tenant=1&")
    assert read_authorization_response(url, request=request, registration=client).site.name == "us1"


@pytest.mark.checklist("C1")
def test_a_hostile_domain_is_refused() -> None:
    """Only a row of the table can be the host that gets the client secret."""
    request = _begin()
    for domain in HOSTILE_DOMAINS:
        assert _refused(redirect(request, domain=domain), request).code == "foreign_domain", domain


@pytest.mark.checklist("C1")
@pytest.mark.parametrize("domain", UNLISTED_DOMAINS)
def test_an_unlisted_region_is_refused(domain: str) -> None:
    """A region newer than the table is not called a foreign host, but gets no secret either."""
    request = _begin()
    assert _refused(redirect(request, domain=domain), request).code == "unknown_region"


@pytest.mark.checklist("C1")
def test_a_hostile_site_is_refused() -> None:
    """A redirect with a good `domain` and a forged `site` is not believed either."""
    request = _begin()
    for site in HOSTILE_SITES:
        assert _refused(redirect(request, site=site), request).code == "foreign_domain", site


@pytest.mark.checklist("C6")
@pytest.mark.parametrize(
    ("start", "changes", "code"),
    [
        ("", {"domain": "datadoghq.eu"}, "inconsistent_site"),
        ("", {"domain": "us5.datadoghq.com", "site": None}, "no_credentials_for_site"),
        ("", {"domain": "us5.datadoghq.com", "site": "us3.datadoghq.com"}, "inconsistent_site"),
        ("datadoghq.com", {"domain": "datadoghq.eu", "site": None}, "domain_changed"),
        (
            "datadoghq.com",
            {"domain": "us3.datadoghq.com", "site": "https://acme.datadoghq.com"},
            "domain_changed",
        ),
        ("", {"domain": None}, "missing_domain"),
        ("", {"domain": ""}, "missing_domain"),
    ],
)
def test_the_site_must_fit_the_attempt(
    start: str, changes: dict[str, str | None], code: str
) -> None:
    """Bound attempts stay on their site; others end on a site with this client's credentials."""
    request = _begin(start)
    assert _refused(redirect(request, **changes), request).code == code


@pytest.mark.checklist("C6")
def test_an_attempt_from_outside_ends_where_the_customer_is() -> None:
    """The customer picked a region on the way; `domain` shows which one."""
    request = _begin()
    url = redirect(request, domain="us3.datadoghq.com", site="https://acme.datadoghq.com")
    assert _read(url, request).site.name == "us3"


@pytest.mark.checklist("C4")
@pytest.mark.parametrize(
    ("state", "code"),
    [(None, "missing_state"), ("", "missing_state"), ("x" * 43, "wrong_state")],
)
def test_state_must_be_the_attempts(state: str | None, code: str) -> None:
    """Without the state of this attempt, nothing else in the redirect counts."""
    request = _begin()
    assert _refused(redirect(request, state=state, domain="evil.com"), request).code == code


@pytest.mark.checklist("C4")
@pytest.mark.parametrize("name", ["code", "state", "domain", "site", "error", "dd_oid"])
def test_a_parameter_that_comes_twice_is_refused(name: str) -> None:
    """Whichever of the two a reader would take, an attacker may have written it."""
    request = _begin()
    url = redirect(request, **{name: "x"}) + "&" + urlencode({name: "y"})
    error = _refused(url, request)
    assert error.code == "duplicate_parameter"
    assert f"`{name}`" in error.what


@pytest.mark.checklist("C5")
@pytest.mark.parametrize(
    ("domain", "changes"),
    [
        ("datadoghq.com", {}),
        ("datadoghq.com", {"code": None, "error": "access_denied"}),
        (None, {"code": None, "error": "access_denied"}),
    ],
)
def test_a_foreign_issuer_is_refused(domain: str | None, changes: dict[str, str | None]) -> None:
    """`iss`, if present, is the site's to the letter, on error responses as well."""
    request = _begin()
    right = "https://app.datadoghq.com/api/v2/oauth2"
    for wrong in (f"{right}/", right.upper(), "https://evil.com", ""):
        url = redirect(request, iss=wrong, domain=domain, **changes)
        assert _refused(url, request).code == "wrong_issuer"
    url = redirect(request, iss=right, domain=domain, **changes)
    if changes:
        assert _refused(url, request).code == "access_denied"
    else:
        assert _read(url, request).site.name == "us1"


def test_another_client_is_refused() -> None:
    """Datadog repeats the client id, which must be the one that started the attempt."""
    request = _begin()
    error = _refused(redirect(request, client_id="other\x1b[2J"), request)
    assert error.code == "wrong_client_id"
    assert "\x1b" not in error.what


@pytest.mark.parametrize(
    ("error", "description", "code", "said"),
    [
        ("access_denied", "The user said no", "access_denied", "access_denied: The user said no"),
        ("access_denied", "", "access_denied", "access_denied"),
        ("invalid_scope", "not recognized: x", "invalid_scope", "invalid_scope: not recognized: x"),
        ("server_error", None, "authorization_refused", "server_error"),
        ("foreign_domain", "\x1b[2J" + "x" * 999, "authorization_refused", None),
    ],
)
@pytest.mark.parametrize("domain", ["datadoghq.com", None])
def test_a_reported_error_is_raised(
    error: str, description: str | None, code: str, said: str | None, domain: str | None
) -> None:
    """An error in the redirect has its own code, and the server's words in printable form."""
    request = _begin()
    url = redirect(request, code=None, domain=domain, error=error, error_description=description)
    found = _refused(url, request)
    assert found.code == code
    assert found.said[0].isprintable()
    assert len(found.said[0]) < 240
    assert said in (None, found.said[0])


@pytest.mark.checklist("C1")
def test_an_error_from_a_hostile_domain_is_not_believed() -> None:
    """A report, too, must come from a listed site."""
    request = _begin()
    url = redirect(request, code=None, error="access_denied", domain="evil.com")
    assert _refused(url, request).code == "foreign_domain"


@pytest.mark.parametrize("changes", [{"code": None}, {"code": ""}])
def test_a_redirect_without_code_and_error(changes: dict[str, str | None]) -> None:
    """A redirect that is neither a yes nor a no is refused."""
    request = _begin()
    assert _refused(redirect(request, **changes), request).code == "missing_code"


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        "https://acme.example.com/callback",
        "https://[::1?a=b",
        "&".join(f"a{number}=1" for number in range(99)),
        "code=" + "x" * 20_000,
    ],
    ids=["a word", "no query", "no URL", "99 pairs", "20 kB"],
)
def test_what_is_no_redirect(text: str) -> None:
    """Anything may be pasted; it is refused by name."""
    assert _refused(text, _begin()).code == "not_a_redirect"


@pytest.mark.parametrize("text", ["", " \n", "?", "a=b&c"])
def test_an_empty_redirect_has_no_state(text: str) -> None:
    """An empty text is an empty query, and a query may lack it."""
    assert _refused(text, _begin()).code == "missing_state"


@pytest.mark.parametrize(
    "address",
    [
        "https://acme.example.com/callback/",
        "http://acme.example.com:80/callback",
        "http://10.0.0.7:8000/inner/callback",
        "https://acme.example.com:443/callback",
        "/callback",
        "callback",
        "",
    ],
)
def test_what_stands_before_the_query_does_not_count(address: str) -> None:
    """A proxy may change scheme, host, port and path; the attempt's state is the proof."""
    request = _begin()
    url = address + "?" + redirect(request).partition("?")[2]
    assert _read(url, request).code.reveal() == "canary-code"


def test_a_fault_names_what_the_redirect_says() -> None:
    """A redirect with an error but no state is distinguished from an empty one."""
    assert read_redirect("state=a&code=b").state.reveal() == "a"
    with pytest.raises(AuthorizationError, match=r"says error=invalid_request") as caught:
        read_redirect("error=invalid_request").refuse_fault()
    assert caught.value.code == "missing_state"
    assert len(DATADOG_SITES) == 9
