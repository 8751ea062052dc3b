"""A registration is read from a file and the environment, and refused if it can't work."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.builders import readable, registration
from support.places import PARTNERS, TESTS

from ddoauth_kit import (
    DATADOG_SITES,
    ClientRegistration,
    Kind,
    Secret,
    registration_from_environment,
    registration_from_file,
)
from ddoauth_kit.errors import InputError
from ddoauth_kit.registration import TokenEndpoint, with_environment
from ddoauth_kit.registration.redirect_uris import why_no_redirect_uri

if TYPE_CHECKING:
    from pathlib import Path

DATA = TESTS / "data"
PRIVATE = {"DDOAUTH_CLIENT_ID": "private-id", "DDOAUTH_CLIENT_SECRET": "canary-private"}
EU1 = {"DDOAUTH_CLIENT_ID_EU1": "eu1-id", "DDOAUTH_CLIENT_SECRET_EU1": "canary-eu1"}
PUBLISHED = {
    "DDOAUTH_PUBLISHED_CLIENT_ID": "published-id",
    "DDOAUTH_PUBLISHED_CLIENT_SECRET": "canary-published",
}


def test_a_file_is_read_whole() -> None:
    """Each field of the file has its place; a published client is good on all sites."""
    client = registration_from_file(DATA / "acme_sensors.json")
    assert client == ClientRegistration(
        client_id="6dd8ed6c-0000-4000-8000-00000000ac3e",
        name="Acme Sensors",
        kind=Kind.PUBLISHED,
        sites=DATADOG_SITES.names,
        scopes=("api_keys_write", "timeseries_query", "events_read"),
        redirect_uris=(
            "https://acme.example.com/oauth/callback",
            "https://staging.acme.example.com/oauth/callback?tenant=1",
        ),
        onboarding_url="https://acme.example.com/onboarding",
    )
    assert client.warnings == ()


def test_what_is_unusual_is_a_warning() -> None:
    """A scope that is unknown here is reported, not refused; one that comes twice counts once."""
    client = registration_from_file(
        str(DATA / "globex_alerts.json"), kind=Kind.PRIVATE, sites=["us3"]
    )
    assert (client.kind, client.sites) == (Kind.PRIVATE, ("us3",))
    assert client.scopes == ("monitors_read", "monitors_dream")
    (warning,) = client.warnings
    assert warning.startswith("Scope 'monitors_dream' is not a known scope. Did you mean")


def test_every_shared_client_file_loads() -> None:
    """Files that partners have published can be read; each has an id, a redirect URI and scopes."""
    clients = [registration_from_file(path) for path in PARTNERS]
    assert len(clients) == 24
    assert all(c.client_id and c.redirect_uris and c.scopes and c.onboarding_url for c in clients)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "line 1 column 1"),
        ('{"integration": {\n  "id": }}', "line 2 column 9"),
        ("[]", "no object `integration`"),
        ('{"integration": []}', "no object `integration`"),
        ("[" * 100_000, "not JSON in UTF-8"),
        ("\udcff", "not JSON in UTF-8"),
        (" " * (1024 * 1024 + 1), "larger than 1048576 bytes"),
    ],
)
def test_a_file_that_is_no_client_file(tmp_path: Path, text: str, found: str) -> None:
    """The error names the file and what is wrong with it, to the column."""
    file = tmp_path / "oauth_clients.json"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(InputError, match=found) as caught:
        registration_from_file(file)
    assert caught.value.code == "bad_client_file"
    assert str(file) in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", None),
        ("id", ""),
        ("id", 7),
        ("name", " "),
        ("onboarding_url", None),
        ("scopes", None),
        ("scopes", "events_read"),
        ("scopes", [1]),
        ("redirect_uris", {}),
    ],
)
def test_a_field_that_is_missing_or_mistyped(tmp_path: Path, name: str, value: object) -> None:
    """The error names the field."""
    content = json.loads((DATA / "acme_sensors.json").read_text("utf-8"))
    content["integration"][name] = value
    file = tmp_path / "oauth_clients.json"
    file.write_text(json.dumps(content), "utf-8")
    with pytest.raises(InputError, match=rf"integration\.{name}") as caught:
        registration_from_file(file)
    assert caught.value.code == "bad_client_file"


def test_a_missing_file(tmp_path: Path) -> None:
    """A path that leads nowhere or to a folder is reported by name."""
    for path in (tmp_path / "nowhere.json", tmp_path):
        with pytest.raises(InputError, match="cannot be read") as caught:
            registration_from_file(path)
        assert caught.value.code == "bad_client_file"


@pytest.mark.parametrize(
    "uri",
    [
        "http://acme.example.com/callback",
        "https://acme.example.com/callback#top",
        "https://user@acme.example.com/callback",
        "https:///callback",
        "https://acme.example.com/call back",
        "https://acme.example.com/\ncallback",
        "https://\N{CYRILLIC SMALL LETTER A}cme.example.com/",
        "https://[::1/callback",
        "http://127.0.0.1.example.com/callback",
        "acme.example.com/callback",
        "/callback",
        "",
        "javascript:alert(1)",
        "https://acme.example.com/callback\\",
        "https://acme.example.com/{tenant}/callback",
        "https://*.example.com/callback",
        "https://*/callback",
        "https://acme-*.example.com/callback",
        "https://acme..example.com/callback",
        "https://.example.com/callback",
        "https://-acme.example.com/callback",
        "https://acme%2eexample.com/callback",
        f"https://{'a' * 64}.example.com/callback",
    ],
)
def test_a_redirect_uri_that_no_server_may_use(uri: str) -> None:
    """Https only, or http on loopback; no fragment, user, blank, foreign letter or wildcard."""
    with pytest.raises(InputError) as caught:
        registration(redirect_uris=(uri,))
    assert caught.value.code == "bad_redirect_uri"
    assert why_no_redirect_uri(uri) in caught.value.what


@pytest.mark.parametrize("path", ["/cb/*", "/*?a=1", "/cb?next=*"])
def test_a_star_in_a_path_is_told(path: str) -> None:
    """It is allowed there, but a person who writes it expects a wildcard."""
    (told,) = registration(redirect_uris=(f"https://acme.example.com{path}",)).warnings
    assert path in told


@pytest.mark.parametrize("host", ["acme.example.com.", "a_b.example.com", "x--y.io", "192.0.2.1"])
def test_an_odd_host_that_exists_is_taken(host: str) -> None:
    """A final dot, an underscore and an address are not wildcards."""
    assert registration(redirect_uris=(f"https://{host}/cb",)).warnings == ()


@pytest.mark.parametrize("host", ["127.0.0.1:8084", "localhost:8084", "[::1]:8084"])
def test_a_redirect_uri_on_loopback(host: str) -> None:
    """Plain http is fine if nothing leaves the machine (RFC 8252 section 7.3)."""
    assert registration(redirect_uris=(f"http://{host}/callback",)).redirect_uris


@pytest.mark.parametrize(
    ("environ", "site", "kind", "expected"),
    [
        (PRIVATE, "us1", Kind.PRIVATE, ("private-id", "canary-private", ("us1",))),
        (
            {**PRIVATE, "DDOAUTH_CLIENT_SITE": "eu1"},
            "eu1",
            Kind.PRIVATE,
            ("private-id", "canary-private", ("eu1",)),
        ),
        ({**PRIVATE, **EU1}, "us1", Kind.PRIVATE, ("private-id", "canary-private", ("us1",))),
        ({**PRIVATE, **EU1}, "eu1", Kind.PRIVATE, ("eu1-id", "canary-eu1", ("eu1",))),
        (
            {"DDOAUTH_CLIENT_ID_US1_FED": " a\n", "DDOAUTH_CLIENT_SECRET_US1_FED": " canary\n"},
            "us1-fed",
            Kind.PRIVATE,
            ("a", "canary", ("us1-fed",)),
        ),
        (
            {**PRIVATE, **PUBLISHED},
            "ap2",
            Kind.PUBLISHED,
            ("published-id", "canary-published", DATADOG_SITES.names),
        ),
    ],
)
def test_credentials_come_from_the_environment(
    environ: dict[str, str], site: str, kind: Kind, expected: tuple[str, str, tuple[str, ...]]
) -> None:
    """The variables of a site win over the plain ones; blanks at the ends are dropped."""
    client = registration_from_environment(site=site, kind=kind, environ=environ)
    assert (client.client_id, client.secret.reveal(), client.sites) == expected
    assert not readable(expected[1], repr(client))


@pytest.mark.parametrize(
    ("environ", "site", "kind", "code"),
    [
        ({}, "us1", Kind.PRIVATE, "missing_client_id"),
        (PUBLISHED, "us1", Kind.PRIVATE, "missing_client_id"),
        (PRIVATE, "us1", Kind.PUBLISHED, "missing_client_id"),
        (PRIVATE, "eu1", Kind.PRIVATE, "no_credentials_for_site"),
        ({**PRIVATE, "DDOAUTH_CLIENT_SITE": "eu1"}, "us1", Kind.PRIVATE, "no_credentials_for_site"),
    ],
)
def test_credentials_of_another_client_are_not_used(
    environ: dict[str, str], site: str, kind: Kind, code: str
) -> None:
    """A private client is not sent to a foreign site, nor taken for a published one."""
    with pytest.raises(InputError) as caught:
        registration_from_environment(site=site, kind=kind, environ=environ)
    assert caught.value.code == code
    assert "canary" not in str(caught.value)


def test_a_missing_secret_is_an_error_when_used() -> None:
    """Building works without a secret, for looking; using it does not."""
    client = registration_from_environment(environ={"DDOAUTH_CLIENT_ID": "a"})
    with pytest.raises(InputError, match="'a' has no client secret") as caught:
        _ = client.secret
    assert caught.value.code == "missing_client_secret"


def test_the_environment_wins_over_the_file() -> None:
    """The file provides the values that the environment lacks."""
    environ = {
        **PRIVATE,
        "DDOAUTH_CLIENT_FILE": str(DATA / "acme_sensors.json"),
        "DDOAUTH_REDIRECT_URIS": "http://127.0.0.1:8084/a http://127.0.0.1:8084/b",
        "DDOAUTH_SCOPES": "events_read",
        "DDOAUTH_NAME": "Test",
    }
    client = registration_from_environment(environ=environ)
    assert client.client_id == "private-id"
    assert client.redirect_uris == ("http://127.0.0.1:8084/a", "http://127.0.0.1:8084/b")
    assert (client.scopes, client.name) == (("events_read",), "Test")
    assert client.onboarding_url == "https://acme.example.com/onboarding"


def test_a_published_client_may_take_its_id_from_the_file() -> None:
    """Only the secret must be in the environment; a private client's file has no id."""
    environ = {"DDOAUTH_PUBLISHED_CLIENT_SECRET": "canary-published"}
    file = DATA / "acme_sensors.json"
    client = registration_from_environment(kind=Kind.PUBLISHED, environ=environ, file=file)
    assert client.client_id == "6dd8ed6c-0000-4000-8000-00000000ac3e"
    with pytest.raises(InputError):
        registration_from_environment(kind=Kind.PRIVATE, environ=environ, file=file)


