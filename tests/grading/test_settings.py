"""The settings are strict: unknown names and secrets are refused."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

import pytest

from ddoauth_kit.grading.settings import (
    ACTS,
    SettingsError,
    read_settings,
    resolved,
    settings_from,
    to_toml,
    write_settings,
)

if TYPE_CHECKING:
    from pathlib import Path

WHOLE = """
sites = ["us1", "eu1"]
allow = ["login.example.com"]
patience = 5
durable = true

[start]
url = "http://localhost:3000/connect/datadog"

[connected]
text = "Connected to Datadog"

[client]
redirect_uris = ["http://localhost:3000/oauth/callback"]
scopes = ["api_keys_write", "metrics_read"]

[server]
command = "npm start -- --port 3000"
ready = "listening"
log = "server.log"

[server.env]
DD_CLIENT_ID = "{client_id}"
DD_CLIENT_SECRET = "{client_secret}"
SESSION_SECRET = "{env:ACME_SESSION_SECRET}"

[login]
url = "http://localhost:3000/login"
form = { user = "ada", password = "{env:ADA_PASSWORD}" }

[login.other]
command = ["node", "login.js", "grace"]

[send]
url = "http://localhost:3000/send"

[call]
url = "http://localhost:3000/monitors"
method = "GET"

[refresh]
command = "node refresh.js"

[disconnect]
url = "http://localhost:3000/disconnect"

[list]
url = "http://localhost:3000/connections"
method = "GET"

[pages]
wrong-domain-named = "another site"

