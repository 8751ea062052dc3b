"""The lab takes one registration through the flow, offline, without showing a secret."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from ddoauth_kit.errors import AuthorizationError, InputError, NetworkError
from ddoauth_kit.sites import DATADOG_SITES
from ddoauth_kit.workbook import open_lab, open_sandbox_lab, provoke
from ddoauth_kit.workbook.show.cards import Skipped, as_html, as_text

if TYPE_CHECKING:
    from pathlib import Path

    from ddoauth_kit.workbook import Lab


@pytest.fixture
def only_reads(tmp_path: Path) -> Path:
    """Write the registration of an integration that sends nothing."""
    integration = {
        "id": "11111111-2222-4333-8444-555555555555",
        "name": "Reader",
        "redirect_uris": ["https://reader.example/callback"],
        "onboarding_url": "https://reader.example/start",
        "scopes": ["timeseries_query", "not_a_scope_yet"],
    }
    path = tmp_path / "oauth_clients.json"
    path.write_text(json.dumps({"integration": integration}), "utf-8")
    return path


@pytest.mark.parametrize("site", DATADOG_SITES.names)
def test_whole_flow(site: str) -> None:
    """On every site, the lab goes from nothing to data that is read back."""
    with open_lab(site) as lab:
        tokens = lab.exchange(lab.authorize())
        api_key = lab.create_api_key(tokens)
        assert lab.validate_api_key(api_key) is True
        sent = lab.send_data(api_key)
        read = lab.read_data(tokens)
    assert not isinstance(sent, Skipped)
    assert set(sent.frame["status"]) == {202}
    assert list(read.frame["found"]) == ["1", "1", "1", "see the app"]
    assert list(read.frame["value"])[:3] == [
        "42.0",
        "ddoauth_kit.lesson is 42.0",
        "ddoauth_kit.lesson",
    ]


def test_two_runs_print_the_same() -> None:
    """A lesson shows the same text in every run."""
    assert _printed() == _printed()


def _printed() -> list[str]:
    with open_lab("eu1") as lab:
        request = lab.authorization_request()
        response = lab.authorize(request)
        tokens = lab.exchange(response)
        api_key = lab.create_api_key(tokens)
        values = [lab, request, response, tokens, api_key]
        data = [repr(lab.send_data(api_key)), repr(lab.read_data(tokens)), repr(lab.transcript)]
        return [*map(as_text, values), *map(as_html, values), *data]


def test_cards_show_no_secret() -> None:
    """No text or HTML of any step contains a credential; an API key shows only its end."""
    with open_lab() as lab:
        request = lab.authorization_request()
        tokens = lab.exchange(lab.authorize(request))
        api_key = lab.create_api_key(tokens)
        shown = "".join(as_text(v) + as_html(v) for v in (lab, request, tokens, api_key))
        assert not isinstance(api_key, Skipped)
        assert tokens.refresh_token is not None
        secrets = (
            lab.registration.secret,
            request.state,
            request.pkce.verifier,
            request.pkce.challenge,
            tokens.access_token,
            tokens.refresh_token,
            api_key.key,
        )
        assert not [secret for secret in secrets if secret.reveal() in shown]
        assert api_key.key.reveal()[-4:] in shown


def test_client_that_only_reads(only_reads: Path) -> None:
    """A client without `api_keys_write` skips what needs the key, and still reads."""
    with open_lab(client=str(only_reads)) as lab:
        assert "'not_a_scope_yet' is not a known scope" in as_text(lab)
        tokens = lab.exchange(lab.authorize())
        api_key = lab.create_api_key(tokens)
        assert isinstance(api_key, Skipped)
        assert isinstance(lab.send_data(api_key), Skipped)
        assert list(lab.read_data(tokens).frame["request"])[:2] == [
            "GET /api/v1/query",
            "not sent",
        ]


def test_drill_returns_the_error() -> None:
    """A drill returns the provoked failure as a value, in a separate sandbox."""
    with open_lab() as lab:
        error = lab.drill("denied-consent")
        assert isinstance(error, AuthorizationError)
        assert error.code == "access_denied"
        assert not len(lab.transcript)
        assert lab.drill("cut-off").code == "cut_off"  # type: ignore[union-attr]
        assert isinstance(lab.drill("slow:1"), Skipped)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"site": "us2"}, "unknown_site"),
        ({"mode": "production"}, "unknown_mode"),
        ({"client": "nowhere.json"}, "bad_client_file"),
    ],
)
def test_bad_input(arguments: dict[str, str], code: str) -> None:
    """A lab that cannot be opened is refused by name, before anything starts."""
    error = provoke(open_lab, **arguments)  # type: ignore[arg-type]
    assert isinstance(error, InputError)
    assert error.code == code


@pytest.mark.parametrize("arguments", [{"profile": "kind"}, {"faults": ("gremlins",)}])
def test_bad_sandbox(arguments: dict[str, str]) -> None:
    """An unknown profile or fault is refused with the list of the known ones."""
    error = provoke(open_sandbox_lab, **arguments)  # type: ignore[arg-type]
    assert error.code == "sandbox_not_started"
    assert "datadog" in error.what or "denied-consent" in error.what


@pytest.mark.parametrize(
    ("environ", "code"),
    [
        ({}, "missing_client_id"),
        ({"DDOAUTH_CLIENT_ID": "x"}, "no_credentials_for_site"),
        ({"DDOAUTH_CLIENT_KIND": "both"}, "unknown_kind"),
    ],
)
def test_live_needs_the_environment(
    environ: dict[str, str], code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Live mode without a usable registration says which variable is missing."""
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    error = provoke(open_lab, "eu1", mode="live")
    assert error.code == code


def test_live_shows_real_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Live mode asks for consent at Datadog's own host, with the registration of that site."""
    monkeypatch.setenv("DDOAUTH_CLIENT_ID_EU1", "abc")
    monkeypatch.setenv("DDOAUTH_CLIENT_SECRET_EU1", "its-secret")
    monkeypatch.setenv("DDOAUTH_REDIRECT_URIS", "https://me.example/callback")
    with open_lab("eu1", mode="live") as lab:
        request = lab.authorization_request()
        assert request.url.startswith("https://app.datadoghq.eu/oauth2/v1/authorize?")
        assert "real Datadog" in as_text(lab)
        assert "its-secret" not in as_text(lab)


def test_closed_sandbox_is_no_network() -> None:
    """After `close`, nothing responds, and the error says so."""
    lab: Lab = open_lab()
    response = lab.authorize()
    lab.close()
    assert isinstance(provoke(lab.exchange, response), NetworkError)


def test_provoke_expects_a_failure() -> None:
    """`provoke` does not hide that a call works."""
    with pytest.raises(AssertionError, match="expected to fail"):
        provoke(DATADOG_SITES.named, "us1")