@pytest.mark.parametrize(
    ("named", "endpoint"), [("", TokenEndpoint.V2), ("v1", TokenEndpoint.V1), (" v2 ", "v2")]
)
def test_the_token_endpoint_is_one_setting(named: str, endpoint: str) -> None:
    """v2 unless the environment says v1; the environment wins over a file of the kit's."""
    environ = {**PRIVATE, "DDOAUTH_TOKEN_ENDPOINT": named}
    assert registration_from_environment(environ=environ).token_endpoint == endpoint


def test_a_file_may_name_the_token_endpoint(tmp_path: Path) -> None:
    """A file of the kit's own may, and the environment wins over it."""
    content = json.loads((DATA / "acme_sensors.json").read_text("utf-8"))
    content["integration"]["token_endpoint"] = "v1"
    path = tmp_path / "client.json"
    path.write_text(json.dumps(content), "utf-8")
    client = registration_from_file(path)
    assert client.token_endpoint is TokenEndpoint.V1
    assert with_environment(client, {}) == client
    environ = {"DDOAUTH_TOKEN_ENDPOINT": "v2"}
    assert with_environment(client, environ).token_endpoint is TokenEndpoint.V2


@pytest.mark.parametrize(
    "url", ["nonsense", "/onboard", "javascript:alert(1)", "https://", "https://[", "https://a b"]
)
def test_an_onboarding_url_that_no_browser_opens(url: str) -> None:
    """The tile opens it in the customer's browser, so a wrong one is named and not repeated."""
    with pytest.raises(InputError) as caught:
        registration_from_environment(environ={**PRIVATE, "DDOAUTH_ONBOARDING_URL": url})
    assert caught.value.code == "bad_variable"
    assert "DDOAUTH_ONBOARDING_URL" in caught.value.what
    assert url not in caught.value.what