[skip]
login-required = "our proxy does it"
"""
START = {"start": {"url": "http://localhost:3000/connect"}}


def test_the_whole_file_is_read(tmp_path: Path) -> None:
    """Each table of the file arrives in its place."""
    path = tmp_path / "ddoauth-grade.toml"
    path.write_text(WHOLE, "utf-8")
    settings = read_settings(path)
    assert settings.sites == ("us1", "eu1")
    assert settings.patience == 5.0
    assert settings.durable
    assert settings.server.command == ("npm", "start", "--", "--port", "3000")
    assert settings.client.scopes == ("api_keys_write", "metrics_read")
    assert settings.login is not None
    assert settings.login.form["password"] == "{env:ADA_PASSWORD}"
    assert settings.other_login is not None
    assert settings.other_login.command == ("node", "login.js", "grace")
    assert set(settings.acts) == set(ACTS)
    assert settings.acts["call"].method == "GET"
    assert settings.pages == {"wrong-domain-named": "another site"}
    assert settings.skip == {"login-required": "our proxy does it"}
    assert settings.folder == tmp_path


@pytest.mark.parametrize(
    ("document", "code", "words"),
    [
        ({"strat": {}}, "unknown_setting", "Did you mean start?"),
        ({**START, "server": {"comand": "x"}}, "unknown_setting", "Did you mean command?"),
        ({**START, "skip": {"state-cheked": "x"}}, "unknown_setting", "state-checked"),
        ({**START, "pages": {"denied": " "}}, "bad_settings", "needs a text"),
        ({**START, "pages": {"deneid": "No"}}, "unknown_setting", "denied"),
        ({**START, "pages": {"pkce-s256": "No"}}, "unknown_setting", "not a setting"),
        ({**START, "skip": {"denied": ""}}, "bad_settings", "needs a reason"),
        ({**START, "sites": ["us2"]}, "bad_settings", "Did you mean us5"),
        ({**START, "sites": []}, "bad_settings", "a list such as"),
        ({**START, "patience": 0}, "bad_settings", "more than 0"),
        ({**START, "patience": True}, "bad_settings", "number of seconds"),
        ({**START, "durable": "yes"}, "bad_settings", "true or false"),
        ({**START, "allow": "host"}, "bad_settings", "list of strings"),
        ({**START, "server": {"command": "npm 'start"}}, "bad_settings", "command in [server]"),
        ({**START, "server": {"command": "cd app && npm start"}}, "bad_settings", '"sh", "-c"'),
        ({**START, "send": {}}, "bad_settings", "needs a url or a command"),
        ({**START, "send": {"url": "http://x/y", "command": "z"}}, "bad_settings", "url or a"),
        ({**START, "send": {"url": "http://x/y", "method": "FETCH"}}, "bad_settings", "one of GET"),
        ({**START, "send": {"url": "ftp://x"}}, "bad_settings", "starts with http"),
        ({**START, "send": {"url": "http://x", "cookie": "a"}}, "unknown_setting", "cookie"),
        ({**START, "start": {}}, "bad_settings", "exactly one"),
        ({"start": {"url": "http://x", "page": "http://y"}}, "bad_settings", "exactly one"),
        ({"start": {"json": "http://x"}}, "bad_settings", "json needs field"),
        ({"start": {"url": 7}}, "bad_settings", "starts with http"),
        ({"start": "http://x"}, "bad_settings", "must be a table"),
        (
            {"start": {"url": "https://app.datadoghq.eu/oauth2/v1/authorize"}},
            "datadog_address",
            "Datadog's own",
        ),
    ],
)
def test_bad_settings_are_refused_by_name(document: dict[str, Any], code: str, words: str) -> None:
    """The line says which setting is wrong, and what it may be."""
    with pytest.raises(SettingsError) as caught:
        settings_from(document)
    assert caught.value.code == code
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "document",
    [
        {"server": {"env": {"DD_CLIENT_SECRET": "canary-4711"}}},
        {"server": {"env": {"SESSION_PASSWORD": "canary-4711"}}},
        {"login": {"url": "http://x/y", "form": {"password": "canary-4711"}}},
        {"login": {"url": "http://x/y", "other": {"url": "http://x", "cookie": "sid=canary-4711"}}},
        {"login": {"header": "Authorization: Basic canary-4711"}},
    ],
)
def test_a_literal_secret_is_refused_and_not_repeated(document: dict[str, Any]) -> None:
    """The file lies beside the code, so secrets are references to variables."""
    with pytest.raises(SettingsError) as caught:
        settings_from({**START, **document})
    assert caught.value.code == "literal_secret"
    assert "canary-4711" not in str(caught.value)
    assert "{env:" in str(caught.value)


def test_references_are_filled_in() -> None:
    """A variable that is not set is named, and so is what to do."""
    values = {"client_id": "abc", "client_secret": "xyz"}
    filled = resolved(
        "{client_id}:{client_secret}:{env:MORE}", values=values, environ={"MORE": "m"}
    )
    assert filled == "abc:xyz:m"
    for environ in ({}, {"MORE": ""}):
        with pytest.raises(SettingsError, match="MORE, which is not set"):
            resolved("{env:MORE}", values=values, environ=environ)


def test_what_is_written_can_be_read_and_nothing_is_overwritten(tmp_path: Path) -> None:
    """A file written from settings gives the same settings; blocked hosts are comments."""
    path = tmp_path / "ddoauth-grade.toml"
    path.write_text(WHOLE, "utf-8")
    settings = read_settings(path)
    text = to_toml(settings, blocked=["registry.example"])
    assert '# allow = ["registry.example"]' in text
    again = settings_from(tomllib.loads(text), folder=tmp_path)
    assert (again.start, again.connected, again.client) == (
        settings.start,
        settings.connected,
        settings.client,
    )
    assert again.server == settings.server
    assert (again.sites, again.allow) == (settings.sites, settings.allow)
    with pytest.raises(SettingsError, match="already exists"):
        write_settings(path, text)
    assert path.read_text("utf-8") == WHOLE


@pytest.mark.parametrize("content", [b"[start", b"\xff\xfe\x00", b"a = 1\na = 2"])
def test_what_is_not_toml_is_said(tmp_path: Path, content: bytes) -> None:
    """A broken file, and one that does not exist, get a line with what to do."""
    path = tmp_path / "ddoauth-grade.toml"
    with pytest.raises(SettingsError, match="--init"):
        read_settings(path)
    path.write_bytes(content)
    with pytest.raises(SettingsError, match="not valid TOML"):
        read_settings(path)