@pytest.mark.parametrize("named", ["v3", "V1", "/oauth2/v1/token", "v1 v2"])
def test_what_is_no_token_endpoint_is_refused(named: str) -> None:
    """A misspelt setting is an error, and not the default."""
    with pytest.raises(InputError, match="the endpoints are v2 and v1") as caught:
        registration_from_environment(environ={**PRIVATE, "DDOAUTH_TOKEN_ENDPOINT": named})
    assert caught.value.code == "unknown_token_endpoint"
    with pytest.raises(InputError):
        registration(token_endpoint=named)


def test_a_given_secret_goes_with_a_file() -> None:
    """The file contains no secret; the caller passes it as a `Secret`."""
    secret = Secret("canary", label="client_secret")
    client = registration_from_file(DATA / "acme_sensors.json", client_secret=secret)
    assert client.secret is secret


@pytest.mark.parametrize("kind", list(Kind))
def test_a_plain_text_is_a_kind(kind: Kind) -> None:
    """A notebook may write the word; the value is the kind itself, and compares as it."""
    assert replace(registration(), kind=str(kind)).kind is kind
    assert registration_from_file(DATA / "acme_sensors.json", kind=str(kind)).kind is kind  # type: ignore[arg-type]
    found = registration_from_environment(kind=str(kind), environ=PRIVATE | PUBLISHED)  # type: ignore[arg-type]
    assert (found.kind, found.client_id) == (kind, f"{kind}-id")


@pytest.mark.parametrize("kind", ["", "Private", "both", None, 1, ["private"], "x" * 500])
def test_what_is_no_kind_is_refused(kind: object) -> None:
    """The sentence quotes a little of it and lists the two that there are."""
    with pytest.raises(InputError, match=r"is not a kind .* private and published") as caught:
        registration(kind=kind)
    assert caught.value.code == "unknown_kind"
    assert len(caught.value.what) < 150
    with pytest.raises(InputError) as caught:
        registration_from_environment(kind=kind, environ=PRIVATE)  # type: ignore[arg-type]
    assert caught.value.code == "unknown_kind"
